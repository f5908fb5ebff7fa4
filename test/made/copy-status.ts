import type { CopyStatus } from '../../src/core/move/operation/status.ts';

/** One partition of a hundred offsets, half of them copied. */
export function madeCopyStatus(more: Partial<CopyStatus> = {}): CopyStatus {
  const ends = { logStart: 10, lastStable: 100, highWatermark: 100 };
  return {
    ...{ operation: 'copy-1', stage: 'copying', stageSinceMs: 1_000_000, source: 'old:9092', target: 'new:9092' },
    ...{ topics: ['orders'], follow: false, rate: null, held: null, isSettled: false, mover: 'running' },
    ...{ bytes: 5000, records: 50, offsets: 100, offsetsDone: 50, failure: null, unproven: 0, leversLeft: [] },
    partitions: [
      { topic: 'orders', partition: 0, source: 50, target: 50, end: 100, ends, state: 'copying', why: null },
    ],
    ...more,
  };
}
