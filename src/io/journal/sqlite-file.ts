import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, linkSync, mkdirSync, openSync, rmSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { PortError } from '../../engine/ports.ts';
import { corrupt, isBusy, isWithoutIndex, translate } from './sqlite-error.ts';

/** `DROV`: tells a journal from any other SQLite database. */
const applicationId = 0x44_52_4f_56;
const schemaVersion = 1;
const busyMsMax = 5000;

/** Entries are never changed, not even by mistake. `holder` null: the lease was given back. */
const schema = `
  create table entries (
    operation text not null, seq integer not null, previous text not null, hash text not null,
    rules integer not null, at_ms integer not null, actor text not null, body text not null,
    primary key (operation, seq)
  ) strict, without rowid;
  create trigger entries_are_never_changed before update on entries
    begin select raise(abort, 'entries are never changed'); end;
  create trigger entries_are_never_removed before delete on entries
    begin select raise(abort, 'entries are never removed'); end;
  create table leases (
    operation text primary key, holder text, fence integer not null, expires_at_ms integer not null
  ) strict, without rowid;
  create table samples (
    number integer primary key, operation text not null, block text not null, samples text not null,
    unique (operation, block)
  ) strict;
  pragma application_id = ${applicationId};
  pragma user_version = ${schemaVersion};
`;

/**
 * One connection to a journal's file. Every call first makes sure that the path still leads to the file that was opened: SQLite
 * would go on writing to a deleted one. A lock held by another process is waited for without stopping this one.
 */
export class SqliteFile {
  readonly #path: string;
  readonly #readOnly: boolean;
  #open: { readonly db: DatabaseSync; readonly identity: Stats; readonly immutable: boolean };

  static async open(path: string, readOnly: boolean): Promise<SqliteFile> {
    return await patiently(path, () => new SqliteFile(path, readOnly));
  }

  private constructor(path: string, readOnly: boolean) {
    this.#path = path;
    this.#readOnly = readOnly;
    this.#open = openFile(path, readOnly);
  }

  get path(): string {
    return this.#path;
  }

  async read<T>(action: (db: DatabaseSync) => T): Promise<T> {
    return await patiently(this.#path, () => action(this.#current()));
  }

  /**
   * `action` runs inside a transaction that has the write lock from its start; after any error nothing of it is kept. A newer Drover
   * may have taken the file over since it was opened: nothing is written into what this one does not know.
   */
  async write<T>(action: (db: DatabaseSync) => T): Promise<T> {
    return await patiently(this.#path, () =>
      transact(this.#current(), (db) => {
        const version = versionOf(db);
        if (version > schemaVersion) throw newer(this.#path, version);
        return action(db);
      }),
    );
  }

  close(): void {
    if (this.#open.db.isOpen) this.#open.db.close();
  }

  #current(): DatabaseSync {
    const { db, identity, immutable } = this.#open;
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now === undefined || now.ino !== identity.ino || now.dev !== identity.dev) throw replaced(this.#path);
    if (!immutable) return db;
    // Opened without locks or a log, it shows the file as it was: somebody who may write may have changed it since.
    db.close();
    this.#open = openFile(this.#path, this.#readOnly);
    return this.#open.db;
  }
}

/** Waits out other processes' locks; every other error is translated. A synchronous busy handler would stop the event loop. */
async function patiently<T>(path: string, action: () => T): Promise<T> {
  const startedMs = performance.now();
  for (let delayMs = 1; ; delayMs = Math.min(25, delayMs * 2)) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error) || performance.now() - startedMs > busyMsMax) throw translate(error, path);
    }
    await sleep(delayMs);
  }
}

