import { link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { afterEach, describe, expect, test } from 'vitest';
import { follow } from '../../src/cli/journal/show.ts';
import { addJournal } from '../../src/cli/journal.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import { exportLine } from '../../src/core/journal/export.ts';
import { sampleHash } from '../../src/core/journal/samples.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { openSqliteJournal } from '../../src/io/journal/sqlite.ts';
import { fileMarker } from '../../src/io/marker/file.ts';
import { draft } from '../journal/written.ts';
import { contextInMemory } from '../made/context.ts';
import { freshDirectory, removeDirectories, writtenJournal } from './journal/files.ts';

afterEach(removeDirectories);

/** A context whose output is kept, with the real store behind it. */
function contextIn(directory: string) {
  const clock = {
    now: Date.now,
    monotonic: () => performance.now(),
    sleep: (ms: number, signal: AbortSignal) => sleep(Math.min(ms, 5), undefined, { signal }).catch(() => undefined),
  };
  const world = { openJournal: openSqliteJournal, openMarker: fileMarker, sha256 };
  const { context, told } = contextInMemory({ directory, clock, world });
  return { context: { ...context, stderr: context.stdout }, told };
}

async function drover(directory: string, ...words: string[]) {
  const { context, told } = contextIn(directory);
  const program = new Command('drover').exitOverride().configureOutput({ writeErr: () => undefined });
  addJournal(program, context);
  await program.parseAsync(['journal', ...words], { from: 'user' });
  return { ...told, code: told.code ?? 0, lines: told.text.split('\n').slice(0, -1) };
}

/** A directory with a configuration and a journal of two chains of ten entries beside it. */
async function project() {
  const directory = await freshDirectory();
  await writeFile(join(directory, 'drover.yaml'), 'this is: [not, read');
  const path = join(directory, '.drover', 'journal.db');
  return { directory, path, entries: await writtenJournal(path, 10) };
}

/** Changes the file as somebody would who wants to hide something. */
function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(`drop trigger entries_are_never_changed; drop trigger entries_are_never_removed; ${sql}`);
  database.close();
}

