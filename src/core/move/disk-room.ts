import type { DiskFacts } from './cluster-facts.ts';

/** What one broker of the target gets, and whether it has room for it. */
export type DiskRoom = {
  readonly broker: number;
  /** With a fifth more than what is copied. */
  readonly neededBytes: number;
  /** Null: not told. */
  readonly usableBytes: number | null;
  readonly totalBytes: number | null;
  readonly verdict: 'fits' | 'does not fit' | 'unknown';
  /** Why it is unknown, or what does not fit. */
  readonly why: string | null;
};

export type Arriving = { readonly bytes: number; readonly replicationFactor: number };

/**
 * Which broker gets which partition is decided by the cluster when a topic is made: evenly is what is assumed, and no less than the
 * largest partition for each.
 */
export function diskRoom(disks: readonly DiskFacts[], partitions: readonly Arriving[]): DiskRoom[] {
  const all = partitions.reduce((sum, { bytes, replicationFactor }) => sum + bytes * replicationFactor, 0);
  const largest = partitions.reduce((most, { bytes }) => Math.max(most, bytes), 0) * withReserve;
  const neededBytes = Math.ceil(Math.max((all * withReserve) / Math.max(1, disks.length), largest));
  return disks.map(({ broker, told }): DiskRoom => {
    const unknownRoom = { broker, neededBytes, usableBytes: null, totalBytes: null, verdict: 'unknown' } as const;
    if (!told.known) return { ...unknownRoom, why: told.why };
    const sum = (sizes: readonly (number | null)[]) =>
      sizes.reduce<number | null>((total, size) => (total === null || size === null ? null : total + size), 0);
    const { directories } = told.value;
    const usableBytes = sum(directories.map((directory) => directory.usableBytes));
    const totalBytes = sum(directories.map((directory) => directory.totalBytes));
    if (usableBytes === null || totalBytes === null)
      return { ...unknownRoom, why: 'brokers before 3.3 do not tell how much is free' };
    const roomiest = Math.max(...directories.map((directory) => directory.usableBytes ?? 0));
    const room = { broker, neededBytes, usableBytes, totalBytes };
    if (neededBytes > usableBytes) return { ...room, verdict: 'does not fit', why: 'less is free' };
    if (largest > roomiest)
      return { ...room, verdict: 'does not fit', why: 'no single directory has room for the largest partition' };
    return { ...room, verdict: 'fits', why: null };
  });
}

const withReserve = 1.2;
