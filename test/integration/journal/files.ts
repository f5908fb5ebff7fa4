import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Entry, emptyHead } from '../../../src/core/journal/entry.ts';
import { openSqliteJournal } from '../../../src/io/journal/sqlite.ts';
import { anchored, chainOf } from '../../journal/written.ts';

const directories: string[] = [];

export async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-journal-'));
  directories.push(directory);
  return directory;
}

export async function removeDirectories(): Promise<void> {
  for (const directory of directories.splice(0)) {
    // Only root empties a directory that a test has made read-only.
    await chmod(directory, 0o700);
    await rm(directory, { recursive: true, force: true });
  }
}

export const writerFile = join(import.meta.dirname, 'writer.ts');

export type Ended = { readonly lines: readonly string[]; readonly errors: string; readonly code: number | null };

/** Runs a command to its end; `uid` where the writer is to become somebody else (its own doing: see there). */
export async function run(command: string, parameters: readonly string[], uid?: number): Promise<Ended> {
  const child = spawn(command, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { env: { ...process.env, WRITER_UID: String(uid) } }),
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { lines: out.split('\n').filter((line) => line !== ''), errors, code: await ended };
}

/** A closed journal with two chains of `count` entries each, which the fleet chain anchors. */
export async function writtenJournal(path: string, count: number): Promise<Entry[]> {
  const journal = await openSqliteJournal(path, { readOnly: false });
  const entries = anchored(['rollout-query-1', 'rollout-front-1'].map((operation) => chainOf(operation, count)));
  for (const operation of new Set(entries.map((entry) => entry.operation))) {
    const chain = entries.filter((entry) => entry.operation === operation);
    await journal.append(emptyHead(operation), chain);
  }
  await journal.close();
  return entries;
}
