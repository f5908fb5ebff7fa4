import { growth } from './decide-growth.ts';
import { type MoveDecision, nothing } from './decision.ts';
import type { MoveEvent, PartitionMark, PartitionStopped } from './events.ts';
import type { MoveObservation } from './observation.ts';
import { partitionName } from './plan.ts';
import type { MoveState } from './state.ts';
import type { MoverFigures, PartitionTold, TargetRange } from './told.ts';

/** A mover is kept running; what it tells that matters later is journalled. */
export function decideCopying(state: MoveState, observation: MoveObservation): MoveDecision {
  const { nowMs, mover: told } = observation;
  const mover = { isHeld: state.held !== null, rate: state.rate };
  switch (told.kind) {
    case 'none':
    case 'starting':
      return { ...nothing, mover: isPausing(state, nowMs) ? null : mover, wakeAtMs: pauseEndsAtMs(state, nowMs) };
    case 'failed':
      if (told.count > state.failures.told) {
        const { count, lastWords } = told;
        return { ...nothing, events: [{ kind: 'mover-failed', count, lastWords }], wakeAtMs: 0 };
      }
      return { ...nothing, mover: isPausing(state, nowMs) ? null : mover, wakeAtMs: pauseEndsAtMs(state, nowMs) };
    case 'running': {
      const { events, effects } = growth(state, told, observation.topics);
      const news = [...newsOf(state, told), ...checkpoint(state, told, nowMs), ...events];
      return { ...nothing, events: news, effects, mover };
    }
    case 'done':
      return decideDone(state, told);
    default:
      return unreachable(told);
  }
}

/** Nothing is left that a mover could do. */
function decideDone(state: MoveState, told: MoverFigures): MoveDecision {
  const news = newsOf(state, told);
  if (news.length > 0) return { ...nothing, events: news, wakeAtMs: 0 };
  const isAll = told.partitions.every(({ condition }) => condition.kind === 'done');
  const marks = told.partitions.map(markOf);
  if (isAll) {
    const last: MoveEvent = { kind: 'copy-checkpoint', bytes: told.bytes, partitions: [] };
    return { ...nothing, events: [last, { kind: 'caught-up', partitions: marks }], wakeAtMs: 0 };
  }
  const names = Object.keys(state.stopped);
  const why = `${names.length === 1 ? 'a partition has' : `${names.length} partitions have`} stopped: ${names.join(', ')}`;
  const marked: MoveEvent = { kind: 'copy-checkpoint', bytes: told.bytes, partitions: marks };
  return { ...nothing, events: [marked, { kind: 'copy-left', why }], isOver: true };
}

/** What has to be known by whoever comes later, and is not in the journal yet. */
function newsOf(state: MoveState, { partitions }: MoverFigures): MoveEvent[] {
  return partitions.flatMap((told) => [...rangesOf(state, told), ...stopOf(state, told)]);
}

function rangesOf(state: MoveState, { topic, partition, unproven, lost }: PartitionTold): MoveEvent[] {
  const isKnown = (among: readonly PlacedRange[], { from, to }: TargetRange) =>
    among.some((one) => one.topic === topic && one.partition === partition && one.from === from && one.to === to);
  return [
    ...unproven
      .filter((range) => !isKnown(state.unproven, range))
      .map((range): MoveEvent => ({ kind: 'unproven', topic, partition, ...range })),
    ...lost
      .filter((range) => !isKnown(state.lost, range))
      .map((range): MoveEvent => ({ kind: 'lost-on-target', topic, partition, ...range })),
  ];
}

type PlacedRange = TargetRange & { readonly topic: string; readonly partition: number };

function stopOf(state: MoveState, told: PartitionTold): PartitionStopped[] {
  const { topic, partition, condition } = told;
  if (state.stopped[partitionName(told)] !== undefined) return [];
  if (condition.kind === 'stopped')
    return [{ kind: 'partition-stopped', topic, partition, isDamage: false, why: condition.why }];
  if (condition.kind !== 'damaged') return [];
  return [{ kind: 'partition-stopped', topic, partition, isDamage: true, why: damageWords(condition.damage) }];
}

type Damage = Extract<PartitionTold['condition'], { kind: 'damaged' }>['damage'];

/** What stands where, as offsets, ids and checksums. */
function damageWords({ what, offset, expected, found }: Damage): string {
  const wanted =
    expected === null
      ? 'nothing of ours'
      : `offsets ${expected.from} to ${expected.to - 1} of the source (${expected.count} records, checksum ${hex(expected.checksum)})`;
  const there =
    found === null
      ? 'nothing'
      : `a batch of ${found.count} records at ${found.base}, checksum ${hex(found.checksum)}, ${found.isOurs ? `ours, epoch ${found.epoch}` : 'not ours'}`;
  return `${whats[what]} at offset ${offset} of the target: expected ${wanted}, found ${there}`;
}

const whats: Readonly<Record<Damage['what'], string>> = {
  foreign: 'a batch of somebody else',
  doubled: 'a batch of ours that stands twice',
  'other-bytes': 'other bytes than were sent',
  misplaced: 'a batch in another place than it had to land',
};

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

const checkpointMs = 30_000;

/** Partitions that have moved since the last one. */
function checkpoint(state: MoveState, { bytes, partitions }: MoverFigures, nowMs: number): MoveEvent[] {
  if (nowMs - Math.max(state.markedAtMs, state.stageSinceMs) < checkpointMs) return [];
  const moved = partitions.filter((told) => state.marks[partitionName(told)]?.settled.source !== told.settled.source);
  return moved.length === 0 ? [] : [{ kind: 'copy-checkpoint', bytes, partitions: moved.map(markOf) }];
}

export function markOf({ topic, partition, settled, account, segment }: PartitionTold): PartitionMark {
  return { topic, partition, settled, account, segment };
}

/** What ends again and again is begun again less and less often. */
function pauseMsAfter(failures: number): number {
  return failures === 0 ? 0 : Math.min(60_000, 500 * 2 ** (failures - 1));
}

function pauseEndsAtMs({ failures }: MoveState, nowMs: number): number | null {
  const atMs = failures.lastAtMs + pauseMsAfter(failures.count);
  return atMs > nowMs ? atMs : null;
}

function isPausing(state: MoveState, nowMs: number): boolean {
  return pauseEndsAtMs(state, nowMs) !== null;
}

function unreachable(value: never): never {
  throw new Error(`no decision for ${JSON.stringify(value)}`);
}
