import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyStore } from '../../src/cli/journal/verify.ts';
import { PortError } from '../../src/engine/ports.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { openSqliteJournal } from '../../src/io/journal/sqlite.ts';
import { hostileTexts, place } from '../fuzz/damage.ts';
import { runs } from '../fuzz/runs.ts';
import { freshDirectory, removeDirectories, writtenJournal } from './journal/files.ts';

/** Rows that somebody has changed in the file itself, by any tool. */
let original: string;
let path: string;
beforeAll(async () => {
  const directory = await freshDirectory();
  original = join(directory, 'original.db');
  path = join(directory, 'journal.db');
  await writtenJournal(original, 12);
  const journal = await openSqliteJournal(original, { readOnly: false });
  await journal.leases.acquire('rollout-query-1', 'one', 1000, 500);
  await journal.samples.put('rollout-query-1', 'block', 'samples');
  await journal.close();
});
afterAll(removeDirectories);

const entryColumns = ['operation', 'seq', 'previous', 'hash', 'rules', 'at_ms', 'actor', 'body'] as const;
const numbers = [0n, -1n, 1n << 53n, -(1n << 62n), (1n << 62n) + 1n] as const;
const bodies = [
  '{}',
  '[]',
  'null',
  '{"kind":1}',
  '{"kind":"x"}',
  '{"kind"',
  '{"kind":"\\ud800"}',
  `{"kind":"x","a":${'['.repeat(9000)}${']'.repeat(9000)}}`,
];
const value = fc.oneof(fc.constantFrom(...numbers), fc.constantFrom(...hostileTexts), fc.constantFrom(...bodies));

/** false: the file's own rules do not take it (a number where text belongs, the same key twice). */
async function changed(sql: string, parameters: readonly (string | bigint)[]): Promise<boolean> {
  for (const end of ['-wal', '-shm']) await writeFile(`${path}${end}`, '');
  await copyFile(original, path);
  const db = new DatabaseSync(path);
  try {
    db.exec('drop trigger entries_are_never_changed');
    db.prepare(sql).run(...parameters);
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error) return false;
    throw error;
  } finally {
    db.close();
  }
}

test('property: an entry that was changed in the file is named, or the file is called damaged', async () => {
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...entryColumns), place, value, async (column, where, other) => {
      const sql = `update entries set ${column} = ? where rowid_of = ?`.replace(
        'where rowid_of = ?',
        "where operation = 'rollout-query-1' and seq = ?",
      );
      const seq = 1n + BigInt(Math.floor(where * 12));
      const before = new DatabaseSync(original, { readOnly: true });
      const was: unknown = before
        .prepare(`select ${column} as v from entries where operation = 'rollout-query-1' and seq = ?`)
        .get(seq)?.v;
      before.close();
      fc.pre(String(was) !== String(other) && (await changed(sql, [other, seq])));
      tried += 1;
      const journal = await openSqliteJournal(path, { readOnly: true });
      try {
        const { findings } = await verifyStore(journal, [], sha256);
        expect(findings).not.toEqual([]);
      } catch (error) {
        expect(error).toBeInstanceOf(PortError);
        expect(error).toMatchObject({ code: 'corrupt' });
      } finally {
        await journal.close();
      }
    }),
    runs(120),
  );
  expect(tried).toBeGreaterThan(50);
});

test('property: a lease that was changed is held by whom it says, free, or called damaged', async () => {
  const column = fc.constantFrom('holder', 'fence', 'expires_at_ms', 'operation');
  await fc.assert(
    fc.asyncProperty(column, value, async (name, other) => {
      fc.pre(await changed(`update leases set ${name} = ?`, [other]));
      const journal = await openSqliteJournal(path, { readOnly: false });
      try {
        const lease = await journal.leases.acquire('rollout-query-1', 'two', 1200, 500);
        if (lease.held) expect([lease.expiresAtMs, Number.isSafeInteger(lease.fence)]).toEqual([1700, true]);
        else
          expect(lease).toEqual({
            held: false,
            holder: name === 'holder' ? String(other) : 'one',
            expiresAtMs: expect.any(Number),
          });
        if (name === 'holder' || name === 'fence') expect(lease.held).toBe(false);
        const again = await journal.leases.acquire('rollout-query-1', 'two', 1300, 500);
        expect(again.held).toBe(lease.held);
      } catch (error) {
        expect(error).toBeInstanceOf(PortError);
        expect(error).toMatchObject({ code: 'corrupt' });
      } finally {
        await journal.close();
      }
    }),
    runs(60),
  );
});
