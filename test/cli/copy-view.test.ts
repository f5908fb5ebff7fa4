import { describe, expect, test } from 'vitest';
import { copyLines, openMeter } from '../../src/cli/kafka/copy/view.ts';
import type { CopyStatus } from '../../src/core/move/operation/status.ts';
import { madeCopyStatus } from '../made/copy-status.ts';

const long = 'kafka-1.old.example.com:9092,kafka-2.old.example.com:9092,kafka-3.old.example.com:9092';

describe.each([80, 120])('the live block in %i columns', (columns) => {
  test('cuts nothing off, neither the target, the rate, the time to go, nor why it is held', () => {
    const why =
      'broker 2 of the target has 3.0 GB left in /var/lib/kafka/data, and 5.0 GB are to stay free (--disk-floor)';
    const told = { source: long, target: 'new:9092', rate: 60e6, offsets: 9e6, records: 5e6, bytes: 5e9 };
    const running = linesAfter10s({ ...told, offsetsDone: 5e6 }, columns);
    expect(Math.max(...running.map((line) => line.length))).toBeLessThanOrEqual(columns);
    const text = running.map((line) => line.trim()).join(' ');
    for (const words of ['→ new:9092', '55 %', 'at most 60.0 MB/s', '4,000,000 offsets behind', 'to go at this speed'])
      expect(text).toContain(words);
    const held = linesAfter10s({ ...told, offsetsDone: 5e6, held: { by: 'drover', why } }, columns);
    expect(held.map((line) => line.trim()).join(' ')).toContain(why);
    expect(held.join(' ')).not.toContain('to go at this speed');
  });

  test('tells the partition that retention has come nearest to, and none that is far away or done', () => {
    const [one] = madeCopyStatus().partitions;
    if (one === undefined) throw new Error('there is one');
    const ends = { logStart: 1000, lastStable: 11_000, highWatermark: 11_000 };
    const near = { ...one, partition: 1, source: 1400, ends };
    const far = { ...one, partition: 2, source: 9000, ends };
    const done = { ...one, partition: 3, source: 1001, ends, state: 'done' as const };
    const text = linesAfter10s({ partitions: [one, near, far, done] }, columns).join('\n');
    expect(text).toContain('retention: orders-1 is 400 offsets ahead of what the source has deleted');
    expect(linesAfter10s({ partitions: [one, far, done] }, columns).join('\n')).not.toContain('retention');
  });
});

function linesAfter10s(more: Partial<CopyStatus>, columns: number): string[] {
  let atMs = 0;
  const meter = openMeter({ monotonic: () => atMs });
  const status = madeCopyStatus(more);
  meter.add({ ...status, bytes: 0, offsetsDone: 0 });
  atMs = 10_000;
  meter.add(status);
  return copyLines(status, meter, columns);
}
