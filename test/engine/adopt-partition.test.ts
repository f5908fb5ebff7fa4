import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdoptionRefusal, SourceItem, StandingBatch } from '../../src/core/move/adoption.ts';
import { keptBits } from '../../src/core/move/offset-map.ts';
import { adoptPartition } from '../../src/engine/adopt-partition.ts';

describe('a ledger is made of what stands on both sides', () => {
  test('where the target has a beginning of the source: every offset is accounted for, up to the last batch', async () => {
    const source = [...batchesOf('abc'), left('control', 1), left('aborted', 3), ...batchesOf('d'), left('hole', 2)];
    const { proven, lines } = await adopted({ source, target: standing('abcd') });
    expect(proven).toEqual({
      ...from(0, 0),
      end: { source: 12, target: 8 },
      batches: 4,
      madeAnew: 0,
      records: 8,
      epoch: 107,
    });
    expect(lines.map(({ from, to, kind }) => [kind, from, to])).toEqual([
      ['sent', 0, 2],
      ['sent', 2, 4],
      ['sent', 4, 6],
      ['left', 6, 7],
      ['left', 7, 10],
      ['sent', 10, 12],
    ]);
  });

  test('where the copy began later: what lies before is not part of it', async () => {
    const { proven, lines } = await adopted({ source: batchesOf('abcdef'), target: standing('cde') });
    expect(proven).toMatchObject({ ...from(4, 0), end: { source: 10, target: 6 } });
    expect(lines[0]).toMatchObject({ kind: 'sent', from: 4, to: 6, target: 0, count: 2 });
  });

  test('where nothing that has a counterpart stands before the first batch, what has none is in the ledger too', async () => {
    const { proven, lines } = await adopted({
      source: [left('control', 1), ...batchesOf('ab')],
      target: standing('a'),
    });
    expect(proven).toMatchObject({ ...from(0, 0), end: { source: 3, target: 2 } });
    expect(lines.map(({ kind }) => kind)).toEqual(['left', 'sent']);
  });

  test('of what was made anew the records count, whatever its bytes are by now', async () => {
    const holed = { ...batch('a'), to: 5, kept: keptBits(5, [0, 4]), checksum: 1, contents: () => records('a') };
    const target = standing('a').map((one) => ({ ...one, checksum: 99 }));
    const { proven, lines } = await adopted({ source: [holed], target });
    expect(proven).toMatchObject({ end: { source: 5, target: 2 }, madeAnew: 1, records: 2 });
    // What is read back later is compared with this.
    expect(lines[0]).toMatchObject({ checksum: 99, kept: keptBits(5, [0, 4]) });
    const other = { ...holed, contents: () => records('b') };
    expect(await refusal({ source: [other], target })).toBe('begin-not-found');
  });

  test.each<[string, Partial<Given>, AdoptionRefusal['kind']]>([
    ['nothing', { source: batchesOf('ab'), target: [] }, 'empty'],
    [
      'a batch that the source does not have in that place',
      { source: batchesOf('abc'), target: standing('ac') },
      'differs',
    ],
    ['the same bytes with other times', { source: batchesOf('ab'), target: retimed(standing('ab')) }, 'differs'],
    [
      'a beginning that is nowhere on the source',
      { source: batchesOf('bc'), target: standing('abc') },
      'begin-not-found',
    ],
    ['more than the source', { source: batchesOf('ab'), target: standing('abc') }, 'source-ended'],
    [
      'a batch of somebody else at its end',
      { source: batchesOf('abc'), target: foreign(standing('abc'), 2) },
      'foreign',
    ],
    [
      'a batch that was damaged on its disk',
      { source: batchesOf('abc'), target: broken(standing('abc')) },
      'not-intact',
    ],
    ['a hole', { source: batchesOf('abc'), target: standing('abc').toSpliced(1, 1) }, 'hole-on-target'],
    ['the same batch twice', { source: batchesOf('abb').slice(0, 2), target: standing('abb') }, 'source-ended'],
    ['an end that stands on the source twice', { source: batchesOf('abab'), target: standing('ab') }, 'ambiguous'],
    [
      'batches of messages of before v2',
      { source: [message, ...batchesOf('a')], target: standing('a') },
      'messages-before-v2',
    ],
  ])('not where the target has %s', async (_, given, kind) => {
    expect(await refusal(given)).toBe(kind);
  });

  test('not where either side deletes while it is read', async () => {
    const given = { source: batchesOf('abc'), target: standing('abc') };
    expect(await refusal({ ...given, goneOn: 'source' })).toBe('deleted-meanwhile');
    expect(await refusal({ ...given, goneOn: 'target' })).toBe('deleted-meanwhile');
  });

  test('safety: whatever was copied, and however alike batches are, it is refused or ends where the copy has ended', async () => {
    const world = fc.record({
      letters: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 14 }),
      begin: fc.nat(13),
      count: fc.integer({ min: 1, max: 14 }),
      deleted: fc.nat(13),
      tail: fc.integer({ min: 1, max: 6 }),
    });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(world, async ({ letters, begin, count, deleted, tail }) => {
        const all = batchesOf(letters.join(''));
        const copied = all.slice(begin, begin + count);
        // What the source has deleted altogether can be anything.
        fc.pre(copied.length > 0 && deleted < begin + copied.length);
        const target = standing(letters.slice(begin, begin + count).join(''));
        const given = { source: all.slice(deleted), target, tail, sourceStart: deleted * 2 };
        const { proven } = await adopted(given);
        if (proven === null) return;
        accepted += 1;
        expect(proven.end).toEqual({ source: (begin + copied.length) * 2, target: copied.length * 2 });
      }),
      { numRuns: 3000 },
    );
    // Else it would be safe by refusing everything.
    expect(accepted).toBeGreaterThan(200);
  });
});

