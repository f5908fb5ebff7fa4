import type { Directory, DiskFacts } from './cluster-facts.ts';

/** How much of each disk of the target is to stay free. */
export type DiskFloor =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'bytes'; readonly bytes: number };

export type FloorFinding = {
  /** Disks with less than that. */
  readonly below: readonly LowDisk[];
  /** Of which nobody knows how much is free, and why. */
  readonly unknown: readonly { readonly broker: number; readonly why: string }[];
};

export type LowDisk = {
  readonly broker: number;
  readonly path: string;
  readonly usableBytes: number;
  readonly floorBytes: number;
};

/** What is not known is neither above nor below. */
export function underFloor(disks: readonly DiskFacts[], floor: DiskFloor): FloorFinding {
  const below: LowDisk[] = [];
  const unknown: { readonly broker: number; readonly why: string }[] = [];
  for (const { broker, told } of disks) {
    if (!told.known) {
      unknown.push({ broker, why: told.why });
      continue;
    }
    for (const { path, ...directory } of told.value.directories) {
      const floorBytes = floorOf(directory, floor);
      const { usableBytes } = directory;
      if (usableBytes === null || floorBytes === null)
        unknown.push({ broker, why: `it does not tell of ${path}, as before 3.3` });
      else if (usableBytes < floorBytes) below.push({ broker, path, usableBytes, floorBytes });
    }
  }
  return { below, unknown };
}

function floorOf({ totalBytes }: Omit<Directory, 'path'>, floor: DiskFloor): number | null {
  if (floor.kind === 'bytes') return floor.bytes;
  return totalBytes === null ? null : Math.ceil(totalBytes * floor.share);
}
