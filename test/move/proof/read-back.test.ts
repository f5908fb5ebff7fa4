import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SentLine } from '../../../src/core/move/ledger-lines.ts';
import { Findings } from '../../../src/core/move/proof/finding.ts';
import { type ProofBatch, ReadBack, type ReadBackRules } from '../../../src/core/move/proof/read-back.ts';

const lines = linesOf([5, 5, 10, 1, 7, 5, 5, 3]);

describe('the batches of the target against the lines of a ledger', () => {
  test('that are as they were sent are proven, each of them', () => {
    const { findings, readBack } = laid(lines, lines.map(batchOf));
    expect(findings.listed).toEqual([]);
    expect(readBack.proven).toBe(lines.length);
    expect(readBack.records).toBe(41);
  });

  test('one with other records is told with the offsets of both sides', () => {
    const found = told(lines, replaced(2, { checksum: 99 }));
    expect(found).toMatchObject([{ kind: 'changed', target: { from: 10, to: 20 }, source: { from: 1010, to: 1020 } }]);
  });

  test('one whose bytes do not fit its checksum is told, though the checksum is the one that was sent', () => {
    expect(told(lines, replaced(4, { isIntact: false }))).toMatchObject([
      { kind: 'corrupt', target: { from: 21, to: 28 } },
    ]);
  });

  test('one that the target has given another time is told', () => {
    expect(told(lines, replaced(0, { hasAppendTime: true }))).toMatchObject([
      { kind: 'retimed', target: { from: 0, to: 5 } },
    ]);
  });

  test('some that are missing in the middle are one finding', () => {
    const without = lines.map(batchOf).filter((_, index) => index !== 3 && index !== 4);
    expect(told(lines, without)).toMatchObject([
      { kind: 'missing', target: { from: 20, to: 28 }, source: { from: 1020, to: 1028 }, count: 2 },
    ]);
  });

  test('a log that ends too early is told, and what was not settled is no fault', () => {
    const batches = lines.slice(0, 5).map(batchOf);
    expect(told(lines, batches, { logEnd: 28, settled: 41 })).toMatchObject([
      { kind: 'truncated', target: { from: 28, to: 41 }, count: 3, detail: 'the log ends at 28' },
    ]);
    expect(told(lines, batches, { logEnd: 28, settled: 28 })).toMatchObject([
      { kind: 'unsettled', target: { from: 28, to: 41 } },
    ]);
  });

  test('one that stands twice is told, and those behind it as moved and not as changed', () => {
    const twice = withInserted(3, batchOf(line(2)));
    expect(told(lines, twice)).toMatchObject([
      { kind: 'doubled', target: { from: 20, to: 30 }, detail: 'the same as offsets 10 to 19' },
      { kind: 'misplaced', target: { from: 30, to: 51 }, count: 5, detail: 'by the ledger at 20, found at 30' },
    ]);
  });

  test('one of the size of its neighbour that stands twice is not taken for the neighbour', () => {
    expect(told(lines, withInserted(1, batchOf(line(0))))).toMatchObject([
      { kind: 'doubled', target: { from: 5, to: 10 } },
      { kind: 'misplaced', count: 7 },
    ]);
  });

  test('one of another producer between is told with its producer, and in the place of one of ours that is missing', () => {
    const foreign = { ...batchOf(line(1)), producer: '7', isOurs: false };
    const detail = 'producer id 7, 5 records';
    expect(told(lines, withInserted(4, foreign))).toMatchObject([
      { kind: 'foreign', target: { from: 21, to: 26 }, detail },
      { kind: 'misplaced', target: { from: 26, to: 46 }, count: 4 },
    ]);
    expect(told(lines, replaced(1, foreign))).toMatchObject([
      { kind: 'foreign', target: { from: 5, to: 10 }, detail },
      { kind: 'missing', target: { from: 5, to: 10 } },
    ]);
  });

  test('one of another producer behind is a fault as long as the copy is not over', () => {
    const behind = [...lines.map(batchOf), { ...batchOf(line(0)), base: 41, producer: null, isOurs: false }];
    expect(told(lines, behind, { isOver: true })).toMatchObject([{ kind: 'behind', target: { from: 41, to: 46 } }]);
    expect(told(lines, behind, { isOver: false })).toMatchObject([{ kind: 'foreign', target: { from: 41, to: 46 } }]);
  });

  test('one of ours behind the last line is told, also of a copy that is over', () => {
    const behind = [...lines.map(batchOf), { ...batchOf(line(0)), base: 41, checksum: 5 }];
    expect(told(lines, behind, { isOver: true })).toMatchObject([{ kind: 'stray', target: { from: 41, to: 46 } }]);
  });

  test('what the target has deleted, and what it has compacted, cannot be proven any more', () => {
    expect(told(lines, lines.slice(2).map(batchOf), { logStart: 12 })).toMatchObject([
      { kind: 'deleted', target: { from: 0, to: 10 }, count: 2 },
    ]);
    const cleaned = replaced(2, { checksum: 4, records: 3 }).filter((_, index) => index !== 5);
    expect(told(lines, cleaned, { isCompacted: true })).toMatchObject([
      { kind: 'compacted', target: { from: 10, to: 20 } },
      { kind: 'compacted', target: { from: 28, to: 33 } },
    ]);
    expect(told(lines, cleaned)).toMatchObject([{ kind: 'changed' }, { kind: 'missing' }]);
  });

  test('what the target deletes while it is read is not taken for missing', () => {
    const findings = new Findings();
    const rules = { logStart: 0, logEnd: 41, settled: 41, isCompacted: false, isOver: true };
    const readBack = new ReadBack(lines, rules, findings);
    readBack.add(batchOf(line(0)));
    readBack.deletedTo(28);
    for (const one of lines.slice(5)) readBack.add(batchOf(one));
    readBack.end();
    expect(findings.listed).toMatchObject([{ kind: 'deleted', target: { from: 5, to: 28 }, count: 4 }]);
  });

  test('a gap of many more batches than are kept in memory is one finding, and what comes behind it is proven', () => {
    const many = linesOf(Array(60_000).fill(3));
    const batches = many.map(batchOf).filter((_, index) => index < 10 || index >= 59_000);
    const { findings, readBack } = laid(many, batches);
    expect(findings.listed).toMatchObject([{ kind: 'missing', target: { from: 30, to: 177_000 }, count: 58_990 }]);
    expect(readBack.proven).toBe(1010);
  });

  test('property (safety): whatever was done to a log, it is proven only where nothing was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 40 }),
        anyEdits,
        (sizes, edits) => {
          const sent = linesOf(sizes);
          const as = sent.map(batchOf);
          const batches = edits.reduce((log, edit) => edited(log, edit), as);
          const logEnd = Math.max(0, ...batches.map(({ base, count }) => base + count));
          const { findings, readBack } = laid(sent, batches, {
            logEnd,
            settled: sizes.reduce((sum, one) => sum + one, 0),
          });
          const isAsSent = JSON.stringify(batches) === JSON.stringify(as);
          expect(findings.verdict).toBe(isAsSent ? 'proven' : 'wrong');
          if (isAsSent) expect(readBack.proven).toBe(sent.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

type Edit =
  | { readonly kind: 'remove' | 'twice' | 'foreign' | 'twice in place'; readonly at: number }
  | { readonly kind: 'change'; readonly at: number; readonly to: Partial<ProofBatch> };

const anyEdits = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('remove' as const, 'twice' as const, 'foreign' as const, 'twice in place' as const),
      at: fc.nat(60),
    }),
    fc.record({
      kind: fc.constant('change' as const),
      at: fc.nat(60),
      to: fc.constantFrom<Partial<ProofBatch>>(
        { checksum: 7 },
        { isIntact: false },
        { isOurs: false },
        { hasAppendTime: true },
        { records: 0 },
      ),
    }),
  ),
  { maxLength: 4 },
);

/** What a log could become, by whatever means. */
function edited(log: readonly ProofBatch[], edit: Edit): ProofBatch[] {
  const batch = log[edit.at];
  if (batch === undefined) return [...log];
  const [before, behind] = [log.slice(0, edit.at), log.slice(edit.at + 1)];
  const moved = (from: readonly ProofBatch[]) => from.map((one) => ({ ...one, base: one.base + batch.count }));
  switch (edit.kind) {
    case 'remove':
      return [...before, ...behind];
    case 'change':
      return [...before, { ...batch, ...edit.to }, ...behind];
    case 'twice':
      return [...before, batch, ...moved([batch, ...behind])];
    case 'twice in place': {
      const [next, ...rest] = behind;
      return next === undefined ? [...log] : [...before, batch, { ...batch, base: next.base }, ...rest];
    }
    case 'foreign':
      return [...before, { ...batch, isOurs: false, checksum: 1 }, ...moved([batch, ...behind])];
  }
}

function laid(sent: readonly SentLine[], batches: readonly ProofBatch[], rules: Partial<ReadBackRules> = {}) {
  const findings = new Findings();
  const end = batches.at(-1);
  const logEnd = end === undefined ? 0 : end.base + end.count;
  const whole = { logStart: 0, logEnd, settled: logEnd, isCompacted: false, isOver: true, ...rules };
  const readBack = new ReadBack(sent, whole, findings);
  for (const batch of batches) readBack.add(batch);
  readBack.end();
  return { findings, readBack };
}

function told(...given: Parameters<typeof laid>) {
  return laid(...given).findings.listed;
}

function replaced(at: number, to: Partial<ProofBatch>): ProofBatch[] {
  return lines.map((one, index) => {
    const batch = batchOf(one);
    return index === at ? { ...batch, ...to, base: batch.base } : batch;
  });
}

function withInserted(at: number, inserted: ProofBatch): ProofBatch[] {
  const { target } = line(at);
  const behind = lines.slice(at).map(batchOf);
  return [
    ...lines.slice(0, at).map(batchOf),
    { ...inserted, base: target },
    ...behind.map((batch) => ({ ...batch, base: batch.base + inserted.count })),
  ];
}

function line(index: number): SentLine {
  const found = lines[index];
  if (found === undefined) throw new Error(`no line ${index}`);
  return found;
}

function linesOf(sizes: readonly number[]): SentLine[] {
  let target = 0;
  return sizes.map((count, index) => {
    const [from, checksum] = [1000 + target, 1_000_000 + index];
    const made = { kind: 'sent', from, to: from + count, target, count, checksum, kept: null } as const;
    target += count;
    return made;
  });
}

function batchOf({ target: base, count, checksum }: SentLine): ProofBatch {
  const ours = { producer: '1', isOurs: true, isIntact: true, hasAppendTime: false };
  return { base, count, records: count, checksum, ...ours, bytes: 100 };
}
