import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/core/journal/entry.ts';
import { exportLine } from '../../src/core/journal/export.ts';
import { verifyChain } from '../../src/core/journal/verify.ts';
import { PortError } from '../../src/engine/ports.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { openSqliteJournal } from '../../src/io/journal/sqlite.ts';
import { freshDirectory, removeDirectories, writtenJournal } from './journal/files.ts';

afterEach(removeDirectories);

/** How a damaged journal looks to a reader. `unharmed`: every entry is there as it was written. */
async function look(path: string, written: readonly Entry[]): Promise<'unharmed' | 'found' | 'cut' | PortError> {
  const entries: Entry[] = [];
  try {
    const journal = await openSqliteJournal(path, { readOnly: true });
    try {
      for (const { operation } of await journal.heads()) entries.push(...(await journal.read(operation, 0)));
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (error instanceof PortError) return error;
    throw error;
  }
  if (verifyChain(entries, sha256).length > 0) return 'found';
  const there = new Set(entries.map(exportLine));
  return written.every((entry) => there.has(exportLine(entry))) ? 'unharmed' : 'cut';
}

describe('safety: a damaged file is never taken for what was written', () => {
  test('with any of its bytes flipped it gives an error, a finding, or exactly what was written', {
    timeout: 300_000,
  }, async () => {
    const directory = await freshDirectory();
    const original = join(directory, 'original.db');
    const written = await writtenJournal(original, 60);
    const bytes = await readFile(original);
    const path = join(directory, 'journal.db');
    const outcomes = { unharmed: 0, found: 0, cut: 0, error: 0 };
    // A step that shares no factor with the page size visits all parts of a page; the header is visited whole.
    const places = [
      ...Array(100).keys(),
      ...Array.from({ length: Math.floor(bytes.length / 89) }, (_, index) => index * 89),
    ];
    for (const place of places) {
      const damaged = Buffer.from(bytes);
      damaged[place] = (bytes[place] ?? 0) ^ (1 << (place % 8));
      await writeFile(path, damaged);
      const outcome = await look(path, written);
      if (outcome instanceof PortError) {
        expect(['corrupt', 'newer-version', 'refused', 'read-only', 'denied']).toContain(outcome.code);
        expect(outcome.message).toContain(path);
        outcomes.error += 1;
      } else outcomes[outcome] += 1;
    }
    expect(outcomes.found).toBeGreaterThan(100);
    expect(outcomes.error).toBeGreaterThan(10);
    // Damage may hide the end of the fleet chain, and nothing else: the one thing that only a head kept elsewhere shows.
    expect(outcomes.cut).toBeLessThan(places.length / 50);
  });

  test('with its end cut off it gives an error, at any length', async () => {
    const directory = await freshDirectory();
    const original = join(directory, 'original.db');
    const written = await writtenJournal(original, 60);
    const { length } = await readFile(original);
    const path = join(directory, 'journal.db');
    for (const kept of [
      0,
      1,
      50,
      99,
      100,
      1000,
      4095,
      4096,
      5000,
      8192,
      Math.floor(length / 2),
      length - 4096,
      length - 1,
    ]) {
      await copyFile(original, path);
      await truncate(path, kept);
      const outcome = await look(path, written);
      expect(outcome, `${kept} of ${length} bytes`).toBeInstanceOf(PortError);
      expect(outcome).toMatchObject({ code: 'corrupt', retriable: false });
    }
  });
});

describe('a file that is no journal', () => {
  const opened = async (path: string, readOnly: boolean) => await openSqliteJournal(path, { readOnly });

  test('a place in which nothing can be made is named, with what to do', async () => {
    await expect(openSqliteJournal('/proc/drover/journal.db', { readOnly: false })).rejects.toMatchObject({
      name: 'PortError',
      message: expect.stringMatching(/^cannot create the journal \/proc\/drover\/journal.db: .*--journal PATH$/),
    });
  });

  test.each([true, false])(
    'is refused and left as it is: text, another database, a directory (read only: %s)',
    async (readOnly) => {
      const directory = await freshDirectory();
      const notes = join(directory, 'notes.txt');
      await writeFile(notes, 'these are notes, and nothing else\n'.repeat(200));
      const other = join(directory, 'other.db');
      const database = new DatabaseSync(other);
      database.exec('create table recipes (name text); insert into recipes values (1)');
      database.close();
      await mkdir(join(directory, 'folder'));
      const before = await readFile(other);

      await expect(opened(notes, readOnly)).rejects.toMatchObject({
        code: 'corrupt',
        message: expect.stringContaining('it is not a journal of Drover'),
      });
      await expect(opened(other, readOnly)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('a SQLite database, but not a journal of Drover'),
      });
      await expect(opened(join(directory, 'folder'), readOnly)).rejects.toMatchObject({ code: 'refused' });
      expect(await readFile(other)).toEqual(before);
      expect(await readFile(notes, 'utf8')).toMatch(/^these are notes/);
    },
  );

  test.each([true, false])(
    'or that a newer Drover wrote is refused and left as it is (read only: %s)',
    async (readOnly) => {
      const path = join(await freshDirectory(), 'journal.db');
      await writtenJournal(path, 2);
      const database = new DatabaseSync(path);
      database.exec('pragma user_version = 2');
      database.close();
      await expect(opened(path, readOnly)).rejects.toMatchObject({
        code: 'newer-version',
        message: expect.stringContaining('written by a newer Drover (schema 2, this one knows 1): use that version'),
      });
    },
  );

  test('below a file instead of a directory says so', async () => {
    const path = join(await freshDirectory(), 'state');
    await writeFile(path, '');
    await expect(opened(join(path, 'journal.db'), false)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('a file stands where its directory should be'),
    });
  });

  test('because it is empty becomes one for a writer only', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    await writeFile(path, '');
    await expect(opened(path, true)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('it is empty'),
    });
    const journal = await opened(path, false);
    expect(await journal.heads()).toEqual([]);
    await journal.close();
  });
});

test('several processes may create one journal at the same time', async () => {
  const path = join(await freshDirectory(), 'state', 'journal.db');
  const journals = await Promise.all(Array.from({ length: 8 }, () => openSqliteJournal(path, { readOnly: false })));
  for (const journal of journals) {
    expect(await journal.heads()).toEqual([]);
    await journal.close();
  }
});
