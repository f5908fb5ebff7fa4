import { readFile, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { PortError } from '../../../engine/ports.ts';
import type { ProcessIdentity } from './lifecycle.ts';
import type { GroupPaths } from './paths.ts';
import { identify } from './processes.ts';
import { translated } from './records.ts';

/** Held until released or until the process ends, however it ends. */
export type ControlLock = { release(): Promise<void> };
export type ControlLockResult =
  | { readonly held: true; readonly lock: ControlLock }
  | { readonly held: false; readonly holder: string };

const holderSchema = z.strictObject({ pid: z.int(), startTicks: z.number(), bootId: z.string() });
const sqliteBusy = 5;
const sqliteFull = 13;
const sqliteNotADatabase = 26;

/**
 * The right to start and stop processes of a group, for one process at a time. It is a lock of the kernel (taken through an
 * empty SQLite database, as Node offers no other), so a controller that is killed leaves nothing stale behind, and two that
 * start at once cannot both believe that the third is dead. A file beside it says who holds it, for messages only.
 */
export async function takeControlLock(paths: GroupPaths): Promise<ControlLockResult> {
  const database = tryLock(paths.lock);
  if (database === null) return { held: false, holder: await describeHolder(paths.controller) };
  const release = async () => {
    await rm(paths.controller, { force: true });
    database.close();
  };
  try {
    await translated(paths.controller, () =>
      writeFile(paths.controller, JSON.stringify(identify(process.pid)), { mode: 0o600 }),
    );
  } catch (error) {
    database.close();
    throw error;
  }
  return { held: true, lock: { release } };
}

/** null: another process holds it. Throws PortError. */
function tryLock(file: string): DatabaseSync | null {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (!(error instanceof Error && 'errcode' in error)) throw error;
    if (error.errcode === sqliteBusy) return null;
    throw lockProblem(file, error.errcode, error);
  }
}

function lockProblem(file: string, errcode: unknown, cause: Error): PortError {
  if (errcode === sqliteFull)
    return new PortError('disk-full', `${file}: the disk is full; free some space.`, { retriable: true, cause });
  if (errcode === sqliteNotADatabase) {
    return new PortError('corrupt', `${file}: not a lock file of Drover; delete it.`, { retriable: false, cause });
  }
  const message = `${file}: the lock cannot be opened (${cause.message}); make its directory writable or use another state directory.`;
  return new PortError('denied', message, { retriable: true, cause });
}

async function describeHolder(file: string): Promise<string> {
  const holder = await readHolder(file);
  if (holder === null) return 'another process';
  if (holder.pid === process.pid) return 'another part of this process';
  return identify(holder.pid)?.startTicks === holder.startTicks ? `process ${holder.pid}` : 'another process';
}

async function readHolder(file: string): Promise<ProcessIdentity | null> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Only the lock decides; a holder that cannot be named is still one.
    return null;
  }
}
