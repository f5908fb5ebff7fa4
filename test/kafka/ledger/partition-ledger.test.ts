import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type LedgerLine, leftReasons, type Position, withLine } from '../../../src/core/move/ledger-lines.ts';
import { keptBits } from '../../../src/core/move/offset-map.ts';
import { PartitionLedger } from '../../../src/io/kafka/ledger/partition-ledger.ts';
import type { LedgerKey } from '../../../src/io/kafka/ledger/segment.ts';
import { SegmentFolder } from '../../../src/io/kafka/ledger/segment-folder.ts';

const key: LedgerKey = {
  sourceCluster: 'A',
  sourceTopicId: 'orders-of-a',
  targetCluster: 'B',
  targetTopicId: 'orders-of-b',
  partition: 3,
};
const begin = { source: 1000, target: 50 };
const folders: string[] = [];
/** The checksum of batches that could not be compared, in these tests. */
const unknown = 77;

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const anyBatch = fc.record(
  { count: fc.integer({ min: 1, max: 5000 }), checksum: fc.nat(0xffffffff), isRebuilt: fc.constant<true>(true) },
  { requiredKeys: ['count', 'checksum'] },
);

describe('the ledger of a partition', () => {
  test('whatever was written, made void, and opened again, is what a list of the same lines would be', () => {
    const act = fc.oneof(
      { weight: 6, arbitrary: anyBatch },
      { weight: 1, arbitrary: fc.record({ count: fc.integer({ min: 1, max: 9 }), checksum: fc.constant(unknown) }) },
      { weight: 2, arbitrary: fc.record({ bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }) }) },
      {
        weight: 2,
        arbitrary: fc.record({ left: fc.constantFrom(...leftReasons), length: fc.integer({ min: 1, max: 1e9 }) }),
      },
      { weight: 1, arbitrary: fc.record({ back: fc.integer({ min: 1, max: 8 }) }) },
      { weight: 1, arbitrary: fc.constant('reopen' as const) },
      { weight: 1, arbitrary: fc.record({ epoch: fc.nat(32767) }) },
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), fc.constantFrom(300, 460, 2000), (chosen, segmentBytesMax) => {
        const folder = newFolder();
        // Segments of a few lines, so that lines are made void over their borders.
        let ledger = new PartitionLedger(new SegmentFolder(folder), key, begin, segmentBytesMax);
        let lines: LedgerLine[] = [];
        let epoch = 0;
        const ends: Position[] = [begin];
        for (const one of chosen) {
          const at = ledger.end;
          if (one === 'reopen') {
            ledger.close();
            ledger = new PartitionLedger(new SegmentFolder(folder), key, { source: 0, target: 0 }, segmentBytesMax);
          } else if ('epoch' in one) {
            ledger.raiseEpoch(one.epoch);
            epoch = one.epoch;
          } else if ('back' in one) {
            for (let turn = 0; turn < one.back && ends.length > 1; turn++) ends.pop();
            const to = ends.at(-1) ?? begin;
            ledger.voidFrom(to);
            lines = lines.filter((line) => line.to <= to.source);
          } else {
            const line = lineAt(at, one);
            ledger.append(line, line.kind === 'left' || line.checksum !== unknown);
            lines = withLine(lines, line);
            ends.push(ledger.end);
          }
        }
        ledger.close();
        ledger = new PartitionLedger(new SegmentFolder(folder), key, { source: 0, target: 0 }, segmentBytesMax);
        expect(ledger.torn).toBeNull();
        expect(ledger.end).toEqual(ends.at(-1));
        expect(ledger.epoch).toBe(epoch);
        const sent = lines.filter((line) => line.kind === 'sent');
        expect(ledger.sentFrom(0)).toEqual({ lines: sent, isAll: true });
        expect(ledger.unproven()).toEqual(sent.filter(({ checksum }) => checksum === unknown));
        for (const count of [1, 5, 40]) expect(ledger.lastSent(count)).toEqual(sent.slice(-count));
        for (const { target } of sent) {
          const { lines: tail, isAll } = ledger.sentFrom(target);
          expect(tail).toEqual(sent.filter((line) => line.target >= target));
          expect(isAll).toBe(target === sent[0]?.target);
        }
        const { from, to, copied } = ledger.account;
        expect({ from, to }).toEqual({ from: begin.source, to: ledger.end.source });
        expect(copied).toBe(sent.reduce((sum, { count }) => sum + count, 0));
        ledger.close();
      }),
      { numRuns: 200 },
    );
  });

  test('a line that is void is not restored where the copy has gone another way since', () => {
    const ledger = new PartitionLedger(new SegmentFolder(newFolder()), key, begin);
    const first = lineAt(begin, { count: 10, checksum: 1 });
    ledger.append(first);
    const second = lineAt(ledger.end, { count: 5, checksum: 2 });
    ledger.append(second);
    ledger.voidFrom(begin);
    // The source has deleted meanwhile what was lost: what follows lands elsewhere.
    ledger.append({ kind: 'left', from: begin.source, to: first.to, why: 'below-log-start' });
    expect(ledger.restore({ base: 60, count: 5, checksum: 2 })).toBe(false);
    expect(ledger.end).toEqual({ source: first.to, target: begin.target });
    expect(ledger.restore({ base: 50, count: 10, checksum: 1 })).toBe(true);
    expect(ledger.end).toEqual({ source: first.to, target: 60 });
    expect(ledger.restore({ base: 60, count: 5, checksum: 2 })).toBe(true);
    ledger.close();
  });

  test('a mark of who died before writing the line that it was about is of no other line', () => {
    const { folder, path, sizes } = threeLines();
    const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
    const line = lineAt(ledger.end, { count: 3, checksum: unknown });
    ledger.append(line, false);
    ledger.close();
    truncateSync(path, (sizes.at(-1) ?? 0) + 5);
    const next = new PartitionLedger(new SegmentFolder(folder), key, begin);
    expect(next.torn).toBeNull();
    next.raiseEpoch(7);
    next.append(line);
    expect(next.unproven()).toEqual([]);
    next.close();
  });

  test('an end that was torn is cut off and told of, wherever it was torn', () => {
    const { folder, path, sizes } = threeLines();
    const whole = readFileSync(path);
    const last = sizes.at(-1) ?? 0;
    for (let size = last - 1; size > (sizes.at(-2) ?? 0); size--) {
      writeFileSync(path, whole.subarray(0, size));
      const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
      expect(ledger.torn?.at).toBe(sizes.at(-2));
      expect(ledger.sentFrom(0).lines).toHaveLength(2);
      ledger.append(lineAt(ledger.end, { count: 7, checksum: 9 }));
      ledger.close();
      const again = new PartitionLedger(new SegmentFolder(folder), key, begin);
      expect(again.torn).toBeNull();
      expect(again.sentFrom(0).lines).toHaveLength(3);
      again.close();
    }
  });

  test('a bit that has changed ends what is believed, wherever it is behind the head', () => {
    const { folder, path, sizes } = threeLines();
    const whole = readFileSync(path);
    for (let bit = (sizes[0] ?? 0) * 8; bit < whole.length * 8; bit++) {
      const changed = Uint8Array.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, changed);
      const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
      const believed = sizes.filter((size) => size <= bit >> 3).length - 1;
      expect(ledger.torn).not.toBeNull();
      expect(ledger.sentFrom(0).lines).toHaveLength(believed);
      ledger.close();
    }
  });

  test('a file of zeros behind the end, as a journalling file system leaves it, is no entry', () => {
    const { folder, path } = threeLines();
    appendFileSync(path, new Uint8Array(4096));
    const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
    expect(ledger.torn).not.toBeNull();
    expect(ledger.sentFrom(0).lines).toHaveLength(3);
    ledger.close();
  });

  test('a segment that has no head yet is none', () => {
    const { folder, path } = threeLines();
    writeFileSync(join(folder, '00000002.segment'), '');
    const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
    expect(ledger.sentFrom(0).lines).toHaveLength(3);
    expect(new SegmentFolder(folder).names()).toHaveLength(1);
    ledger.close();
    truncateSync(path, 5);
    const anew = new PartitionLedger(new SegmentFolder(folder), key, begin);
    expect(anew.end).toEqual(begin);
    anew.close();
  });

  test('the ledger of another copy is refused by name', () => {
    const { folder } = threeLines();
    const other = { ...key, targetTopicId: 'made anew' };
    expect(() => new PartitionLedger(new SegmentFolder(folder), other, begin)).toThrow('is the ledger of another copy');
  });

  test('a batch of ordinary size takes at most 12 bytes', () => {
    const { sizes } = threeLines();
    for (const [index, size] of sizes.entries())
      if (index > 0) expect(size - (sizes[index - 1] ?? 0)).toBeLessThanOrEqual(12);
  });
});

function threeLines(): { folder: string; path: string; sizes: number[] } {
  const folder = newFolder();
  const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
  const path = join(folder, '00000001.segment');
  const sizes = [statSync(path).size];
  for (const count of [1, 100, 10_000]) {
    ledger.append(lineAt(ledger.end, { count, checksum: 0xfedcba98 }));
    sizes.push(statSync(path).size);
  }
  ledger.close();
  return { folder, path, sizes };
}

function lineAt(
  at: Position,
  one: { count: number; checksum: number; isRebuilt?: true } | { bits: boolean[] } | Left,
): LedgerLine {
  const { source: from, target } = at;
  if ('left' in one) return { kind: 'left', from, to: from + one.length, why: one.left };
  if ('count' in one) return { kind: 'sent', from, to: from + one.count, target, ...one, kept: null };
  const offsets = [0, ...one.bits.flatMap((isKept, index) => (isKept && index > 0 ? [index] : []))];
  const kept = keptBits(one.bits.length, offsets);
  return { kind: 'sent', from, to: from + one.bits.length, target, count: offsets.length, checksum: 1, kept };
}
type Left = { left: (typeof leftReasons)[number]; length: number };

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-ledger-'));
  folders.push(folder);
  return folder;
}