function transact<T>(db: DatabaseSync, action: (db: DatabaseSync) => T): T {
  db.exec('begin immediate');
  try {
    const result = action(db);
    db.exec('commit');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}

function openFile(path: string, readOnly: boolean) {
  if (!readOnly) createFile(path);
  const identity = statSync(path, { throwIfNoEntry: false });
  if (identity === undefined) throw missing(path);
  if (!identity.isFile())
    throw new PortError('refused', `${path} is not a file: give --journal PATH`, { retriable: false });
  const opened = readOnly ? openForReading(path) : { db: openForWriting(path), immutable: false };
  return { ...opened, identity };
}

/**
 * A new journal appears at its path whole: a reader never meets one that is only half made. Only its owner may read it, since it
 * says who did what and why. A directory that exists keeps its mode.
 */
function createFile(path: string): void {
  makeDirectory(dirname(path));
  if (existsSync(path)) return;
  const making = `${path}.${process.pid}-${randomUUID().slice(0, 8)}.new`;
  try {
    closeSync(openSync(making, 'wx', 0o600));
    openForWriting(making).close();
    linkSync(making, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    // A file system without hard links: the file that is opened next is made there.
    if (code === 'EPERM' || code === 'ENOTSUP') closeSync(openSync(path, 'a', 0o600));
    // EEXIST: somebody else was faster.
    else if (code !== 'EEXIST') throw error;
  } finally {
    for (const end of ['', '-wal', '-shm']) rmSync(`${making}${end}`, { force: true });
  }
}

/** One after the other: of all at once, Node says "no such file" where the file system is read-only. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have been faster.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

function openForWriting(path: string): DatabaseSync {
  const db = connect(path, false);
  return closedOnError(db, () => {
    const isNew = inspect(db, path) === 'empty';
    db.exec('pragma synchronous = full; pragma trusted_schema = off');
    const mode: unknown = db.prepare('pragma journal_mode = wal').get()?.journal_mode;
    if (mode !== 'wal') throw withoutLog(path);
    if (isNew) transact(db, () => inspect(db, path) === 'empty' && db.exec(schema));
  });
}

/**
 * A reader needs the index beside the log. Where it may not create one, but there is no log to be read either, the file is
 * complete and is read as it stands.
 */
function openForReading(path: string): { readonly db: DatabaseSync; readonly immutable: boolean } {
  try {
    return { db: openExisting(path, path), immutable: false };
  } catch (error) {
    if (!isWithoutIndex(error)) throw error;
    if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) throw logWithoutIndex(path, error);
    return { db: openExisting(path, new URL(`${pathToFileURL(path).href}?immutable=1`)), immutable: true };
  }
}

function openExisting(path: string, location: string | URL): DatabaseSync {
  const db = connect(location, true);
  return closedOnError(db, () => {
    if (inspect(db, path) === 'empty')
      throw corrupt(path, 'it is empty; either nothing was ever written, or it was cut off');
  });
}

function connect(location: string | URL, readOnly: boolean): DatabaseSync {
  return new DatabaseSync(location, { readOnly, enableForeignKeyConstraints: false, timeout: 0 });
}

function closedOnError(db: DatabaseSync, action: () => void): DatabaseSync {
  try {
    action();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Looks before anything is changed, so that somebody else's database stays as it is. */
function inspect(db: DatabaseSync, path: string): 'journal' | 'empty' {
  const id: unknown = db.prepare('pragma application_id').get()?.application_id;
  const version = versionOf(db);
  if (id === applicationId && version === schemaVersion) return 'journal';
  if (id === applicationId && version > schemaVersion) throw newer(path, version);
  if (id === 0 && version === 0 && db.prepare('select 1 from sqlite_schema limit 1').get() === undefined)
    return 'empty';
  throw new PortError(
    'refused',
    `${path} is a SQLite database, but not a journal of Drover: give another --journal PATH`,
    {
      retriable: false,
    },
  );
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('pragma user_version').get()?.user_version);
}

function missing(path: string): PortError {
  return new PortError(
    'not-found',
    `there is no journal at ${path}: nothing was started here yet. If it is elsewhere, give --journal PATH`,
    { retriable: false },
  );
}

function replaced(path: string): PortError {
  return new PortError(
    'not-found',
    `the journal ${path} was deleted or replaced while it was in use. What was written until now is in the old file only: ` +
      'put that back, and start again',
    { retriable: false },
  );
}

function newer(path: string, version: number): PortError {
  return new PortError(
    'newer-version',
    `the journal ${path} was written by a newer Drover (schema ${version}, this one knows ${schemaVersion}): use that version`,
    { retriable: false },
  );
}

function withoutLog(path: string): PortError {
  return new PortError(
    'refused',
    `the file system under ${path} cannot hold a journal safely (no shared memory: a network file system?): ` +
      'give a --journal PATH on a local disk',
    { retriable: false },
  );
}

function logWithoutIndex(path: string, cause: unknown): PortError {
  return new PortError(
    'read-only',
    `cannot read the journal ${path}: entries are still in ${path}-wal, and this user may not create the index for it. ` +
      'Copy both files to a directory that is writable, and read them there',
    { retriable: false, cause },
  );
}
