import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, chown, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { seal } from '../../src/core/journal/chain.ts';
import { type Entry, emptyHead } from '../../src/core/journal/entry.ts';
import { verifyChain } from '../../src/core/journal/verify.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { openSqliteJournal } from '../../src/io/journal/sqlite.ts';
import { SqliteFile } from '../../src/io/journal/sqlite-file.ts';
import { freshDirectory, removeDirectories, run, writerFile, writtenJournal } from './journal/files.ts';

afterEach(removeDirectories);

const node = process.execPath;
const isRoot = process.getuid?.() === 0;
/** Modes do not bind root: there these tests act as this user, who owns nothing. */
const nobody = 65_534;

async function allEntries(path: string): Promise<Entry[]> {
  const journal = await openSqliteJournal(path, { readOnly: true });
  const entries = await journal.read('op', 0);
  await journal.close();
  return entries;
}

/** Each group of three is there whole, and in order. */
function expectWholeGroups(entries: readonly Entry[]): void {
  expect(verifyChain(entries, sha256)).toEqual([]);
  expect(entries.map(({ body }) => ('part' in body ? body.part : null))).toEqual(
    entries.map((_, index) => (index % 3) + 1),
  );
}

describe('safety: what was acknowledged is there', () => {
  test('after a writer was killed at a random moment, again and again', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    const acknowledged: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      const writer = spawn(node, [writerFile, 'for-ever', path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const printed = text(writer.stdout);
      await Promise.race([once(writer.stdout, 'readable'), once(writer, 'exit')]);
      await sleep(Math.random() * 150);
      writer.kill('SIGKILL');
      acknowledged.push(...(await printed).split('\n').slice(0, -1));
    }
    const entries = await allEntries(path);
    expectWholeGroups(entries);
    expect(acknowledged.length).toBeGreaterThan(10);
    const there = new Set(entries.map(({ seq, hash }) => `${seq} ${hash}`));
    expect(acknowledged.filter((line) => !there.has(line))).toEqual([]);
  });

  test('after the machine lost its power: every write has reached the disk, in the log that a crash is repaired from', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    const said = (db: DatabaseSync) =>
      ['synchronous', 'journal_mode'].map((name) => db.prepare(`pragma ${name}`).get());
    const full = 2;
    // A new file, and one that is there already.
    for (const _ of [1, 2]) {
      const file = await SqliteFile.open(path, false);
      expect(await file.write(said)).toEqual([{ synchronous: full }, { journal_mode: 'wal' }]);
      file.close();
    }
  });

  test('when two processes race for one chain', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    const writers = await Promise.all(['a', 'b', 'c'].map((name) => run(node, [writerFile, 'twenty', path, name])));
    expect(writers.map(({ code, errors, lines }) => ({ code, errors, count: lines.length }))).toEqual(
      writers.map(() => ({ code: 0, errors: '', count: 20 })),
    );
    const entries = await allEntries(path);
    expectWholeGroups(entries);
    expect(entries).toHaveLength(180);
    const there = new Set(entries.map(({ seq, hash }) => `${seq} ${hash}`));
    expect(writers.flatMap(({ lines }) => lines).filter((line) => !there.has(line))).toEqual([]);
  });

  test('while a reader watches beside a live writer, it sees only whole groups', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    await run(node, [writerFile, 'once', path]);
    const writer = run(node, [writerFile, 'twenty', path, 'a']);
    const reader = await openSqliteJournal(path, { readOnly: true });
    let seen = 0;
    while (seen < 63) {
      const entries = await reader.read('op', 0);
      expectWholeGroups(entries);
      expect(entries.length).toBeGreaterThanOrEqual(seen);
      seen = entries.length;
      await sleep(5);
    }
    await reader.close();
    expect((await writer).code).toBe(0);
  });
});

describe('a full disk', () => {
  const expectFullThenGoesOn = (line: string | undefined, path: string) => {
    const { code, retriable, message, full, after } = JSON.parse(line ?? '{}');
    expect({ code, retriable }).toEqual({ code: 'disk-full', retriable: true });
    expect(message).toContain(`cannot write the journal ${path}: the disk is full`);
    expect(message).toContain('drover back --offline');
    expect(full.seq).toBeGreaterThan(0);
    return { full, after };
  };

  test('is named, keeps what was acknowledged, and is over when there is space again', async ({ skip }) => {
    const directory = await freshDirectory();
    const path = join(directory, 'journal.db');
    const mount = `mount -t tmpfs -o size=600k tmpfs ${directory}`;
    if ((await run('unshare', ['-m', 'sh', '-c', mount]).catch(() => null))?.code !== 0) {
      skip('a small file system cannot be mounted here (needs root); the test with a limited file size says the rest');
    }
    const script = `${mount} && head -c 200000 /dev/zero > ${directory}/ballast && exec "$0" "$@"`;
    const parameters = ['-m', 'sh', '-c', script, node, writerFile, 'until-full', path, `${directory}/ballast`];
    const { lines, errors } = await run('unshare', parameters);
    expect(errors).toBe('');
    const { full, after } = expectFullThenGoesOn(lines.at(-1), path);
    expect(lines.at(-3)).toBe(`${full.seq} ${full.hash}`);
    expect(lines.at(-2)).toBe(`${after.seq} ${after.hash}`);
    expect(after.seq).toBe(full.seq + 3);
  });

  test('and a limit on the size of files too: what was acknowledged can be read, and goes on where there is no limit', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    const { lines, errors } = await run('sh', [
      '-c',
      'ulimit -f 200; exec "$0" "$@"',
      node,
      writerFile,
      'until-full',
      path,
    ]);
    expect(errors).toBe('');
    const { after } = expectFullThenGoesOn(lines.at(-1), path);
    const entries = await allEntries(path);
    expectWholeGroups(entries);
    expect(entries.at(-1)).toMatchObject({ seq: after.seq, hash: after.hash });
    expect((await run(node, [writerFile, 'once', path])).lines).toEqual([expect.stringMatching(/^\d+ [0-9a-f]{64}$/)]);
  });
});

