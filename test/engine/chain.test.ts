import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/core/journal/chain.ts';
import type { Entry } from '../../src/core/journal/entry.ts';
import { fleetOperation } from '../../src/core/journal/fleet.ts';
import { startOperation } from '../../src/engine/anchors.ts';
import { openChain } from '../../src/engine/chain.ts';
import type { JournalStore } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { madeStart } from '../made/rollout.ts';

const never = new AbortController().signal;

async function written(): Promise<JournalStore> {
  const journal = openMemoryJournal();
  const chain = openChain(journal, 'move', sha256);
  for (const kind of ['one', 'two', 'three']) {
    await chain.append([{ body: { kind }, actor: 'kim', atMs: 1, rules: 1 }], never);
  }
  return journal;
}

/** Of another chain, in which something else came before. */
function resealed(entry: Entry): Entry {
  const moved = { ...entry, previous: '1'.repeat(64) };
  return { ...moved, hash: hashOf(moved, sha256) };
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
    [
      'put in the place of another, with a hash that is right by itself',
      (entries) => entries.map((one) => (one.seq === 2 ? resealed(one) : one)),
      2,
    ],
    ['told twice', (entries) => entries.flatMap((one) => (one.seq === 2 ? [one, one] : [one])), 2],
  ])('builds nothing on one in which an entry was %s', async (_what, change, seq) => {
    const chain = openChain(told(await written(), change), 'move', sha256);
    await expect(chain.catchUp(never)).rejects.toThrow(
      expect.objectContaining({ code: 'corrupt', retriable: false, message: expect.stringContaining(`entry ${seq}`) }),
    );
  });
});

describe('a chain that two controllers write', () => {
  const draft = (kind: string) => [{ body: { kind }, actor: 'kim', atMs: 1, rules: 1 }];

  test('who did not know of the last entry has written nothing, and goes on behind it once it does', async () => {
    const journal = await written();
    const [one, other] = [openChain(journal, 'move', sha256), openChain(journal, 'move', sha256)];
    await one.catchUp(never);
    await other.catchUp(never);
    expect(await other.append(draft('faster'), never)).toMatchObject([{ seq: 4 }]);
    expect(await one.append(draft('slower'), never)).toBe('conflict');
    expect(one.head().seq).toBe(3);
    expect(await one.catchUp(never)).toMatchObject([{ seq: 4, body: { kind: 'faster' } }]);
    expect(await one.append(draft('slower'), never)).toMatchObject([{ seq: 5 }]);
  });
});

describe('an operation that begins', () => {
  const clock = { now: () => 7, monotonic: () => 7, sleep: () => Promise.resolve() };

  test('begins once, and the fleet’s chain says so once', async () => {
    const journal = openMemoryJournal();
    const ports = { journal, clock, sha256 };
    expect(await startOperation(ports, 'move', madeStart(), 'kim')).toBe('started');
    expect(await startOperation(ports, 'move', madeStart(), 'eve')).toBe('exists');
    expect(await startOperation(ports, 'other', madeStart(), 'eve')).toBe('started');
    const [first] = await journal.read('move', 0);
    expect(first).toMatchObject({ seq: 1, actor: 'kim', atMs: 7 });
    expect((await journal.read(fleetOperation, 0)).map(({ body }) => body)).toMatchObject([
      { kind: 'operation-started', operation: 'move', seq: 1, hash: first?.hash },
      { kind: 'operation-started', operation: 'other', seq: 1 },
    ]);
  });

  test('waits for no other one that is faster at the fleet’s chain', async () => {
    const journal = openMemoryJournal();
    await startOperation({ journal, clock, sha256 }, 'move', madeStart(), 'kim');
    let isFaster = true;
    const raced: JournalStore = {
      ...told(journal, (entries) => entries),
      read: async (operation, afterSeq) => {
        const read = await journal.read(operation, afterSeq);
        if (operation === fleetOperation && isFaster) {
          isFaster = false;
          await startOperation({ journal, clock, sha256 }, 'faster', madeStart(), 'eve');
        }
        return read;
      },
    };
    await startOperation({ journal: raced, clock, sha256 }, 'slower', madeStart(), 'kim');
    expect(await journal.read(fleetOperation, 0)).toMatchObject([
      { body: { operation: 'move' } },
      { body: { operation: 'faster' } },
      { body: { operation: 'slower' } },
    ]);
  });
});
