import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { LedgerLine, SentLine } from '../../../src/core/move/ledger-lines.ts';
import { ledgerFolder, producerIdOf } from '../../../src/io/kafka/child/ledger-place.ts';
import { lookAtLedger, readLedger } from '../../../src/io/kafka/child/look-at-ledger.ts';
import { PartitionLedger } from '../../../src/io/kafka/ledger/partition-ledger.ts';
import { SegmentFolder } from '../../../src/io/kafka/ledger/segment-folder.ts';

const key = {
  sourceCluster: 'old',
  sourceTopicId: 'one',
  targetCluster: 'new',
  targetTopicId: 'two',
  partition: 3,
};
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('a ledger that is read beside whoever writes it', () => {
  test('has the lines that stand, also where a later segment has made earlier ones void', () => {
    const state = stateDirectory();
    const ledger = open(state, 200);
    const lines: LedgerLine[] = [];
    for (let from = 10; from < 200; from += 10) {
      const line = sent(from);
      ledger.append(line);
      lines.push(line);
    }
    // Far enough back to be in a segment before the last.
    ledger.voidFrom({ source: 60, target: 50 });
    ledger.append({ kind: 'left', from: 60, to: 75, why: 'aborted' });
    const after = { ...sent(75), target: 50 };
    ledger.append(after);
    ledger.close();
    const read = readLedger(state, 'orders', key);
    const expected = [...lines.filter(({ to }) => to <= 60), { kind: 'left', from: 60, to: 75, why: 'aborted' }, after];
    expect([...(read?.lines ?? [])]).toEqual(expected);
    expect(lookAtLedger(state, 'orders', key)).toEqual({
      begin: { source: 10, target: 0 },
      end: { source: 85, target: 60 },
    });
  });

  test('is none where nothing was copied, and is not taken for that of another topic of its name', () => {
    const state = stateDirectory();
    expect(lookAtLedger(state, 'orders', key)).toBeNull();
    open(state).close();
    expect(lookAtLedger(state, 'orders', key)).toEqual({
      begin: { source: 10, target: 0 },
      end: { source: 10, target: 0 },
    });
    for (const other of ['sourceCluster', 'sourceTopicId', 'targetCluster', 'targetTopicId'] as const)
      expect(lookAtLedger(state, 'orders', { ...key, [other]: 'another' })).toBeNull();
  });
});

test('a producer id is the same for the same copy, another one for any other, and none that a cluster gives', () => {
  const others = [
    ...(['sourceCluster', 'sourceTopicId', 'targetCluster', 'targetTopicId'] as const).map((part) => ({
      ...key,
      [part]: 'x',
    })),
    ...[0, 1, 2, 4].map((partition) => ({ ...key, partition })),
    // What is between the parts counts.
    { ...key, sourceCluster: 'ol', sourceTopicId: 'done' },
  ];
  const ids = [key, ...others].map(producerIdOf);
  expect(producerIdOf({ ...key })).toBe(ids[0]);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id >= 2n ** 62n && id < 2n ** 63n).toBe(true);
});

function stateDirectory(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-ledger-'));
  folders.push(folder);
  return folder;
}

function open(state: string, segmentBytesMax?: number): PartitionLedger {
  const files = new SegmentFolder(ledgerFolder(join(state, 'copies'), 'orders', key));
  return new PartitionLedger(files, key, { source: 10, target: 0 }, segmentBytesMax);
}

function sent(from: number): SentLine {
  return { kind: 'sent', from, to: from + 10, target: from - 10, count: 10, checksum: from, kept: null };
}
