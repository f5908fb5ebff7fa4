import { describe, expect, test } from 'vitest';
import type { DiskFacts } from '../../src/core/move/cluster-facts.ts';
import { diskRoom } from '../../src/core/move/disk-room.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';

function disk(broker: number, ...usable: readonly (number | null)[]): DiskFacts {
  const directories = usable.map((usableBytes, index) => ({
    path: `/data-${index}`,
    totalBytes: usableBytes === null ? null : 10_000,
    usableBytes,
  }));
  return { broker, told: known({ directories, replicas: [] }) };
}

describe('room on the disks of the target', () => {
  test('is needed for every replica and a fifth more, evenly over the brokers', () => {
    const partitions = [
      { bytes: 100, replicationFactor: 3 },
      { bytes: 200, replicationFactor: 3 },
    ];
    const rooms = diskRoom([disk(1, 400), disk(2, 359), disk(3, 360)], partitions);
    expect(rooms.map(({ neededBytes, verdict }) => [neededBytes, verdict])).toEqual([
      [360, 'fits'],
      [360, 'does not fit'],
      [360, 'fits'],
    ]);
  });

  test('is no less than the largest partition, in one directory', () => {
    const rooms = diskRoom([disk(1, 700, 700), disk(2, 2000)], [{ bytes: 1000, replicationFactor: 1 }]);
    expect(rooms.map(({ neededBytes, verdict }) => [neededBytes, verdict])).toEqual([
      [1200, 'does not fit'],
      [1200, 'fits'],
    ]);
    expect(rooms[0]?.why).toContain('no single directory');
  });

  test('is unknown where nobody tells, and never taken for enough or for none', () => {
    const rooms = diskRoom(
      [disk(1, null), { broker: 2, told: unknown('denied') }],
      [{ bytes: 1, replicationFactor: 1 }],
    );
    expect(rooms.map(({ verdict, usableBytes }) => [verdict, usableBytes])).toEqual([
      ['unknown', null],
      ['unknown', null],
    ]);
    expect(rooms.map(({ why }) => why)).toEqual([expect.stringContaining('before 3.3'), 'denied']);
  });
});
