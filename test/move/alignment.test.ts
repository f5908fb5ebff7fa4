import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Alignment, type AlignmentResult } from '../../src/core/move/alignment.ts';

const none = { missing: 0, extra: 0, repeated: 0, reordered: 0, changed: 0, retimed: 0 };

describe('two sequences of records', () => {
  test('that are the same differ in nothing, whatever their offsets and however they come in', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 60 }), fc.nat(7), (digests, piece) => {
        expect(compared(digests, digests, piece + 1)).toEqual({ equal: digests.length, counts: none, differences: [] });
      }),
    );
  });

  test('one that lacks a run is told which', () => {
    const { counts, differences } = compared(letters(0, 50), [...letters(0, 10), ...letters(15, 50)]);
    expect(counts).toEqual({ ...none, missing: 5 });
    expect(differences).toEqual([{ kind: 'missing', source: { from: 10, to: 14 }, target: null, count: 5 }]);
  });

  test('one that has a run of its own, and one that has a run twice', () => {
    const foreign = ['x', 'y', 'z'];
    const { differences } = compared(letters(0, 50), [
      ...letters(0, 20),
      ...foreign,
      ...letters(20, 40),
      ...letters(30, 40),
      ...letters(40, 50),
    ]);
    expect(differences).toEqual([
      { kind: 'extra', source: null, target: { from: 1020, to: 1022 }, count: 3 },
      { kind: 'repeated', source: null, target: { from: 1043, to: 1052 }, count: 10 },
    ]);
  });

  test('one whose runs changed places is reordered and lacks nothing', () => {
    const { counts } = compared(letters(0, 50), [
      ...letters(0, 10),
      ...letters(20, 30),
      ...letters(10, 20),
      ...letters(30, 50),
    ]);
    expect(counts).toEqual({ ...none, reordered: 10 });
  });

  test('a record that is another one is changed', () => {
    const { differences } = compared(letters(0, 50), [...letters(0, 7), 'other', ...letters(8, 50)]);
    expect(differences).toEqual([
      { kind: 'changed', source: { from: 7, to: 7 }, target: { from: 1007, to: 1007 }, count: 1 },
    ]);
  });

  test('an end that is not there is missing, and one too much is extra', () => {
    expect(compared(letters(0, 50), letters(0, 40)).counts).toEqual({ ...none, missing: 10 });
    expect(compared(letters(0, 40), letters(0, 50)).counts).toEqual({ ...none, extra: 10 });
    expect(compared([], letters(0, 3)).counts).toEqual({ ...none, extra: 3 });
  });

  test('whatever was done to a copy, no difference is told of equal ones, and one of others', () => {
    const edit = fc.record({
      at: fc.nat(199),
      length: fc.integer({ min: 1, max: 9 }),
      what: fc.constantFrom(...edits),
    });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), (chosen) => {
        const source = letters(0, 200);
        const target = chosen.reduce(edited, source);
        const { equal, counts } = compared(source, target);
        const isSame = source.join() === target.join();
        expect(Object.values(counts).every((count) => count === 0)).toBe(isSame);
        expect(equal + counts.missing + counts.changed).toBeLessThanOrEqual(source.length);
        // Each record of both sides is told of exactly once.
        const { missing, changed, reordered, extra, repeated } = counts;
        expect(2 * (equal + changed + reordered) + missing + extra + repeated).toBe(source.length + target.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('records that have another time only are one run, also across windows and around a lost one', () => {
    const source = letters(0, 70_000).map((one, at) => `${one}@${at}`);
    const target = letters(0, 70_000).map((one, at) => `${one}@${at + 5}`);
    const whole = compared(source, target);
    expect(whole.counts).toEqual({ ...none, retimed: 70_000 });
    expect(whole.differences).toHaveLength(1);
    const lost = compared(source, [...target.slice(0, 12_345), ...target.slice(12_346)]);
    expect(lost.counts).toEqual({ ...none, retimed: 69_999, missing: 1 });
    expect(lost.differences[1]).toMatchObject({ kind: 'missing', source: { from: 12_345, to: 12_345 } });
    const doubled = compared(source, [...target.slice(0, 30_000), ...target.slice(29_999)]);
    expect(doubled.counts).toEqual({ ...none, retimed: 70_000, repeated: 1 });
  });

  test('a record that was lost among ones of the same content is found by its time', () => {
    const beats = Array.from({ length: 100 }, (_, at) => `beat@${at}`);
    const { equal, differences } = compared(beats, [...beats.slice(0, 40), ...beats.slice(41)]);
    expect(equal).toBe(99);
    expect(differences).toEqual([{ kind: 'missing', source: { from: 40, to: 40 }, target: null, count: 1 }]);
  });

  test('many short differences take no time out of proportion', () => {
    const source = letters(0, 200_000);
    const target = source.map((one, at) => (at % 20 === 7 ? `other ${at}` : one));
    const before = process.cpuUsage();
    expect(compared(source, target).counts).toEqual({ ...none, changed: 10_000 });
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(20);
  });

  test('two that have nothing in common are told so in bounded time and memory', () => {
    const { counts, differences } = compared(letters(0, 60_000), letters(100_000, 160_000), 5000);
    expect(counts).toEqual({ ...none, changed: 60_000 });
    expect(differences.length).toBeLessThanOrEqual(1000);
  });
});

const edits = ['drop', 'repeat', 'move', 'insert'] as const;

function edited(
  records: readonly string[],
  { at, length, what }: { at: number; length: number; what: string },
): string[] {
  const run = records.slice(at, at + length);
  const rest = [...records.slice(0, at), ...records.slice(at + length)];
  if (what === 'drop') return rest;
  if (what === 'repeat') return [...records.slice(0, at), ...run, ...records.slice(at)];
  if (what === 'insert')
    return [...records.slice(0, at), ...run.map((one) => `new ${one} ${at}`), ...records.slice(at)];
  const to = (at * 7) % (rest.length + 1);
  return [...rest.slice(0, to), ...run, ...rest.slice(to)];
}

/** Offsets of the source from 0, of the target from 1000. */
function compared(source: readonly string[], target: readonly string[], piece = 1000): AlignmentResult {
  const alignment = new Alignment();
  const rest = { source: seen(source, 0), target: seen(target, 1000) };
  for (let side = alignment.wants; side !== null; side = alignment.wants) {
    const records = rest[side].splice(0, piece);
    if (records.length === 0) alignment.end(side);
    else alignment.add(side, records);
  }
  return alignment.result();
}

/** `content@time`; without a time it is 0. */
function seen(digests: readonly string[], first: number) {
  return digests.map((text, index) => {
    const [content = '', time = '0'] = text.split('@');
    return { content, timeMs: Number(time), offset: first + index };
  });
}

function letters(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `record ${from + index}`);
}
