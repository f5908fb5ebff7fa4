import type { Condition, MoverFigures, PartitionTold, TargetRange } from '../../../core/move/operation/told.ts';
import type { Refusal } from '../../../core/move/writer.ts';
import type { PartitionLedger } from '../ledger/partition-ledger.ts';
import type { MoverEvent } from '../mover/events.ts';
import type { MovedPartition } from '../mover/moved-partition.ts';
import type { Mover } from '../mover/mover.ts';

/** A partition, the ledger that only it has, and what it has told of the target that somebody has to know. */
export type Moved = {
  readonly partition: MovedPartition;
  readonly ledger: PartitionLedger;
  readonly unproven: TargetRange[];
  readonly lost: TargetRange[];
};

/** Keeps what would be forgotten; false: there was nothing to keep. */
export function keep({ unproven, lost }: Moved, event: MoverEvent): boolean {
  if (event.kind === 'unproven')
    unproven.push(...event.lines.map(({ target, count }) => ({ from: target, to: target + count })));
  else if (event.kind === 'lost') lost.push({ from: event.targetFrom, to: event.targetTo });
  else return false;
  return true;
}

/** What a mover tells of itself. */
export function figuresOf(mover: Mover, moved: readonly Moved[], isHeld: boolean, nowMs: number): MoverFigures {
  const bytes = moved.reduce((sum, { partition }) => sum + mover.progressOf(partition).bytes, 0);
  return { isHeld, bytes, partitions: moved.map((one) => partitionTold(mover, one, nowMs)) };
}

function partitionTold(mover: Mover, { partition, ledger, unproven, lost }: Moved, nowMs: number): PartitionTold {
  const { topic, partition: number } = partition.plan;
  return {
    topic,
    partition: number,
    settled: partition.writer.settled,
    account: ledger.account,
    segment: ledger.segment,
    source: partition.view,
    condition: conditionOf(mover, partition, nowMs),
    unproven,
    lost,
  };
}

function conditionOf(mover: Mover, partition: MovedPartition, nowMs: number): Condition {
  const { phase } = partition.writer;
  if (phase.kind === 'damaged') return { kind: 'damaged', damage: phase.damage };
  if (phase.kind === 'refused') {
    const why = `${refusals[phase.refusal]}${phase.words === null ? '' : ` (${phase.words})`}`;
    if (!mover.isRefusedForNow(partition)) return { kind: 'stopped', why };
    return {
      kind: 'waiting',
      why: `${why}; it is tried again`,
      sinceMs: mover.waiting.get(partition)?.sinceMs ?? nowMs,
    };
  }
  const stopped = mover.stopped.get(partition);
  if (stopped !== undefined) return { kind: 'stopped', why: stopped };
  if (partition.isDone) return { kind: 'done' };
  const waiting = mover.waiting.get(partition);
  return waiting === undefined ? { kind: 'copying' } : { kind: 'waiting', ...waiting };
}

const refusals: Readonly<Record<Refusal, string>> = {
  fenced: 'the target says that somebody else writes this copy, with a newer epoch: is another controller at it?',
  corrupt:
    'the target says that a batch is corrupt, each time that it is fetched and sent: it is corrupt on the source',
  'too-large': 'a batch is larger than max.message.bytes of the topic on the target: make it larger there',
  timestamp: 'the target refuses the times of records: see message.timestamp.* of the topic there',
  invalid: 'the target says that a batch is invalid for this topic: see its cleanup.policy and message format',
  denied:
    'the user may not write to the topic on the target: it needs Write on it, and IdempotentWrite on the cluster before 2.8',
  gone: 'the source does not have any more what was handed to the target',
};
