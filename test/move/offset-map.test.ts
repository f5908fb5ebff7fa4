import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyAccount, withAccounted } from '../../src/core/move/account.ts';
import { type LedgerLine, leftReasons } from '../../src/core/move/ledger-lines.ts';
import { keptBits, OffsetMap } from '../../src/core/move/offset-map.ts';

const begin = { source: 1000, target: 40 };

/** Lines of any kind, one behind the other; for each batch which of its offsets are kept. */
const chunk = fc.oneof(
  fc.record({ left: fc.constantFrom(...leftReasons), length: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), isDense: fc.boolean() }),
);

describe('where the offsets of the source are on the target', () => {
  test('every record is found both ways, and what is no record leads to the next one', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 30 }), (chunks) => {
        const { lines, pairs, end } = layOut(chunks);
        const map = mapOf(lines, begin);
        for (const { source, target } of pairs) {
          expect(map.targetOf(source)).toBe(target);
          expect(map.sourceOf(target)).toBe(source);
        }
        for (let offset = 0; offset <= end + 5; offset = offset === 0 ? begin.source : offset + 1) {
          const next = pairs.find(({ source }) => source >= offset);
          expect(map.targetOf(offset)).toBe(next?.target ?? begin.target + pairs.length);
        }
        expect(map.sourceOf(begin.target + pairs.length)).toBe(end);
      }),
      { numRuns: 300 },
    );
  });

  test('batches without gaps are one run, however many', () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => sentLine(index * 10, 10, index * 10));
    const map = mapOf(lines, { source: 0, target: 0 });
    expect(map.runs).toEqual([{ source: 0, target: 0, length: 100_000, kept: null }]);
  });
});

describe('the account of a partition', () => {
  test('sums to the range, whatever is left out', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 30 }), (chunks) => {
        const { lines, pairs, end } = layOut(chunks);
        const { from, to, copied, ...left } = lines.reduce(withAccounted, emptyAccount(begin.source));
        expect({ from, to, copied }).toEqual({ from: begin.source, to: end, copied: pairs.length });
        expect(copied + Object.values(left).reduce((sum, one) => sum + one, 0)).toBe(to - from);
      }),
    );
  });

  test('offsets that nothing accounts for are no account', () => {
    expect(() => withAccounted(emptyAccount(0), sentLine(5, 5, 0))).toThrow('a line begins at 5');
  });
});

function mapOf(lines: readonly LedgerLine[], from: typeof begin): OffsetMap {
  const map = new OffsetMap(from);
  for (const line of lines) map.add(line);
  return map;
}

function layOut(chunks: readonly (typeof chunk extends fc.Arbitrary<infer T> ? T : never)[]) {
  const lines: LedgerLine[] = [];
  const pairs: { source: number; target: number }[] = [];
  let { source, target } = begin;
  for (const one of chunks) {
    if ('left' in one) {
      lines.push({ kind: 'left', from: source, to: source + one.length, why: one.left });
      source += one.length;
      continue;
    }
    const offsets = one.kept.flatMap((isKept, index) => (isKept || one.isDense ? [index] : []));
    const { length } = one.kept;
    const kept = one.isDense ? null : keptBits(length, offsets);
    const counted = { target, count: offsets.length, checksum: 0 };
    lines.push({ kind: 'sent', from: source, to: source + length, ...counted, kept });
    for (const offset of offsets) pairs.push({ source: source + offset, target: target++ });
    source += length;
  }
  return { lines, pairs, end: source };
}

function sentLine(from: number, count: number, target: number): LedgerLine {
  return { kind: 'sent', from, to: from + count, target, count, checksum: 0, kept: null };
}
