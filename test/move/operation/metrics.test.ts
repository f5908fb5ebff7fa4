import { expect, test } from 'vitest';
import { copyMetrics } from '../../../src/core/move/operation/metrics.ts';
import { madeCopyStatus } from '../../made/copy-status.ts';

test('tells bytes, records, lag, headroom before retention and states, one line each', () => {
  const lines = copyMetrics(madeCopyStatus({ rate: 1000 })).split('\n');
  const one = 'operation="copy-1",topic="orders",partition="0"';
  for (const line of [
    'drover_copy_bytes_total{operation="copy-1"} 5000',
    'drover_copy_records_total{operation="copy-1"} 50',
    'drover_copy_rate_limit_bytes_per_second{operation="copy-1"} 1000',
    'drover_copy_held{operation="copy-1"} 0',
    'drover_copy_stage{operation="copy-1",state="copying"} 1',
    'drover_copy_stage{operation="copy-1",state="copied"} 0',
    `drover_copy_partition_lag_offsets{${one}} 50`,
    `drover_copy_partition_retention_headroom_offsets{${one}} 40`,
    `drover_copy_partition_state{${one},state="copying"} 1`,
    `drover_copy_partition_state{${one},state="damaged"} 0`,
  ])
    expect(lines).toContain(line);
  const names = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
  expect(new Set(names).size).toBe(names.length);
});

test('what is not known has no line, and is not zero', () => {
  const [partition] = madeCopyStatus().partitions;
  if (partition === undefined) throw new Error('there is one');
  const text = copyMetrics(madeCopyStatus({ partitions: [{ ...partition, ends: null, end: null }] }));
  for (const name of ['rate_limit', 'lag_offsets', 'headroom']) expect(text).not.toContain(name);
});
