import type { Rate } from './events.ts';
import type { MoveObservation } from './observation.ts';
import { type PlannedPartition, partitionName } from './plan.ts';
import type { MoveStage, MoveState } from './state.ts';
import type { MoverTold, PartitionTold, SourceEnds } from './told.ts';

/** A copy as a person or a program is shown it. JSON values only. */
export type CopyStatus = {
  readonly operation: string;
  readonly stage: MoveStage['kind'];
  readonly stageSinceMs: number;
  readonly source: string;
  readonly target: string;
  readonly topics: readonly string[];
  readonly follow: boolean;
  readonly rate: Rate;
  readonly held: { readonly by: string; readonly why: string } | null;
  /** All requests are settled; null: not known, as no mover tells. */
  readonly isSettled: boolean | null;
  /** What the mover is at; `none` where none runs. */
  readonly mover: MoverTold['kind'];
  /** Bytes appended to the target by this operation. */
  readonly bytes: number;
  readonly records: number;
  /** Offsets of the source: all that are to be accounted for, and those that are. With `follow` all that there are now. */
  readonly offsets: number;
  readonly offsetsDone: number;
  readonly partitions: readonly PartitionStatus[];
  /** Of the mover's last end by itself, where it has not copied since; null: it has. */
  readonly failure: string | null;
  readonly unproven: number;
  readonly leversLeft: readonly string[];
};

export type PartitionStatus = {
  readonly topic: string;
  readonly partition: number;
  /** Next offsets: of the source to be copied, and of the target to be written. */
  readonly source: number;
  readonly target: number;
  readonly end: number | null;
  readonly ends: SourceEnds | null;
  readonly state: 'copying' | 'waiting' | 'done' | 'damaged' | 'stopped';
  readonly why: string | null;
};

/** `observation` null: no controller looks. */
export function copyStatus(state: MoveState, observation: MoveObservation | null): CopyStatus {
  const told = observation?.mover ?? { kind: 'none' };
  const figures = told.kind === 'running' || told.kind === 'done' ? told : null;
  const partitions = state.plan.topics.flatMap(({ name, partitions }) =>
    partitions.map((planned) => {
      const one = figures?.partitions.find(({ topic, partition }) => topic === name && partition === planned.partition);
      return partitionStatus(state, name, planned, one);
    }),
  );
  const accounts = partitions.map(({ account }) => account);
  const { plan } = state;
  return {
    operation: state.operation,
    stage: state.stage.kind,
    stageSinceMs: state.stageSinceMs,
    source: plan.source.bootstrap,
    target: plan.target.bootstrap,
    topics: plan.topics.map(({ name }) => name),
    follow: plan.asked.follow,
    rate: state.rate,
    held: state.held,
    isSettled: figures?.isHeld ?? null,
    mover: told.kind,
    bytes: figures === null ? state.bytes : state.bytesBefore + figures.bytes,
    records: accounts.reduce((sum, account) => sum + (account?.copied ?? 0), 0),
    offsets: partitions.reduce((sum, { status, begin }) => sum + (endOf(status) - begin), 0),
    offsetsDone: partitions.reduce((sum, { status, begin }) => sum + (status.source - begin), 0),
    partitions: partitions.map(({ status }) => status),
    failure: state.failures.count > 0 ? state.failures.lastWords : null,
    unproven: state.unproven.length,
    leversLeft: state.leversLeft,
  };
}

/** Where a partition ends for now. */
function endOf({ end, ends, source }: PartitionStatus): number {
  return Math.max(source, end ?? ends?.highWatermark ?? source);
}

function partitionStatus(state: MoveState, topic: string, planned: PlannedPartition, told: PartitionTold | undefined) {
  const { partition, begin, end } = planned;
  const name = partitionName({ topic, partition });
  const mark = told ?? state.marks[name];
  const { source, target } = mark?.settled ?? begin;
  const stopped = state.stopped[name];
  const isOver = state.stage.kind === 'copied' || (end !== null && source >= end);
  const journalled: Pick<PartitionStatus, 'state' | 'why'> =
    stopped === undefined
      ? { state: isOver ? 'done' : 'copying', why: null }
      : { state: stopped.isDamage ? 'damaged' : 'stopped', why: stopped.why };
  const status: PartitionStatus = {
    ...{ topic, partition, source, target, end, ends: told?.source ?? null },
    ...(told === undefined || stopped !== undefined ? journalled : conditionStatus(told)),
  };
  return { status, begin: begin.source, account: mark?.account ?? null };
}

function conditionStatus({ condition }: PartitionTold): Pick<PartitionStatus, 'state' | 'why'> {
  switch (condition.kind) {
    case 'copying':
    case 'done':
      return { state: condition.kind, why: null };
    case 'waiting':
    case 'stopped':
      return { state: condition.kind, why: condition.why };
    case 'damaged':
      return { state: 'damaged', why: condition.damage.what };
    default:
      return unreachable(condition);
  }
}

/** Nothing is left to be copied but what open transactions hold back; null: something else is. */
export function heldBackBy({ partitions, mover }: CopyStatus): readonly PartitionStatus[] | null {
  if (mover !== 'running') return null;
  const open = partitions.filter(({ state }) => state === 'copying' || state === 'waiting');
  const isHeldBack = ({ end, ends, source }: PartitionStatus) =>
    ends !== null && end !== null && ends.lastStable < end && source >= ends.lastStable;
  return open.length > 0 && open.every(isHeldBack) ? open : null;
}

function unreachable(value: never): never {
  throw new Error(`no words for ${JSON.stringify(value)}`);
}
