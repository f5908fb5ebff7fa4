import { describe, expect, test } from 'vitest';
import { describe as told, verifyStore } from '../../src/cli/journal/verify.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import { fleetOperation } from '../../src/core/journal/fleet.ts';
import { anchor, anchorWhatIsMissing } from '../../src/engine/anchors.ts';
import type { JournalStore } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';

const clock = { now: () => 1, monotonic: () => 1, sleep: () => Promise.resolve() };

/** A chain whose writer died before it anchored anything. */
async function dead(...kinds: readonly string[]) {
  const journal = openMemoryJournal();
  await journal.append(emptyHead('move'), chain(kinds));
  return journal;
}

function chain(kinds: readonly string[]) {
  const drafts = kinds.map((kind) => ({ body: { kind }, actor: 'kim', atMs: 1, rules: 1 }));
  return seal(emptyHead('move'), drafts, sha256).entries;
}

async function anchorsOf(journal: JournalStore): Promise<string[]> {
  const entries = await journal.read(fleetOperation, 0);
  return entries.map(({ body }) => {
    const { kind, seq } = body as Anchored;
    return `${kind} ${seq}`;
  });
}
type Anchored = { readonly kind: string; readonly seq?: number };

describe('an anchor that its writer had no time for', () => {
  test.each([
    ['of an operation that has begun', ['started', 'held'], ['operation-started 1']],
    ['of one that has ended', ['started', 'completed'], ['operation-started 1', 'operation-ended 2']],
    [
      'of one that was retired',
      ['started', 'completed', 'retired', 'intended'],
      ['operation-started 1', 'operation-ended 4'],
    ],
    [
      'of one that is on the way back from its end',
      ['started', 'completed', 'back-performed'],
      ['operation-started 1'],
    ],
  ])('%s is written by the next one, once', async (_what, kinds, anchors) => {
    const journal = await dead(...kinds);
    const ports = { journal, clock, sha256 };
    await anchorWhatIsMissing(ports);
    await anchorWhatIsMissing(ports);
    expect(await anchorsOf(journal)).toEqual(anchors);
  });

  test('is written once where several come to it at the same time', async () => {
    const journal = await dead('started', 'completed');
    const ports = { journal, clock, sha256 };
    await Promise.all([anchorWhatIsMissing(ports), anchorWhatIsMissing(ports), anchorWhatIsMissing(ports)]);
    expect(await anchorsOf(journal)).toEqual(['operation-started 1', 'operation-ended 2']);
  });

  test('is written behind what others write meanwhile', async () => {
    const journal = await dead('started');
    const other = { kind: 'operation-started', operation: 'other', seq: 1, hash: 'x' } as const;
    const ports = { journal, clock, sha256 };
    await Promise.all([anchorWhatIsMissing(ports), anchor(ports, [other])]);
    expect(await anchorsOf(journal)).toHaveLength(2);
  });

  test('vouches for no chain that is not what was written', async () => {
    const journal = await dead('started', 'completed');
    const tampered: JournalStore = {
      append: (expected, entries) => journal.append(expected, entries),
      heads: () => journal.heads(),
      close: () => journal.close(),
      read: async (operation, afterSeq) =>
        (await journal.read(operation, afterSeq)).map((one) =>
          one.operation === 'move' && one.seq === 1 ? { ...one, atMs: 2 } : one,
        ),
    };
    await anchorWhatIsMissing({ journal: tampered, clock, sha256 });
    expect(await anchorsOf(journal)).toEqual([]);
  });

  test('is named by verify as what it is, and is no finding', async () => {
    const journal = await dead('started', 'completed');
    const before = await verifyStore(journal, [], sha256);
    expect([before.findings, before.chains]).toMatchObject([[], [{ operation: 'move', missing: ['start', 'end'] }]]);
    expect(told(before, false)).toContain('not anchored in the fleet chain, though it has ended');
    const [first] = await journal.read('move', 0);
    if (first === undefined) throw new Error('nothing was written');
    await anchor({ journal, clock, sha256 }, [
      { kind: 'operation-started', operation: 'move', seq: 1, hash: first.hash },
    ]);
    const half = await verifyStore(journal, [], sha256);
    expect(told(half, false)).toContain('has ended, and the fleet chain does not anchor its end');
    await anchorWhatIsMissing({ journal, clock, sha256 });
    const after = await verifyStore(journal, [], sha256);
    expect(after.chains.find(({ operation }) => operation === 'move')?.missing).toEqual([]);
    expect(told(after, false)).not.toContain('the next `drover apply` writes it');
  });
});