describe('drover journal', () => {
  test('shows dated lines, oldest first, from the journal beside the configuration, also from below', async () => {
    const { directory, entries } = await project();
    await mkdir(join(directory, 'deep', 'down'), { recursive: true });
    const { lines } = await drover(join(directory, 'deep', 'down'));
    expect(lines).toHaveLength(entries.length);
    expect(lines[0]).toBe(
      '2025-11-23T23:44:05.000Z rollout-front-1 1 alice: step index=0 share=0 note="\\"Grüße\\"\\n"',
    );
    expect(lines.at(-1)).toMatch(
      /^2025-11-23T23:44:06.000Z fleet 4 drover: rollout-\S+ ended \(entry 10, hash [0-9a-f]{12}…\)$/,
    );
  });

  test('shows one operation, from a number on, and as lines of JSON', async () => {
    const { directory, path, entries } = await project();
    const { lines } = await drover('/', 'rollout-query-1', '--since', '8', '--json', '--journal', path);
    const wanted = entries.filter(({ operation, seq }) => operation === 'rollout-query-1' && seq > 8);
    expect(lines).toEqual(wanted.map(exportLine));
    await expect(drover(directory, '--since', '8')).rejects.toMatchObject({ message: '--since needs an operation' });
    await expect(drover(directory, 'rollout-qury-1')).rejects.toMatchObject({
      message: 'the journal has no operation "rollout-qury-1"',
      remedy: 'it has: fleet, rollout-front-1, rollout-query-1',
    });
    await expect(drover(directory, '--since', 'x')).rejects.toThrow('a sequence number is expected');
  });

  test('cannot be made to send commands to the terminal by what an entry says', async () => {
    const directory = await freshDirectory();
    const path = join(directory, '.drover', 'journal.db');
    const journal = await openSqliteJournal(path, { readOnly: false });
    const bodies = [
      { kind: 'held', why: '\u001b[2Jgone\u0007', by: 'x\r\ny\u202e' },
      { kind: 'odd\u001b]0;title\u0007', a: '\u001b[2J', b: 'é' },
      { kind: 'promoted', step: 'of other rules' },
    ];
    const { entries } = seal(
      emptyHead('op\u001b[1m'),
      bodies.map((body) => draft(body)),
      sha256,
    );
    await journal.append(emptyHead('op\u001b[1m'), entries);
    await journal.close();
    const { text, lines } = await drover(directory);
    expect(lines).toHaveLength(3);
    expect([...text].filter((character) => /[\p{Cc}\p{Bidi_Control}]/u.test(character))).toEqual(['\n', '\n', '\n']);
    expect(lines[2]).toContain('promoted step="of other rules"');
  });

  test('follows what is appended, and waits for an operation that has not begun', async () => {
    const { directory, path } = await project();
    const { context, told } = contextIn(directory);
    const reader = await openSqliteJournal(path, { readOnly: true });
    const stop = new AbortController();
    const following = follow(context, reader, { operation: 'later', afterSeq: 0 }, false, stop.signal);
    const writer = await openSqliteJournal(path, { readOnly: false });
    let head = emptyHead('later');
    for (const why of ['first', 'second', 'third']) {
      const next = seal(head, [draft({ kind: 'held', why, by: 'alice' })], sha256);
      await writer.append(head, next.entries);
      head = next.head;
      await expect.poll(() => told.text, { timeout: 30_000 }).toContain(`held by alice: ${why}`);
    }
    stop.abort();
    await following;
    expect(told.text.split('\n')).toHaveLength(4);
    await writer.close();
    await reader.close();
  });

  test('says that there is no journal yet, and creates none', async () => {
    const directory = await freshDirectory();
    for (const words of [[], ['verify'], ['export', 'x']]) {
      await expect(drover(directory, ...words)).rejects.toMatchObject({ code: 'not-found' });
    }
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('drover journal export', () => {
  test('writes a file that verifies, for its owner alone, and tells the heads to keep', async () => {
    const { directory, entries } = await project();
    const { text } = await drover(directory, 'export', 'out.ndjson');
    expect(text).toContain('24 entries of 3 chains in out.ndjson');
    for (const head of entries.filter((entry, index) => entries[index + 1]?.operation !== entry.operation)) {
      expect(text).toContain(`  ${head.operation} ${head.seq} ${head.hash}\n`);
    }
    const file = join(directory, 'out.ndjson');
    expect(await readFile(file, 'utf8')).toBe(entries.map((entry) => `${exportLine(entry)}\n`).join(''));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await drover(directory, 'export', '-')).text).toBe(await readFile(file, 'utf8'));
    expect(JSON.parse((await drover(directory, 'export', 'out.ndjson', '--force', '--json')).text)).toMatchObject({
      file: 'out.ndjson',
      heads: [{ operation: 'fleet', seq: 4 }, { seq: 10 }, { seq: 10 }],
    });
    expect(await drover('/', 'verify', '--file', file)).toMatchObject({ code: 0 });
  });

  test('writes over nothing unless told to, and never over the journal', async () => {
    const { directory, path } = await project();
    const kept = await readFile(join(directory, 'drover.yaml'), 'utf8');
    await expect(drover(directory, 'export', 'drover.yaml')).rejects.toMatchObject({
      message: 'drover.yaml is there already, and was left as it is',
      remedy: expect.stringContaining('--force'),
    });
    expect(await readFile(join(directory, 'drover.yaml'), 'utf8')).toBe(kept);
    await symlink(path, join(directory, 'by-a-link'));
    await link(path, join(directory, 'the-same'));
    const names = ['.drover/journal.db', '.drover/journal.db-wal', '.drover/journal.db-shm', 'by-a-link', 'the-same'];
    const before = await readFile(path);
    for (const name of names) {
      await expect(drover(directory, 'export', name, '--force')).rejects.toMatchObject({
        message: `${name} is the journal itself, and was left as it is`,
      });
    }
    expect(await readFile(path)).toEqual(before);
    await mkdir(join(directory, 'taken'));
    await expect(drover(directory, 'export', 'taken', '--force')).rejects.toMatchObject({
      message: 'taken is not a file, and was left as it is',
    });
    await drover(directory, 'export', 'drover.yaml', '--force');
    expect(await drover(directory, 'verify', '--file', 'drover.yaml')).toMatchObject({ code: 0 });
    expect((await readdir(directory)).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  test('into a place that cannot be written leaves nothing behind', async () => {
    const { directory } = await project();
    await expect(drover(directory, 'export', 'nowhere/out.ndjson')).rejects.toMatchObject({
      message: expect.stringContaining(`cannot write ${join(directory, 'nowhere/out.ndjson')}`),
    });
    await mkdir(join(directory, 'taken'));
    await expect(drover(directory, 'export', 'taken')).rejects.toMatchObject({ name: 'CliError' });
    expect((await readdir(directory)).sort((a, b) => a.localeCompare(b))).toEqual(['.drover', 'drover.yaml', 'taken']);
  });

  test('that was changed is found out: exit 2 and the entry', async () => {
    const { directory } = await project();
    await drover(directory, 'export', 'out.ndjson');
    const file = join(directory, 'out.ndjson');
    const bytes = await readFile(file);
    bytes[bytes.indexOf('Grüße') + 2] = 0xff;
    await writeFile(file, bytes);
    const { code, lines } = await drover(directory, 'verify', '--file', 'out.ndjson');
    expect(code).toBe(2);
    expect(lines[0]).toMatch(/^operation rollout-front-1, entry 1: its content was changed after it was written/);
    await expect(drover(directory, 'verify', '--file', 'missing')).rejects.toMatchObject({ name: 'CliError' });
  });
});

describe('drover journal verify', () => {
  test('says that nothing was found, with every head, and what only a head kept elsewhere can show', async () => {
    const { directory, entries } = await project();
    const { code, text } = await drover(directory, 'verify');
    expect(code).toBe(0);
    expect(text).toContain('3 chains, 24 entries: nothing was edited, removed, inserted or moved\n');
    expect(text).toContain(`rollout-query-1  10  ${entries.at(-1)?.hash}\n`);
    expect(text).toContain('shows only against a head kept elsewhere');
  });

  test.each([
    [
      'edited',
      "update entries set actor = 'mallory' where operation = 'rollout-query-1' and seq = 7",
      'entry 7: its content was changed',
    ],
    ['removed', "delete from entries where operation = 'rollout-query-1' and seq = 7", 'entry 7: it was removed'],
    [
      'cut',
      "delete from entries where operation = 'rollout-query-1' and seq > 7",
      'entries 8 to 10: they were removed (operation fleet',
    ],
    [
      'swapped',
      "update entries set seq = -seq where seq in (3, 4) and operation = 'rollout-query-1'; update entries set seq = 7 + seq where seq < 0",
      'entry 3: its content was changed',
    ],
    [
      'made unreadable',
      "update entries set body = '{' where operation = 'rollout-query-1' and seq = 7",
      'entry 7 of operation rollout-query-1 cannot be read',
    ],
  ])('names an entry that was %s in the file: exit 2', async (_what, sql, message) => {
    const { directory, path } = await project();
    tamper(path, sql);
    const { code, lines } = await drover(directory, 'verify');
    expect(code).toBe(2);
    expect(lines[0]).toContain('operation rollout-query-1');
    expect(lines[0]).toContain(message);
    expect(lines.filter((line) => line.startsWith('operation rollout-front-1'))).toEqual([]);
    const json = JSON.parse((await drover(directory, 'verify', '--json')).text);
    expect(json.findings[0]).toMatchObject({ operation: 'rollout-query-1', message: lines[0] });
  });

  test('compares heads that were kept: a journal that has grown since is fine, one that was cut is not', async () => {
    const { directory, path, entries } = await project();
    const kept = entries.find(({ operation, seq }) => operation === 'fleet' && seq === 4)?.hash ?? '';
    const earlier = entries[2]?.hash ?? '';
    expect(await drover(directory, 'verify', '--head', kept, '--head', earlier.slice(0, 16))).toMatchObject({
      code: 0,
    });
    tamper(path, "delete from entries where operation = 'fleet' and seq = 4");
    expect(await drover(directory, 'verify')).toMatchObject({ code: 0 });
    const { code, lines } = await drover(directory, 'verify', '--head', kept);
    expect(code).toBe(2);
    expect(lines[0]).toContain(`head ${kept}: no entry has this hash`);
    await expect(drover(directory, 'verify', '--head', 'abc')).rejects.toThrow('16 to 64 hexadecimal digits');
  });

  test('tells samples that are intact, pruned and changed apart', async () => {
    const { directory, path } = await project();
    const journal = await openSqliteJournal(path, { readOnly: false });
    const blocks = ['1', '2', '3', '4'];
    for (const block of blocks) await journal.samples.put('op', block, `samples ${block}`);
    const bodies = blocks.map((block) =>
      draft({ kind: 'checkpoint', samples: { block, hash: sampleHash(`samples ${block}`, sha256) } }),
    );
    await journal.append(emptyHead('op'), seal(emptyHead('op'), bodies, sha256).entries);
    await journal.samples.prune('op', 2);
    await journal.close();
    const pruned = await drover(directory, 'verify');
    expect(pruned.code).toBe(0);
    expect(pruned.lines).toContain('samples: 2 blocks intact, 2 pruned');
    expect(pruned.text).toMatch(/op +4 {2}[0-9a-f]{64} {2}not anchored in the fleet chain/);
    tamper(path, "update samples set samples = 'nicer' where block = '4'");
    const changed = await drover(directory, 'verify');
    expect(changed.code).toBe(2);
    expect(changed.lines[0]).toMatch(
      /^operation op, entry 4: its samples \(block 4\) were changed after it was written/,
    );
  });
});
