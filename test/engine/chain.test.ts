import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/core/journal/entry.ts';
import { openChain } from '../../src/engine/chain.ts';
import type { JournalStore } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';

const never = new AbortController().signal;

async function written(): Promise<JournalStore> {
  const journal = openMemoryJournal();
  const chain = openChain(journal, 'move', sha256);
  for (const kind of ['one', 'two', 'three']) {
    await chain.append([{ body: { kind }, actor: 'kim', atMs: 1, rules: 1 }], never);
  }
  return journal;
}

function told(journal: JournalStore, change: (entries: Entry[]) => Entry[]): JournalStore {
  return {
    append: (expected, entries) => journal.append(expected, entries),
    read: async (operation, afterSeq) => change(await journal.read(operation, afterSeq)),
    heads: () => journal.heads(),
    close: () => journal.close(),
  };
}

describe('a controller that reads a chain', () => {
  test('goes on behind what was written', async () => {
    const chain = openChain(await written(), 'move', sha256);
    expect(await chain.catchUp(never)).toHaveLength(3);
    expect(chain.head().seq).toBe(3);
  });

  test.each<[string, (entries: Entry[]) => Entry[], number]>([
    ['edited', (entries) => entries.map((one) => (one.seq === 2 ? { ...one, body: { kind: 'other' } } : one)), 2],
    ['removed', (entries) => entries.filter((one) => one.seq !== 2), 3],
    [
      'replaced, hash and all',
      (entries) => entries.map((one) => (one.seq === 2 ? { ...one, hash: one.previous } : one)),
      2,
    ],
  ])('builds nothing on one in which an entry was %s', async (_what, change, seq) => {
    const chain = openChain(told(await written(), change), 'move', sha256);
    await expect(chain.catchUp(never)).rejects.toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(`entry ${seq}`) }),
    );
  });
});
