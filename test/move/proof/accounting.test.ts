import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Account, emptyAccount, withAccounted } from '../../../src/core/move/account.ts';
import { type LedgerLine, leftReasons } from '../../../src/core/move/ledger-lines.ts';
import { keptBits } from '../../../src/core/move/offset-map.ts';
import { Accounting } from '../../../src/core/move/proof/accounting.ts';
import { Findings } from '../../../src/core/move/proof/finding.ts';

const begin = { source: 100, target: 7 };

describe('the sum of a ledger', () => {
  test('property: lines that follow each other add up to what the ledger itself adds up, and to every offset', () => {
    fc.assert(
      fc.property(anyChunks, (chunks) => {
        const lines = linesOf(chunks);
        const { accounting, findings } = added(lines);
        expect(findings.listed).toEqual([]);
        const expected = lines.reduce<Account>(withAccounted, emptyAccount(begin.source));
        expect(accounting.account).toEqual(expected);
      }),
    );
  });

  test('property (safety): a line that was cut out is found, wherever it was', () => {
    fc.assert(
      fc.property(
        anyChunks.filter((chunks) => chunks.length > 2),
        fc.nat(),
        (chunks, which) => {
          const lines = linesOf(chunks);
          // The last one is found by the journal's account, and by what stands on the target.
          const at = which % (lines.length - 1);
          const { findings } = added(lines.filter((_, index) => index !== at));
          const [gap] = findings.listed;
          expect(gap).toMatchObject({ kind: 'ledger-gap', source: { from: lines[at]?.from, to: lines[at]?.to } });
          expect(findings.counts.get('account')).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('a line with another number of records than its bits is told', () => {
    const kept = keptBits(10, [0, 3, 9]);
    const line = { kind: 'sent', from: 100, to: 110, target: 7, checksum: 1 } as const;
    expect(added([{ ...line, count: 3, kept }]).findings.listed).toEqual([]);
    expect(added([{ ...line, count: 4, kept }]).findings.listed).toMatchObject([
      { kind: 'account', source: { from: 100, to: 110 }, detail: '4 records, and 3 offsets that have one' },
    ]);
    expect(added([{ ...line, count: 9, kept: null }]).findings.verdict).toBe('wrong');
  });

  test('another account of the same offsets is told with both figures, and one that ends elsewhere says nothing', () => {
    const lines = linesOf([{ count: 5 }, { left: 'aborted', length: 3 }]);
    const { accounting, findings } = added(lines);
    accounting.compare({ ...emptyAccount(100), to: 108, copied: 5, aborted: 3 }, 'the journal');
    accounting.compare({ ...emptyAccount(100), to: 107, copied: 1 }, 'the journal');
    expect(findings.listed).toEqual([]);
    accounting.compare({ ...emptyAccount(100), to: 108, copied: 6, aborted: 2 }, 'the journal');
    expect(findings.listed).toMatchObject([
      { kind: 'account', detail: 'the journal has copied 6, by the lines 5; aborted 2, by the lines 3' },
    ]);
  });
});

type Chunk = { count: number } | { bits: boolean[] } | { left: (typeof leftReasons)[number]; length: number };

const anyChunks = fc.array(
  fc.oneof(
    fc.record({ count: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }) }),
    fc.record({ left: fc.constantFrom(...leftReasons), length: fc.integer({ min: 1, max: 99 }) }),
  ),
  { minLength: 1, maxLength: 30 },
);

function added(lines: readonly LedgerLine[]) {
  const findings = new Findings();
  const accounting = new Accounting(begin, findings);
  for (const line of lines) accounting.add(line);
  accounting.close();
  return { accounting, findings };
}

function linesOf(chunks: readonly Chunk[]): LedgerLine[] {
  let { source: from, target } = begin;
  return chunks.map((chunk): LedgerLine => {
    const [line, count] = lineOf(chunk, from, target);
    from = line.to;
    target += count;
    return line;
  });
}

function lineOf(chunk: Chunk, from: number, target: number): [LedgerLine, number] {
  if ('left' in chunk) return [{ kind: 'left', from, to: from + chunk.length, why: chunk.left }, 0];
  const place = { kind: 'sent', from, target, checksum: from } as const;
  if ('count' in chunk) return [{ ...place, to: from + chunk.count, count: chunk.count, kept: null }, chunk.count];
  const bits = [0, ...chunk.bits.flatMap((isKept, index) => (isKept && index > 0 ? [index] : []))];
  const { length } = chunk.bits;
  return [{ ...place, to: from + length, count: bits.length, kept: keptBits(length, bits) }, bits.length];
}
