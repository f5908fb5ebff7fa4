import { expect, test } from 'vitest';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { journalContract } from '../contract/journal.ts';
import { draft } from './written.ts';

journalContract(
  'in memory',
  async () => {
    const journal = openMemoryJournal();
    return { journal, connect: async () => journal, close: () => journal.close() };
  },
  { runs: 300 },
);

test('sealing and appending a hundred thousand entries takes seconds, not minutes', async () => {
  const journal = openMemoryJournal();
  let head = emptyHead('op');
  for (let index = 0; index < 100_000; index += 1) {
    const next = seal(head, [draft({ kind: 'step', index })], sha256);
    await journal.append(head, next.entries);
    head = next.head;
  }
  expect(await journal.heads()).toEqual([head]);
  expect(await journal.read('op', 99_999)).toHaveLength(1);
});
