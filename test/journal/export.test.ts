import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/core/journal/entry.ts';
import { exportLine, verifyExport } from '../../src/core/journal/export.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { anchored, chainOf, forged, linesOf } from './written.ts';

const journal = anchored([chainOf('rollout-query-1', 12), chainOf('rollout-collector-2', 7), chainOf('a', 1)]);
const verify = (entries: readonly Entry[]) => verifyExport(linesOf(entries), sha256).findings;
const entryAt = (index: number): Entry => {
  const entry = journal[index];
  if (entry === undefined) throw new Error(`no entry at ${index}`);
  return entry;
};
const anyIndex = fc.nat({ max: journal.length - 1 });
/** Nothing follows the fleet's last entry: it is the head that has to be kept elsewhere. */
const fleetEnd = journal.findLast((entry) => entry.operation === 'fleet');

/** One of the findings is about one of these entries. */
function names(findings: ReturnType<typeof verify>, entries: readonly Entry[]): boolean {
  return findings.some(({ message }) =>
    entries.some(({ operation, seq }) => {
      const range = new RegExp(`^operation ${operation}, entries (\\d+) to (\\d+)`).exec(message);
      if (range !== null) return seq >= Number(range[1]) && seq <= Number(range[2]);
      return message.startsWith(`operation ${operation}, entry ${seq}:`);
    }),
  );
}

describe('an export', () => {
  test('is read back as it was written', () => {
    const { entries, findings } = verifyExport(linesOf(journal), sha256);
    expect(findings).toEqual([]);
    expect(entries).toEqual(journal);
    expect(verifyExport([''], sha256)).toEqual({ entries: [], findings: [] });
  });

  test.each([
    ['white space', (line: string) => line.replace('"seq":', '"seq": ')],
    ['another spelling of a number', (line: string) => line.replace('"rules":1', '"rules":1.0')],
    ['a key given twice', (line: string) => line.replace('"rules":1', '"rules":7,"rules":1')],
    ['a field too many', (line: string) => line.replace('"rules":1', '"rules":1,"zzz":1')],
    ['a carriage return', (line: string) => `${line}\r`],
    [
      'the digits of a number beyond its precision',
      (line: string) => line.replace('0.2857142857142857', '0.28571428571428570'),
    ],
  ])('is not the same with %s, though its content is', (_name, change) => {
    const lines = linesOf(journal);
    const index = journal.findIndex((entry) => entry.operation === 'rollout-query-1' && entry.seq === 3);
    const { findings } = verifyExport(lines.with(index, change(lines[index] ?? '')), sha256);
    expect(findings.map(({ message }) => message)).toEqual([
      `line ${index + 1}: operation rollout-query-1, entry 3: its text was changed, not its content`,
    ]);
  });

  test.each([
    ['not JSON', '{"seq":1', 'it is not an entry (not JSON)'],
    ['an empty line', '', 'it is not an entry (not JSON)'],
    ['JSON of another kind', '[1,2]', 'it is not an entry (a field is missing or of another type)'],
    [
      'an entry without a body',
      exportLine({ ...entryAt(0), body: { kind: 'x' } }).replace('"kind":"x"', ''),
      'a field is missing',
    ],
    ['a number too large to be exact', exportLine(entryAt(0)).replace('"seq":1', '"seq":1e300'), 'a field is missing'],
  ])('with a line that is no entry (%s) says which line', (_name, line, problem) => {
    const { findings } = verifyExport([...linesOf(journal).slice(0, -1), line, ''], sha256);
    expect(findings.map(({ message }) => message)).toEqual([expect.stringContaining(`line ${journal.length + 1}: `)]);
    expect(findings[0]?.message).toContain(problem);
  });

  test('with content that could never be sealed names the entry', () => {
    const lines = linesOf(journal);
    const line = (lines[0] ?? '').replace('"actor":"alice"', '"actor":"\\ud800"');
    const { findings } = verifyExport(lines.with(0, line), sha256);
    expect(findings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('it holds what no entry can'),
    );
  });

  test('that was cut in the middle of a line says so', () => {
    const text = linesOf(journal).join('\n');
    const { findings } = verifyExport(text.slice(0, -1).split('\n'), sha256);
    expect(findings.map(({ message }) => message)).toEqual([
      `line ${journal.length}: the file ends in the middle of this line`,
      expect.stringContaining('rollout-query-1, entry 12: it was removed (operation fleet'),
    ]);
  });
});

describe('safety: any single change of an export is named', () => {
  test('property: a byte that was edited', () => {
    const bytes = Buffer.from(linesOf(journal).join('\n'));
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (place, mask) => {
        const edited = Buffer.from(bytes);
        edited[place] = (bytes[place] ?? 0) ^ mask;
        // Bytes that are no UTF-8 are read as Latin-1, as the verb does line by line.
        const lines = edited.toString('latin1').split('\n').map(decode);
        const { findings } = verifyExport(lines, sha256);
        const line = bytes.subarray(0, place).toString('latin1').split('\n').length;
        const named = names(findings, [entryAt(line - 1)]);
        expect(named || findings.some(({ message }) => message.startsWith(`line ${line}: `))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('property: an entry that was removed', () => {
    fc.assert(
      fc.property(anyIndex, (index) => {
        fc.pre(entryAt(index) !== fleetEnd);
        expect(names(verify(journal.toSpliced(index, 1)), [entryAt(index)])).toBe(true);
      }),
    );
  });

  test('property: an entry that was pushed in, copied or made with a right hash', () => {
    fc.assert(
      fc.property(anyIndex, anyIndex, fc.boolean(), (from, to, copied) => {
        const pushed = copied ? entryAt(from) : forged(entryAt(from), { actor: 'mallory' });
        expect(names(verify(journal.toSpliced(to, 0, pushed)), [pushed])).toBe(true);
      }),
    );
  });

  test('property: two entries that were swapped', () => {
    fc.assert(
      fc.property(anyIndex, anyIndex, (a, b) => {
        fc.pre(a !== b);
        const swapped = journal.with(a, entryAt(b)).with(b, entryAt(a));
        expect(names(verify(swapped), [entryAt(a), entryAt(b)])).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('property: an entry that was replaced together with its hash', () => {
    fc.assert(
      fc.property(anyIndex, (index) => {
        const replaced = forged(entryAt(index), { actor: 'mallory' });
        fc.pre(entryAt(index) !== fleetEnd);
        const next = journal[index + 1] ?? replaced;
        expect(names(verify(journal.with(index, replaced)), [replaced, next])).toBe(true);
      }),
    );
  });

  test('property: any rest of the journal without changes is judged by what the fleet chain knows, without a crash', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(journal), (entries) => {
        const complete = entries.length === journal.length && entries.every((entry, index) => entry === entryAt(index));
        if (!complete && fleetEnd !== undefined && entries.includes(fleetEnd)) expect(verify(entries)).not.toEqual([]);
      }),
    );
  });
});

function decode(latin1: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return latin1;
  }
}
