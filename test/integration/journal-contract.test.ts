import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal } from '../../src/io/journal/sqlite.ts';
import { journalContract, type OpenJournal } from '../contract/journal.ts';

journalContract(
  'SQLite',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'drover-journal-'));
    const opened: OpenJournal[] = [];
    const connect = async () => {
      const journal = await openSqliteJournal(join(directory, 'journal.db'), { readOnly: false });
      opened.push(journal);
      return journal;
    };
    const close = async () => {
      for (const journal of opened) await journal.close();
      await rm(directory, { recursive: true });
    };
    return { journal: await connect(), connect, close };
  },
  { runs: 20 },
);
