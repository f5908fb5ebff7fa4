import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Counterparts } from '../../src/core/move/counterparts.ts';
import { type LedgerLine, leftReasons } from '../../src/core/move/ledger-lines.ts';
import { keptBits } from '../../src/core/move/offset-map.ts';

const begin = { source: 1000, target: 40 };
const chunk = fc.oneof(
  fc.record({ left: fc.constantFrom(...leftReasons), length: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }).filter((kept) => kept.includes(true)) }),
);

test('every offset of either side is told exactly: its counterpart, or why it has none and where to go on', () => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 20 }), (chunks) => {
      const { counterparts, records, reasons, end } = layOut(chunks);
      const nextTarget = (source: number) =>
        records.find((record) => record.source >= source)?.target ?? begin.target + records.length;
      for (let source = begin.source - 3; source < end + 3; source += 1) {
        const found = counterparts.targetOf(source);
        const record = records.find((one) => one.source === source);
        if (source < begin.source) expect(found).toEqual({ kind: 'before', next: nextTarget(begin.source) });
        else if (source >= end) expect(found).toEqual({ kind: 'not-yet', next: begin.target + records.length });
        else if (record !== undefined)
          expect(found).toEqual({ kind: 'there', offset: record.target, isConfirmed: true });
        else expect(found).toEqual({ kind: 'left-out', why: reasons.get(source) ?? 'hole', next: nextTarget(source) });
      }
      for (const { source, target } of records)
        expect(counterparts.sourceOf(target)).toEqual({ kind: 'there', offset: source, isConfirmed: true });
      expect(counterparts.sourceOf(begin.target - 1)).toEqual({ kind: 'before', next: begin.source });
      expect(counterparts.sourceOf(begin.target + records.length)).toEqual({ kind: 'not-yet', next: end });
    }),
    { numRuns: 200 },
  );
});

test('of the last batches of a copy that is not over nobody knows whether they stand there yet', () => {
  const counterparts = new Counterparts({ source: 0, target: 0 }, 2);
  for (const from of [0, 10, 20, 30])
    counterparts.add({ kind: 'sent', from, to: from + 10, target: from, count: 10, checksum: 0, kept: null });
  expect(counterparts.targetOf(19)).toMatchObject({ isConfirmed: true });
  expect(counterparts.targetOf(20)).toMatchObject({ isConfirmed: false });
  expect(counterparts.sourceOf(39)).toMatchObject({ isConfirmed: false });
});

type Chunk = { left: (typeof leftReasons)[number]; length: number } | { kept: boolean[] };

function layOut(chunks: readonly Chunk[]) {
  const counterparts = new Counterparts(begin, 0);
  const records: { source: number; target: number }[] = [];
  const reasons = new Map<number, (typeof leftReasons)[number]>();
  let { source, target } = begin;
  for (const one of chunks) {
    let line: LedgerLine;
    if ('left' in one) {
      for (let offset = source; offset < source + one.length; offset += 1) reasons.set(offset, one.left);
      line = { kind: 'left', from: source, to: source + one.length, why: one.left };
    } else {
      const offsets = one.kept.flatMap((isKept, index) => (isKept ? [index] : []));
      for (const [index, offset] of offsets.entries())
        records.push({ source: source + offset, target: target + index });
      const to = source + one.kept.length;
      const kept = offsets.length === one.kept.length ? null : keptBits(one.kept.length, offsets);
      line = { kind: 'sent', from: source, to, target, count: offsets.length, checksum: 0, kept };
      target += offsets.length;
    }
    counterparts.add(line);
    source = line.to;
  }
  return { counterparts, records, reasons, end: source };
}
