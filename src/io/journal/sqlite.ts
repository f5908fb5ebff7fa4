import type { SQLOutputValue } from 'node:sqlite';
import type { Entry, EventBody, Head } from '../../core/journal/entry.ts';
import type { JournalStore, Lease, LeaseStore, SampleStore } from '../../engine/ports.ts';
import { assertRun, isHead } from './run.ts';
import { corrupt } from './sqlite-error.ts';
import { SqliteFile } from './sqlite-file.ts';

/**
 * A journal in one file, for any number of processes of one machine. What was acknowledged survives a crash of the process and
 * of the machine (synchronous = full). Throws PortError: disk-full, read-only, denied, corrupt, newer-version, not-found,
 * refused, timeout (locked by another process for more than 5 s), unreachable (the disk).
 */
export async function openSqliteJournal(
  path: string,
  options: { readonly readOnly: boolean },
): Promise<JournalStore & { readonly leases: LeaseStore; readonly samples: SampleStore }> {
  return new SqliteJournal(await SqliteFile.open(path, options.readOnly));
}

class SqliteJournal implements JournalStore {
  readonly leases: LeaseStore;
  readonly samples: SampleStore;
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
    this.leases = new SqliteLeases(file);
    this.samples = new SqliteSamples(file);
  }

  async append(expected: Head, entries: readonly Entry[]): Promise<'appended' | 'conflict'> {
    assertRun(expected, entries);
    return await this.#file.write((db) => {
      const last = db.prepare('select seq, hash from entries where operation = ? order by seq desc limit 1');
      if (!isHead(expected, last.get(expected.operation))) return 'conflict';
      const insert = db.prepare('insert into entries values (?, ?, ?, ?, ?, ?, ?, ?)');
      for (const { operation, seq, previous, hash, rules, atMs, actor, body } of entries) {
        insert.run(operation, seq, previous, hash, rules, atMs, actor, JSON.stringify(body));
      }
      return 'appended';
    });
  }

  async read(operation: string, afterSeq: number): Promise<Entry[]> {
    return await this.#file.read((db) =>
      db
        .prepare('select * from entries where operation = ? and seq > ? order by seq')
        .all(operation, afterSeq)
        .map((row) => entryOf(row, this.#file.path)),
    );
  }

  /** Jumps from one chain's end to the next instead of reading the entries between them. */
  async heads(): Promise<Head[]> {
    return await this.#file.read((db) =>
      db
        .prepare(
          `with recursive chains (operation) as (
             select min(operation) from entries
             union all
             select (select min(operation) from entries where operation > chains.operation)
             from chains where chains.operation is not null
           )
           select operation, seq, hash from chains join entries using (operation)
           where seq = (select max(seq) from entries where operation = chains.operation)`,
        )
        .all()
        .map((row) => {
          const column = columnsOf(row, this.#file.path, 'a head');
          return { operation: column.text('operation'), seq: column.integer('seq'), hash: column.text('hash') };
        }),
    );
  }

  async close(): Promise<void> {
    this.#file.close();
  }
}

/** Compare-and-set in one statement: no row comes back where somebody else holds the lease. */
const acquireSql = `
  insert into leases (operation, holder, fence, expires_at_ms) values (:operation, :holder, 1, :expiresAtMs)
  on conflict (operation) do update set
    fence = fence + (leases.holder is not excluded.holder),
    holder = excluded.holder,
    expires_at_ms = excluded.expires_at_ms
  where leases.holder is null or leases.holder = excluded.holder or leases.expires_at_ms <= :nowMs
  returning fence`;

class SqliteLeases implements LeaseStore {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  async acquire(operation: string, holder: string, nowMs: number, ttlMs: number): Promise<Lease> {
    const { path } = this.#file;
    return await this.#file.write((db) => {
      const expiresAtMs = nowMs + ttlMs;
      const won = db.prepare(acquireSql).get({ operation, holder, nowMs, expiresAtMs });
      if (won !== undefined)
        return { held: true, fence: columnsOf(won, path, 'a lease').integer('fence'), expiresAtMs };
      const row = db.prepare('select holder, expires_at_ms from leases where operation = ?').get(operation);
      const column = columnsOf(row ?? {}, path, 'a lease');
      return { held: false, holder: column.text('holder'), expiresAtMs: column.integer('expires_at_ms') };
    });
  }

  async release(operation: string, holder: string): Promise<void> {
    await this.#file.write((db) =>
      db.prepare('update leases set holder = null where operation = ? and holder = ?').run(operation, holder),
    );
  }

  async holderOf(operation: string): Promise<{ readonly holder: string; readonly expiresAtMs: number } | null> {
    const sql = 'select holder, expires_at_ms from leases where operation = ? and holder is not null';
    const row = await this.#file.read((db) => db.prepare(sql).get(operation));
    if (row === undefined) return null;
    const column = columnsOf(row, this.#file.path, 'a lease');
    return { holder: column.text('holder'), expiresAtMs: column.integer('expires_at_ms') };
  }
}

class SqliteSamples implements SampleStore {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** A block that is put again becomes the newest. */
  async put(operation: string, block: string, samples: string): Promise<void> {
    await this.#file.write((db) =>
      db
        .prepare('insert or replace into samples (operation, block, samples) values (?, ?, ?)')
        .run(operation, block, samples),
    );
  }

  async read(operation: string, block: string): Promise<string | null> {
    return await this.#file.read((db) => {
      const row = db.prepare('select samples from samples where operation = ? and block = ?').get(operation, block);
      return row === undefined
        ? null
        : columnsOf(row, this.#file.path, `samples ${block} of ${operation}`).text('samples');
    });
  }

  async prune(operation: string, keepBlocks: number): Promise<number> {
    return await this.#file.write((db) => {
      const { changes } = db
        .prepare(
          `delete from samples where operation = :operation and number not in
             (select number from samples where operation = :operation order by number desc limit :keepBlocks)`,
        )
        .run({ operation, keepBlocks });
      return Number(changes);
    });
  }
}

type Row = Readonly<Record<string, SQLOutputValue>>;

function entryOf(row: Row, path: string): Entry {
  const column = columnsOf(row, path, `entry ${String(row.seq)} of operation ${String(row.operation)}`);
  return {
    operation: column.text('operation'),
    seq: column.integer('seq'),
    previous: column.text('previous'),
    hash: column.text('hash'),
    rules: column.integer('rules'),
    atMs: column.integer('at_ms'),
    actor: column.text('actor'),
    body: column.body('body'),
  };
}

/** Reads columns as what they were written as; anything else means that the file's bytes were changed. */
function columnsOf(row: Row, path: string, what: string) {
  const damaged = (cause?: unknown) => corrupt(path, `${what} cannot be read`, cause);
  const text = (name: string): string => {
    const value = row[name];
    if (typeof value !== 'string') throw damaged();
    return value;
  };
  const integer = (name: string): number => {
    const value = row[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damaged();
    return value;
  };
  const body = (name: string): EventBody => {
    const value = parseJson(text(name), damaged);
    if (!isBody(value)) throw damaged();
    return value;
  };
  return { text, integer, body };
}

function parseJson(text: string, damaged: (cause: unknown) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(error);
  }
}

function isBody(value: unknown): value is EventBody {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}
