import { type DiskFloor, type LowDisk, underFloor } from '../../../core/move/disk-floor.ts';
import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import type { CopyStatus } from '../../../core/move/operation/status.ts';
import type { Context } from '../../context.ts';
import { amount } from '../verify/progress.ts';
import type { CopySide } from './world.ts';

/** Looks at the disks of the target's brokers while data moves, and has the copy held where one has less room than it is to keep. */
export type DiskWatch = {
  /** After every pass. */
  look(status: CopyStatus): void;
  close(): Promise<void>;
};

const everyMs = 10_000;

/** `open` is called once, when data moves for the first time. What cannot be known is told once, and holds nothing. */
export function watchDisks(
  { clock }: Pick<Context, 'clock'>,
  floor: DiskFloor,
  open: () => Pick<CopySide, 'disks' | 'close'>,
  hold: (request: MoveRequest) => void,
  tell: (line: string) => void,
): DiskWatch {
  let side: Pick<CopySide, 'disks' | 'close'> | null = null;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> = Promise.resolve();
  let told = '';
  const look = async () => {
    side ??= open();
    const { below, unknown } = await side.disks([]).then(
      (disks) => underFloor(disks, floor),
      (error: unknown) => ({
        below: [],
        unknown: [{ broker: null, why: String(error instanceof Error ? error.message : error) }],
      }),
    );
    const [lowest] = below.toSorted((one, other) => one.usableBytes - other.usableBytes);
    if (lowest !== undefined) hold({ kind: 'hold', by: 'drover', why: lowWords(lowest) });
    const words = unknown.map(({ broker, why }) => (broker === null ? why : `broker ${broker}: ${why}`)).join('; ');
    if (words !== '' && words !== told)
      tell(
        `how much room is left on the disks of the target is not known, and nothing is held because of it: ${words}`,
      );
    told = words;
  };
  return {
    look({ stage, held }) {
      const nowMs = clock.monotonic();
      if (stage !== 'copying' || held !== null || nowMs - lookedMs < everyMs) return;
      lookedMs = nowMs;
      looking = looking.then(look);
    },
    async close() {
      await looking;
      await side?.close();
    },
  };
}

function lowWords({ broker, path, usableBytes, floorBytes }: LowDisk): string {
  return `broker ${broker} of the target has ${amount(usableBytes)} left in ${path}, and ${amount(floorBytes)} are to stay free (--disk-floor)`;
}
