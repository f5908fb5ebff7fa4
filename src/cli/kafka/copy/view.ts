import { partitionName } from '../../../core/move/operation/plan.ts';
import type { CopyStatus, PartitionStatus } from '../../../core/move/operation/status.ts';
import { heldBackBy } from '../../../core/move/operation/status.ts';
import type { Clock } from '../../../engine/ports.ts';
import { rateWords } from '../../journal/copy-sentences.ts';
import { whole } from '../../terminal/figures.ts';
import { widthOf, wrapTo } from '../../terminal/text.ts';
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

/**
 * The block that a person watches: what is copied, how it stands and until when, figures, partitions, and what is wrong. What may be longer
 * than a line is broken at words: why it is held, or where it is copied to, is not to be cut off.
 */
export function copyLines(status: CopyStatus, meter: Meter, columns: number): string[] {
  const { partitions, topics, operation, source, target } = status;
  const names =
    topics.length > 3 ? `${topics.slice(0, 3).join(', ')} and ${topics.length - 3} more` : topics.join(', ');
  const race = raceWords(partitions);
  return [
    ...hanging(`${operation}  ${names}: ${shortened(source)} → ${shortened(target)}`, columns),
    ...hanging(`${stageWords(status)}; ${shareWords(status)}${restOf(status, meter)}`, columns),
    ...hanging(
      `  ${[amountWords(status), speedWords(status, meter)].filter((words) => words !== '').join('; ')}`,
      columns,
    ),
    ...hanging(
      `  ${[partitionsLine(partitions), behindWords(status)].filter((words) => words !== '').join('; ')}`,
      columns,
    ),
    ...(race === null ? [] : hanging(`  ${race}`, columns)),
    ...troubleLines(status).flatMap((line) => hanging(line, columns)),
  ];
}

function hanging(text: string, columns: number): string[] {
  if (widthOf(text) <= columns) return [text];
  const lead = /^ */.exec(text)?.[0] ?? '';
  const [first = '', ...rest] = wrapTo(text.slice(lead.length), Math.max(20, columns - lead.length - indent.length));
  return [lead + first, ...rest.map((line) => lead + indent + line)];
}

/** `old:9092 and 2 more`: the first of its addresses says which cluster it is. */
function shortened(bootstrap: string): string {
  const [first = '', ...more] = bootstrap.split(',');
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

const indent = '    ';

/** The partition that what the source deletes has come nearest to, where that is near; null: none, or it is not known. */
function raceWords(partitions: readonly PartitionStatus[]): string | null {
  const open = partitions.flatMap((one) => {
    const { ends, source, state } = one;
    if (ends === null || ends.logStart === 0 || state === 'done') return [];
    const ahead = source - ends.logStart;
    return ahead < nearPart * (ends.highWatermark - ends.logStart) ? [{ name: partitionName(one), ahead }] : [];
  });
  const [nearest] = open.toSorted((one, other) => one.ahead - other.ahead);
  if (nearest === undefined) return null;
  const others = open.length === 1 ? '' : ` (${open.length} partitions are near)`;
  return `retention: ${nearest.name} is ${whole(Math.max(0, nearest.ahead))} offsets ahead of what the source has deleted${others}`;
}

const nearPart = 0.1;

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
    case 'rebuilding':
      return 'a topic is deleted on the target, and made anew';
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
  const speed = meter === null ? '' : speedWords(status, meter);
  const behind = behindWords(status);
  return (
    [
      `${shareWords(status)}, ${amountWords(status)}${speed === '' ? '' : `, ${speed}`}`,
      ...(behind === '' ? [] : [behind]),
    ].join('; ') + (meter === null ? '' : restOf(status, meter))
  );
}

function shareWords({ offsets, offsetsDone }: CopyStatus): string {
  return `${offsets === 0 ? 100 : Math.floor((100 * offsetsDone) / offsets)} %`;
}

function amountWords({ records, bytes }: CopyStatus): string {
  return `${whole(records)} records, ${amount(bytes)} by this copy`;
}

function speedWords({ rate }: CopyStatus, meter: Meter): string {
  const { bytesPerMs } = meter.speed();
  const limit = rate === null ? '' : ` (${rateWords(rate)})`;
  return bytesPerMs > 0 ? `${amount(1000 * bytesPerMs)}/s${limit}` : '';
}

function behindWords({ offsets, offsetsDone }: CopyStatus): string {
  return offsets === offsetsDone ? '' : `${whole(offsets - offsetsDone)} offsets behind`;
}

/** With what separates it; empty where it is held, or too little was seen. */
function restOf({ offsets, offsetsDone, held }: CopyStatus, meter: Meter): string {
  const { offsetsPerMs, ms } = meter.speed();
  return held === null ? restWords(offsets - offsetsDone, offsetsPerMs, ms) : '';
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
