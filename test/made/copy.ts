import type { Entry } from '../../src/core/journal/entry.ts';
import { emptyAccount } from '../../src/core/move/account.ts';
import type { MoveEvent } from '../../src/core/move/operation/events.ts';
import type { MoveObservation, TopicFound } from '../../src/core/move/operation/observation.ts';
import type { CopyPlan } from '../../src/core/move/operation/plan.ts';
import { foldMove, type MoveState } from '../../src/core/move/operation/state.ts';
import type { MoverTold, PartitionTold } from '../../src/core/move/operation/told.ts';
import { settings } from './topics.ts';

/** One topic that is to be made, with one partition of a hundred offsets, and one lever. */
export function madeCopyPlan(more: Partial<CopyPlan> = {}): CopyPlan {
  return {
    source: { clusterId: 'old-cluster', bootstrap: 'old:9092', configFile: null },
    target: { clusterId: 'new-cluster', bootstrap: 'new:9092', configFile: null },
    asked: { topics: 'orders', exclude: null, from: 'earliest', follow: false },
    topics: [
      {
        name: 'orders',
        sourceId: 'source-id',
        targetId: null,
        make: { partitions: 1, replicationFactor: 1, settings: { 'retention.ms': '1000' } },
        grow: null,
        changes: [],
        partitions: [{ partition: 0, begin: { source: 0, target: 0 }, logStart: 0, end: 100 }],
      },
    ],
    levers: [{ topic: 'orders', key: 'retention.ms', before: '1000', whileCopying: '-1' }],
    ...more,
  };
}

export function madeFound(retention: string, more: Partial<TopicFound> = {}): TopicFound {
  const found = settings({}, { 'retention.ms': retention });
  return { topicId: 'target-id', partitions: 1, settings: found, holdings: null, ...more };
}

export const absent: TopicFound = { topicId: null, partitions: 0, settings: null, holdings: null };

export function madeTold(settled: number, more: Partial<PartitionTold> = {}): PartitionTold {
  return {
    topic: 'orders',
    partition: 0,
    settled: { source: settled, target: settled },
    account: { ...emptyAccount(0), to: settled, copied: settled },
    segment: { ordinal: 1, previous: null },
    source: { logStart: 0, lastStable: 100, highWatermark: 100 },
    condition: settled < 100 ? { kind: 'copying' } : { kind: 'done' },
    unproven: [],
    lost: [],
    ...more,
  };
}

export function madeRunning(...partitions: PartitionTold[]): MoverTold {
  return { kind: 'running', isHeld: false, bytes: 1000, partitions };
}

export function madeMoveObservation(more: Partial<MoveObservation> = {}): MoveObservation {
  return {
    nowMs: 1_000_000,
    requests: [],
    mover: { kind: 'none' },
    topics: null,
    acls: null,
    made: {},
    quietAtMs: 0,
    ...more,
  };
}

/** An entry every five seconds: later than any broker lags behind another. */
export function chainOfCopy(events: readonly MoveEvent[]): Entry[] {
  return events.map((body, index) => {
    const [seq, at] = [index + 1, 1_000_000 + index * 5000];
    return { operation: 'copy-1', seq, previous: '', hash: '', rules: 1, atMs: at, actor: 'kim', body };
  });
}

export function foldedCopy(events: readonly MoveEvent[]): MoveState {
  const state = chainOfCopy(events).reduce<MoveState | null>(foldMove, null);
  if (state === null) throw new Error('a copy begins with its first entry');
  return state;
}

/** Of the last entry. */
export function chainTimeMs(events: readonly MoveEvent[]): number {
  return 1_000_000 + (events.length - 1) * 5000;
}
