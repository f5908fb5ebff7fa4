import { describe, expect, test } from 'vitest';
import { copyTime, olderShare } from '../../src/core/move/copy-time.ts';

const fast = { bytes: 600, slowBytes: 0, batchBytes: 100 };

describe('how long a copy takes', () => {
  test('is bound by the busiest broker of the source, or by how many brokers the target has', () => {
    const partitions = [
      { ...fast, leader: 1 },
      { ...fast, leader: 1 },
      { ...fast, leader: 2 },
    ];
    expect(copyTime(partitions, 100, 3, 1)).toEqual({ ms: 12_000, boundBy: 'source broker' });
    expect(copyTime(partitions, 100, 1, 1)).toEqual({ ms: 18_000, boundBy: 'target brokers' });
  });

  test('is bound by round trips where batches of old records go one by one', () => {
    const slow = { leader: 1, bytes: 1000, slowBytes: 500, batchBytes: 10 };
    expect(copyTime([slow, { ...fast, leader: 2 }], 1e9, 3, 20)).toEqual({
      ms: 1000,
      boundBy: 'one request in flight',
    });
    expect(copyTime([{ ...slow, batchBytes: 0 }], 1000, 1, 20).ms).toBe(1000);
  });

  test('is nothing for nothing', () => {
    expect(copyTime([], 100, 0, 1).ms).toBe(0);
  });

  test.each([
    [0, 100, 200, 1],
    [200, 300, 200, 0],
    [100, 300, 150, 0.25],
    [100, 100, 100, 1],
  ])('of a log from %d to %d, remembered from %d, the share of %d is older', (oldest, newest, from, share) => {
    expect(olderShare(oldest, newest, from)).toBe(share);
  });
});