describe('a place that may not be written', () => {
  const asNobody = isRoot ? nobody : undefined;
  /** A journal that belongs to the one who will try, in a directory that nobody may change. */
  const lockedJournal = async () => {
    const directory = await freshDirectory();
    const path = join(directory, 'journal.db');
    await writtenJournal(path, 5);
    if (isRoot) for (const each of [directory, path]) await chown(each, nobody, nobody);
    return { directory, path };
  };
  const outcome = async (mode: string, path: string) => {
    const { lines, errors } = await run(node, [writerFile, mode, path], asNobody);
    expect(errors).toBe('');
    return JSON.parse(lines.at(-1) ?? '{}');
  };

  test('can be read, and says clearly that it cannot be written', async () => {
    const { directory, path } = await lockedJournal();
    await chmod(path, 0o400);
    await chmod(directory, 0o500);
    expect((await outcome('read', path)).heads).toHaveLength(3);
    const refused = await outcome('once', path);
    expect(['read-only', 'denied']).toContain(refused.code);
    expect(refused).toMatchObject({ retriable: false, message: expect.stringContaining(path) });
    expect(await readdir(directory)).toEqual(['journal.db']);
  });

  test('with entries that are still in the log, and no index for it, says which files to copy', async () => {
    const { directory, path } = await lockedJournal();
    const journal = await openSqliteJournal(path, { readOnly: false });
    const { entries } = seal(emptyHead('op'), [{ body: { kind: 'a' }, actor: 'a', atMs: 1, rules: 1 }], sha256);
    await journal.append(emptyHead('op'), entries);
    await rename(`${path}-wal`, `${path}-kept`);
    await journal.close().catch(() => undefined);
    await rm(`${path}-shm`, { force: true });
    await rename(`${path}-kept`, `${path}-wal`);
    if (isRoot) await chown(`${path}-wal`, nobody, nobody);
    await chmod(directory, 0o500);
    const refused = await outcome('read', path);
    expect(refused).toMatchObject({ code: 'read-only', message: expect.stringContaining(`${path}-wal`) });
    expect(refused.message).toContain('Copy both files');
  });

  test('is no place to create one', async () => {
    const directory = await freshDirectory();
    if (isRoot) await chown(directory, nobody, nobody);
    await chmod(directory, 0o500);
    const refused = await outcome('once', join(directory, '.drover', 'journal.db'));
    expect(refused).toMatchObject({ code: 'denied', message: expect.stringContaining('--journal PATH') });
  });
});

describe('the file', () => {
  test('can be read by its owner alone, and so can a directory that was made for it', async () => {
    const directory = await freshDirectory();
    await writtenJournal(join(directory, 'state', 'deep', 'journal.db'), 1);
    const modes = ['state', 'state/deep', 'state/deep/journal.db'].map((name) => stat(join(directory, name)));
    expect((await Promise.all(modes)).map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '700', '600']);
  });

  test('that was deleted or replaced under a controller is not written to any more', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    const journal = await openSqliteJournal(path, { readOnly: false });
    const { entries, head } = seal(emptyHead('op'), [{ body: { kind: 'a' }, actor: 'a', atMs: 1, rules: 1 }], sha256);
    await journal.append(emptyHead('op'), entries);
    const deleted = {
      code: 'not-found',
      message: expect.stringContaining('was deleted or replaced while it was in use'),
    };
    await rename(path, `${path}.old`);
    await expect(journal.append(head, [])).rejects.toMatchObject(deleted);
    await writtenJournal(path, 1);
    await expect(journal.append(head, [])).rejects.toMatchObject(deleted);
    await expect(journal.read('op', 0)).rejects.toMatchObject(deleted);
    await journal.close();
  });

  test('that is not there is not created by a reader', async () => {
    const directory = await freshDirectory();
    const path = join(directory, '.drover', 'journal.db');
    await expect(openSqliteJournal(path, { readOnly: true })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`no journal at ${path}`),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  test('keeps its entries from being changed or removed by mistake', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    await writtenJournal(path, 2);
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    expect(() => db.exec("update entries set actor = 'x'")).toThrow('entries are never changed');
    expect(() => db.exec('delete from entries')).toThrow('entries are never removed');
    db.close();
  });

  test('is not disturbed by files of others that lie beside it', async () => {
    const path = join(await freshDirectory(), 'journal.db');
    await writeFile(`${path}-journal`, '');
    await appendFile(`${path}-wal`, 'not a log at all');
    await writtenJournal(path, 2);
    const journal = await openSqliteJournal(path, { readOnly: true });
    expect(await journal.heads()).toHaveLength(3);
    await journal.close();
  });
});
