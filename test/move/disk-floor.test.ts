import { expect, test } from 'vitest';
import { underFloor } from '../../src/core/move/disk-floor.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';

const disk = (broker: number, usableBytes: number | null, totalBytes: number | null) => ({
  broker,
  told: known({ directories: [{ path: `/data-${broker}`, totalBytes, usableBytes }], replicas: [] }),
});

test('a disk is below the floor by its share, by its bytes, and neither where nobody tells', () => {
  const disks = [disk(1, 4, 100), disk(2, 6, 100), disk(3, null, null), { broker: 4, told: unknown('no answer') }];
  const low = { broker: 1, path: '/data-1', usableBytes: 4, floorBytes: 5 };
  const byShare = underFloor(disks, { kind: 'share', share: 0.05 });
  expect(byShare.below).toEqual([low]);
  expect(byShare.unknown.map(({ broker }) => broker)).toEqual([3, 4]);
  expect(underFloor(disks, { kind: 'bytes', bytes: 7 }).below.map(({ broker }) => broker)).toEqual([1, 2]);
  // The size of the disk is not needed for that.
  expect(underFloor([disk(5, 3, null)], { kind: 'bytes', bytes: 7 }).below).toHaveLength(1);
  expect(underFloor(disks, { kind: 'share', share: 0 }).below).toEqual([]);
});