type Given = {
  readonly source: readonly SourceItem[];
  readonly target: readonly StandingBatch[];
  readonly tail: number;
  readonly sourceStart: number;
  readonly goneOn: 'source' | 'target';
};

async function adopted({ source = [], target = [], tail = 64, sourceStart, goneOn }: Partial<Given>) {
  const placed = sourceStart === undefined ? inOrder(source) : source;
  const lines: { kind: string; from: number; to: number }[] = [];
  const begins = new Set<string>();
  const gone = (side: string) => (goneOn === side ? 3 : null);
  const result = await adoptPartition(
    {
      source: pieces(placed, (items) => ({ items, goneTo: gone('source') })),
      target: pieces(target, (batches) => ({ batches, goneTo: gone('target') })),
      tail: target.slice(-tail),
    },
    { targetStart: 0, sourceStart: sourceStart ?? 0, sourceEnd: placed.at(-1)?.to ?? 0 },
    {
      append({ line }, begin) {
        begins.add(JSON.stringify(begin));
        lines.push(line);
      },
    },
    new AbortController().signal,
  );
  const proven = result.kind === 'proven' ? result.adopted : null;
  if (proven !== null) expect([...begins]).toEqual([JSON.stringify(proven.begin)]);
  return { proven, lines, refusal: result.kind === 'refused' ? result.refusal : null };
}

async function refusal(given: Partial<Given>): Promise<AdoptionRefusal['kind'] | null> {
  return (await adopted(given)).refusal?.kind ?? null;
}

/** Two at a time. */
function pieces<One, Piece>(all: readonly One[], pieceOf: (some: readonly One[]) => Piece) {
  const left = [...all];
  return { next: async () => (left.length === 0 ? null : pieceOf(left.splice(0, 2))) };
}

function from(source: number, target: number) {
  return { begin: { source, target } };
}

function batch(letter: string) {
  const code = letter.charCodeAt(0);
  const known = {
    kind: 'batch',
    from: 0,
    to: 2,
    count: 2,
    checksum: code,
    firstMs: code,
    kept: null,
    epoch: 3,
  } as const;
  return { ...known, contents: () => records(letter) };
}

/** Of two records each. */
function batchesOf(letters: string): SourceItem[] {
  return inOrder([...letters].map(batch));
}

function left(why: 'control' | 'aborted' | 'hole', length: number): SourceItem {
  return { kind: 'left', from: 0, to: length, why, epoch: 3 };
}

const message: SourceItem = { kind: 'message', from: 0, to: 1 };

function inOrder(items: readonly SourceItem[]): SourceItem[] {
  let next = 0;
  return items.map((item) => {
    const begin = next;
    next += item.to - item.from;
    return { ...item, from: begin, to: next };
  });
}

function standing(letters: string): StandingBatch[] {
  return [...letters].map((letter, index) => ({
    ...{ base: index * 2, count: 2, records: 2, checksum: letter.charCodeAt(0), firstMs: letter.charCodeAt(0) },
    ...{ producer: '4611686018427387904', isOurs: true, isIntact: true, epoch: 7, contents: () => records(letter) },
  }));
}

function retimed([first, ...rest]: StandingBatch[]): StandingBatch[] {
  return first === undefined ? [] : [first, ...rest.map((one) => ({ ...one, firstMs: one.firstMs + 1 }))];
}

function foreign(batches: readonly StandingBatch[], at: number): StandingBatch[] {
  return batches.map((one, index) => (index === at ? { ...one, isOurs: false, producer: '17' } : one));
}

function broken([first, ...rest]: StandingBatch[]): StandingBatch[] {
  return first === undefined ? [] : [{ ...first, isIntact: false }, ...rest];
}

function records(letter: string) {
  return [0, 1].map((offset) => ({ offset, timeMs: letter.charCodeAt(0), content: `${letter}${offset}` }));
}
