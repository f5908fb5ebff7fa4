import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LedgerLine } from '../../../src/core/move/ledger-lines.ts';
import { AdoptedLedger, placeAdoptedLedger } from '../../../src/io/kafka/child/adopted-ledger.ts';
import { ledgerFolder } from '../../../src/io/kafka/child/ledger-place.ts';
import { lookAtLedger, readLedger } from '../../../src/io/kafka/child/look-at-ledger.ts';
import { PartitionLedger } from '../../../src/io/kafka/ledger/partition-ledger.ts';
import { SegmentFolder } from '../../../src/io/kafka/ledger/segment-folder.ts';
import { directoryForEach } from '../../made/context.ts';

const key = { sourceCluster: 'A', sourceTopicId: 'a', targetCluster: 'B', targetTopicId: 'b', partition: 0 };
const begin = { source: 5, target: 0 };
const lines: readonly LedgerLine[] = [
  { kind: 'sent', from: 5, to: 8, target: 0, count: 3, checksum: 1, kept: null },
  { kind: 'left', from: 8, to: 9, why: 'control' },
  { kind: 'sent', from: 9, to: 11, target: 3, count: 2, checksum: 2, kept: null, isRebuilt: true },
];
const directory = directoryForEach();

describe('a ledger that is made of what stands on both sides', () => {
  test('is found by nobody before it is put in its place, and is whole then', () => {
    made();
    expect(lookAtLedger(directory.path, 'orders', key)).toBeNull();
    placeAdoptedLedger(directory.path, 'orders', key, begin);
    expect(lookAtLedger(directory.path, 'orders', key)).toEqual({ begin, end: { source: 11, target: 5 } });
    expect([...(readLedger(directory.path, 'orders', key)?.lines ?? [])]).toEqual(lines);
    const opened = new PartitionLedger(new SegmentFolder(place()), key, begin);
    expect(opened.epoch).toBe(107);
    expect(opened.sourceEpoch).toBe(4);
    opened.close();
  });

  test('may be put in its place again, as after a crash in the middle, and takes the place of no ledger', () => {
    made();
    placeAdoptedLedger(directory.path, 'orders', key, begin);
    placeAdoptedLedger(directory.path, 'orders', key, begin);
    const before = lookAtLedger(directory.path, 'orders', key);
    const other = new AdoptedLedger(directory.path, 'orders', key);
    other.append({ line: { ...lines[0], from: 0, to: 3 } as LedgerLine, epoch: null }, { source: 0, target: 0 });
    other.finish(1);
    placeAdoptedLedger(directory.path, 'orders', key, begin);
    expect(lookAtLedger(directory.path, 'orders', key)).toEqual(before);
  });

  test('that was not finished is thrown away by the next attempt, and one that is discarded leaves nothing', () => {
    const first = new AdoptedLedger(directory.path, 'orders', key);
    first.append(
      { line: { kind: 'sent', from: 0, to: 9, target: 0, count: 9, checksum: 9, kept: null }, epoch: 1 },
      { source: 0, target: 0 },
    );
    made();
    placeAdoptedLedger(directory.path, 'orders', key, begin);
    expect(lookAtLedger(directory.path, 'orders', key)?.begin).toEqual(begin);
    const third = new AdoptedLedger(directory.path, 'clicks', key);
    third.append({ line: lines[0] as LedgerLine, epoch: 1 }, begin);
    third.discard();
    expect(lookAtLedger(directory.path, 'clicks', key)).toBeNull();
    const folder = join(directory.path, 'copies');
    expect(
      readdirSync(folder).filter((name) => name.startsWith('clicks') && existsSync(join(folder, name, '0'))),
    ).toEqual([]);
  });

  test('of a partition that held nothing is empty, and above the epochs that may have been begun in vain', () => {
    const at = { source: 40, target: 7 };
    placeAdoptedLedger(directory.path, 'orders', key, at);
    placeAdoptedLedger(directory.path, 'orders', key, begin);
    expect(lookAtLedger(directory.path, 'orders', key)).toEqual({ begin: at, end: at });
    const opened = new PartitionLedger(new SegmentFolder(place()), key, at);
    expect(opened.epoch).toBe(100);
    opened.close();
  });
});

function made(): void {
  const ledger = new AdoptedLedger(directory.path, 'orders', key);
  for (const line of lines) ledger.append({ line, epoch: 4 }, begin);
  ledger.finish(107);
}

function place(): string {
  return ledgerFolder(join(directory.path, 'copies'), 'orders', key);
}
