import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { differenceOf } from '../../bench/kafka/copied.ts';
import { keyOf } from '../../bench/kafka/ledger-key.ts';
import { cpuSeconds, peakMib, residentMib } from '../../bench/kafka/process-use.ts';
import { rows } from '../../bench/kafka/rows.ts';
import { scaled } from '../../bench/kafka/samples.ts';
import { writeLedger } from '../../bench/kafka/synthetic-ledger.ts';
import { PartitionLedger } from '../../src/io/kafka/ledger/partition-ledger.ts';
import { SegmentFolder } from '../../src/io/kafka/ledger/segment-folder.ts';
import { Random } from '../../src/sim/random.ts';

describe('MirrorMaker 2 is measured while it copies', () => {
  test('an expensive start and a slow end leave its figures as they were', () => {
    const samples = [
      { part: 0, atSeconds: 0, cpuSeconds: 0, targetCpuSeconds: 0 },
      { part: 0, atSeconds: 60, cpuSeconds: 100, targetCpuSeconds: 5 },
      { part: 0.4, atSeconds: 70, cpuSeconds: 120, targetCpuSeconds: 6 },
      { part: 0.6, atSeconds: 72, cpuSeconds: 124, targetCpuSeconds: 7 },
      { part: 0.95, atSeconds: 75.5, cpuSeconds: 131, targetCpuSeconds: 8.75 },
      { part: 1, atSeconds: 500, cpuSeconds: 900, targetCpuSeconds: 90 },
    ];
    const { seconds, cpuSeconds: cpu, targetCpuSeconds } = scaled(samples);
    expect([seconds, cpu, targetCpuSeconds].map((value) => Number(value.toFixed(6)))).toEqual([10, 20, 5]);
  });

  test('a copy of which nobody saw the middle has no figures', () => {
    expect(() => scaled([])).toThrow('no samples around 0.5');
  });
});

describe('a copy is no figure', () => {
  const batch = { at: 0, records: 3, bytes: 900, codec: 3, times: '1 2', checksum: 7 };
  const given = [batch, { ...batch, at: 3 }];

  test('with the same batches there is nothing to say', () => {
    expect(differenceOf(given, structuredClone(given))).toBeNull();
  });

  test.each(['at', 'records', 'bytes', 'codec', 'checksum'] as const)('with another %s in a batch', (what) => {
    expect(differenceOf(given, [batch, { ...batch, at: 3, [what]: 99 }])).toMatch(/^batch 1 is .* and not /);
  });

  test('with a batch less, or one twice', () => {
    expect(differenceOf(given, [batch])).toBe('1 batches and not 2');
    expect(differenceOf(given, [...given, batch])).toBe('3 batches and not 2');
  });
});

test('a ledger that was made for a restart is one to the product: where it ends, what was copied, and the last batches', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const last = {
    kind: 'sent',
    from: 200_000,
    to: 200_005,
    target: 200_000,
    count: 5,
    checksum: 9,
    kept: null,
  } as const;
  const bytes = writeLedger(folder, keyOf('a', 0), 100_000, 2, new Random(1), [last]);
  const ledger = new PartitionLedger(new SegmentFolder(folder), keyOf('a', 0), { source: 0, target: 0 });
  onTestFinished(() => ledger.close());
  expect(ledger.end).toEqual({ source: 200_005, target: 200_005 });
  expect(ledger.account.copied).toBe(200_005);
  expect(ledger.lastSent(2).map(({ from, count }) => [from, count])).toEqual([
    [199_998, 2],
    [200_000, 5],
  ]);
  expect(bytes).toBeGreaterThan(100_000 * 8);
});

test('what a process takes is read as the process itself knows it', () => {
  const { user, system } = process.cpuUsage();
  expect(Math.abs(cpuSeconds(process.pid) - (user + system) / 1e6)).toBeLessThan(1);
  expect(peakMib(process.pid)).toBeGreaterThanOrEqual(residentMib(process.pid) / 2);
  expect(() => peakMib(2 ** 22 + 1)).toThrow();
});

test('every case has a name of its own, and a usual one a goal', () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  expect(rows.filter(({ isUsual, goal }) => isUsual && goal === null)).toEqual([]);
});
