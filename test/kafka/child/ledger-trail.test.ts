import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { LedgerLine, SentLine } from '../../../src/core/move/ledger-lines.ts';
import { Accounting } from '../../../src/core/move/proof/accounting.ts';
import { Findings } from '../../../src/core/move/proof/finding.ts';
import type { TrailItem } from '../../../src/core/move/proof/trail.ts';
import { ledgerFolder } from '../../../src/io/kafka/child/ledger-place.ts';
import { openTrail } from '../../../src/io/kafka/child/ledger-trail.ts';
import { PartitionLedger } from '../../../src/io/kafka/ledger/partition-ledger.ts';
import { SegmentFolder } from '../../../src/io/kafka/ledger/segment-folder.ts';

const key = { sourceCluster: 'old', sourceTopicId: 'one', targetCluster: 'new', targetTopicId: 'two', partition: 3 };
const begin = { source: 10, target: 0 };
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('the ledger of a proof', () => {
  test('has the lines that are not void, and which of them were never compared, and adds up over its segments', () => {
    const { state, ledger } = written(20);
    ledger.append(sent(210), false);
    // Far enough back to be in a segment before the last.
    ledger.voidFrom({ source: 60, target: 50 });
    const last = { ...sent(60), isRebuilt: true } as const;
    ledger.append(last);
    ledger.append({ ...sent(70), kept: null }, false);
    ledger.close();
    const { items, told } = read(state);
    const lines = items.flatMap((item) => (item.kind === 'line' ? [item] : []));
    expect(lines.map(({ line }) => line)).toEqual([...[10, 20, 30, 40, 50].map(sent), last, sent(70)]);
    expect(lines.map(({ isProven }) => isProven)).toEqual([true, true, true, true, true, true, false]);
    expect(findingsOf(items)).toEqual([]);
    expect(told?.segments).toBe(readdirSync(folderOf(state)).length);
    expect(told?.end).toEqual({ source: 80, target: 70 });
  });

  test('a write that was cut off at the end is told, and is none in the middle', () => {
    const { state, ledger } = written(60);
    ledger.close();
    const names = readdirSync(folderOf(state)).sort();
    cut(state, names.at(-1) ?? '', 3);
    expect(tornOf(read(state).items)).toMatchObject([{ segment: names.at(-1), isLast: true }]);
    cut(state, names[1] ?? '', 3);
    const { items } = read(state);
    expect(tornOf(items)[0]).toMatchObject({ segment: names[1], isLast: false });
    // By the hash in the next one's head as well, and by the line that is missing.
    expect(brokenOf(items)).toHaveLength(1);
    expect(findingsOf(items)).toContain('ledger-gap');
  });

  test('a segment that is missing, one that was changed, and one of another copy break the chain', () => {
    const { state, ledger } = written(60);
    ledger.close();
    const folder = folderOf(state);
    const [, second = '', third = ''] = readdirSync(folder).sort();
    const kept = `${folder}/${second}`;
    copyFileSync(kept, join(state, 'kept'));
    rmSync(kept);
    const without = read(state).items;
    expect(brokenOf(without).join()).toContain('it is segment 3, and 2 was to come');
    expect(findingsOf(without)).toContain('ledger-gap');
    copyFileSync(join(state, 'kept'), kept);
    expect(brokenOf(read(state).items)).toEqual([]);
    const bytes = readFileSync(join(folder, third));
    writeFileSync(join(folder, third), Buffer.from(bytes.toString('latin1').replace('"two"', '"few"'), 'latin1'));
    expect(brokenOf(read(state).items).join()).toContain('it is of another copy');
  });

  test('is none where nothing was copied', () => {
    expect(openTrail(stateDirectory(), 'orders', key)).toBeNull();
  });

  test('one that was begun, and no more, when the machine lost its power is passed over', () => {
    const { state, ledger } = written(4);
    ledger.close();
    writeFileSync(join(folderOf(state), '00000009.segment'), '{"version":1');
    expect(brokenOf(read(state).items)).toEqual([]);
  });
});

function read(state: string) {
  const told = openTrail(state, 'orders', key);
  return { told, items: [...(told?.items() ?? [])] };
}

/** Kinds of what does not add up. */
function findingsOf(items: readonly TrailItem[]): string[] {
  const findings = new Findings();
  const accounting = new Accounting(begin, findings);
  for (const item of items)
    if (item.kind === 'segment') accounting.expect(item);
    else if (item.kind === 'line') accounting.add(item.line);
  accounting.close();
  return findings.listed.map(({ kind }) => kind);
}

function tornOf(items: readonly TrailItem[]) {
  return items.filter(({ kind }) => kind === 'torn');
}

function brokenOf(items: readonly TrailItem[]): string[] {
  return items.flatMap((item) => (item.kind === 'segment' ? (item.broken ?? []) : []));
}

function cut(state: string, name: string, bytes: number): void {
  const path = join(folderOf(state), name);
  writeFileSync(path, readFileSync(path).subarray(0, -bytes));
}

/** Segments of a few lines each. */
function written(count: number): { readonly state: string; readonly ledger: PartitionLedger } {
  const state = stateDirectory();
  const ledger = new PartitionLedger(new SegmentFolder(folderOf(state)), key, begin, 460);
  const lines: LedgerLine[] = Array.from({ length: count }, (_, index) => sent(10 + 10 * index));
  for (const line of lines) ledger.append(line);
  return { state, ledger };
}

function folderOf(state: string): string {
  return ledgerFolder(join(state, 'copies'), 'orders', key);
}

function stateDirectory(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-trail-'));
  folders.push(folder);
  return folder;
}

function sent(from: number): SentLine {
  return { kind: 'sent', from, to: from + 10, target: from - 10, count: 10, checksum: from, kept: null };
}
