import { partitionName } from '../../../core/move/operation/plan.ts';
import type { CopyStatus, PartitionStatus } from '../../../core/move/operation/status.ts';
import { heldBackBy } from '../../../core/move/operation/status.ts';
import type { Clock } from '../../../engine/ports.ts';
import { rateWords } from '../../journal/copy-sentences.ts';
import { whole } from '../../terminal/figures.ts';
import { amount, restWords } from '../verify/progress.ts';

/** How fast it has gone in the last half minute. */
export type Meter = {
  add(status: CopyStatus): void;
  /** Per millisecond, and over how long that was seen. */
  speed(): { readonly bytesPerMs: number; readonly offsetsPerMs: number; readonly ms: number };
};

export function openMeter({ monotonic }: Pick<Clock, 'monotonic'>): Meter {
  let samples: { readonly atMs: number; readonly bytes: number; readonly offsets: number }[] = [];
  return {
    add({ bytes, offsetsDone }) {
      const atMs = monotonic();
      const last = samples.at(-1);
      // A mover that has begun anew counts from where its ledger says.
      if (last !== undefined && (bytes < last.bytes || offsetsDone < last.offsets)) samples = [];
      samples = [...samples.filter((one) => one.atMs > atMs - windowMs), { atMs, bytes, offsets: offsetsDone }];
    },
    speed() {
      const [first, last] = [samples[0], samples.at(-1)];
      const ms = first === undefined || last === undefined ? 0 : last.atMs - first.atMs;
      if (first === undefined || last === undefined || ms < msMin) return { bytesPerMs: 0, offsetsPerMs: 0, ms };
      return { bytesPerMs: (last.bytes - first.bytes) / ms, offsetsPerMs: (last.offsets - first.offsets) / ms, ms };
    },
  };
}

const windowMs = 30_000;
const msMin = 900;

/** The block that a person watches. */
export function copyLines(status: CopyStatus, meter: Meter): string[] {
  const { partitions, topics } = status;
  const names =
    topics.length > 3 ? `${topics.slice(0, 3).join(', ')} and ${topics.length - 3} more` : topics.join(', ');
  return [
    `${status.operation}  ${names}: ${status.source} → ${status.target}`,
    `${stageWords(status)}; ${progressWords(status, meter)}`,
    partitionsLine(partitions),
    ...troubleLines(status),
  ];
}

/** The same in one line, for what is piped. */
export function copyLine(status: CopyStatus, meter: Meter): string {
  return [
    `${status.operation}  ${stageWords(status)}`,
    progressWords(status, meter),
    partitionsLine(status.partitions),
  ].join('; ');
}

export function stageWords({ stage, held, isSettled, mover, follow }: CopyStatus): string {
  if (held !== null && stage !== 'copied' && stage !== 'aborted')
    return `held by ${held.by} (${held.why})${isSettled === false ? ', requests are still being answered' : ''}`;
  switch (stage) {
    case 'preparing':
      return 'preparing topics on the target';
    case 'copying':
      if (mover !== 'running') return 'the mover is not running yet';
      return follow ? 'copying, and following' : 'copying';
    case 'restoring':
      return 'restoring settings on the target';
    case 'copied':
      return 'copied';
    case 'aborted':
      return 'aborted';
    case 'removing':
      return 'removing what was made';
    case 'removed':
      return 'removed';
  }
}

export function progressWords(status: CopyStatus, meter: Meter | null): string {
  const { bytes, records, offsets, offsetsDone, rate } = status;
  const share = offsets === 0 ? 100 : Math.floor((100 * offsetsDone) / offsets);
  const done = `${share} %, ${whole(records)} records, ${amount(bytes)} by this copy`;
  const { bytesPerMs, offsetsPerMs, ms } = meter?.speed() ?? { bytesPerMs: 0, offsetsPerMs: 0, ms: 0 };
  const limit = rate === null ? '' : ` (${rateWords(rate)})`;
  const speed = bytesPerMs > 0 ? `, ${amount(1000 * bytesPerMs)}/s${limit}` : '';
  const left = offsets - offsetsDone;
  const behind = left === 0 ? '' : `; ${whole(left)} offsets behind`;
  return `${done}${speed}${behind}${status.held === null ? restWords(left, offsetsPerMs, ms) : ''}`;
}

function partitionsLine(partitions: readonly PartitionStatus[]): string {
  const done = partitions.filter(({ state }) => state === 'done').length;
  return `${done} of ${partitions.length} partitions are done`;
}

const shownMax = 5;

/** What somebody may have to do something about. */
export function troubleLines(status: CopyStatus): string[] {
  const open = heldBackBy(status);
  const transactions =
    open === null
      ? []
      : open.map(({ topic, partition, ends, end }) => {
          const from = ends?.lastStable ?? 0;
          return `${partitionName({ topic, partition })} waits for a transaction that is open on the source, from offset ${from}: ${whole((end ?? 0) - from)} offsets are behind it`;
        });
  const told = status.partitions.flatMap(({ topic, partition, state, why }) =>
    why === null ? [] : [`${partitionName({ topic, partition })} ${stateWords[state]}: ${why}`],
  );
  const failure =
    status.failure === null ? [] : [`what moves the data has ended, and is begun again: ${status.failure}`];
  const lines = [...failure, ...told, ...transactions];
  return lines.length > shownMax ? [...lines.slice(0, shownMax), `and ${lines.length - shownMax} more`] : lines;
}

const stateWords: Readonly<Record<PartitionStatus['state'], string>> = {
  copying: 'is copied',
  waiting: 'waits',
  done: 'is done',
  damaged: 'is DAMAGED',
  stopped: 'has stopped',
};
