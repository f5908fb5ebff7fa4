import { link, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CanonicalJsonError } from '../../core/journal/canonical.ts';
import type { Entry, Head } from '../../core/journal/entry.ts';
import { compareOperations, exportLine } from '../../core/journal/export.ts';
import type { JournalStore } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';

export type ExportTo = {
  readonly file: string;
  /** Where the journal itself is: never written over. */
  readonly journalFile: string;
  readonly json: boolean;
  /** Over a file that is there. */
  readonly force: boolean;
};

/**
 * Writes the whole journal as it is at one moment: the chains in the order of their names, an entry a line. `-` is standard
 * output. A file appears only when it is complete, readable by its owner alone.
 */
export async function exportJournal(
  context: Context,
  journal: JournalStore,
  { file, journalFile, json, force }: ExportTo,
): Promise<void> {
  const path = resolve(context.directory, file);
  if (file !== '-') await requireWritable(path, file, journalFile, force);
  const heads = await headsInOrder(journal);
  if (file === '-') {
    for (const head of heads) context.stdout.write(await chainText(journal, head));
    return;
  }
  await writeWhole(path, force, journal, heads);
  context.stdout.write(json ? `${JSON.stringify({ file, heads })}\n` : summary(file, heads));
}

/** One moment of the journal: what is appended later is left out everywhere, so that no anchor points to what is not there. */
export async function headsInOrder(journal: JournalStore): Promise<Head[]> {
  return (await journal.heads()).sort((a, b) => compareOperations(a.operation, b.operation));
}

export async function readUpTo(journal: JournalStore, head: Head): Promise<Entry[]> {
  return (await journal.read(head.operation, 0)).filter(({ seq }) => seq <= head.seq);
}

async function chainText(journal: JournalStore, head: Head): Promise<string> {
  return (await readUpTo(journal, head)).map((entry) => `${lineOf(entry)}\n`).join('');
}

/** Throws CliError for an entry whose content was never sealed. */
export function lineOf(entry: Entry): string {
  try {
    return exportLine(entry);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    throw new CliError(
      `operation ${entry.operation}, entry ${entry.seq} cannot be exported: ${error.message}`,
      'it was changed after it was written: see drover journal verify',
      error,
    );
  }
}

/** Never over the journal that is read; over another file only where `force` says so. */
async function requireWritable(path: string, shown: string, journalFile: string, force: boolean): Promise<void> {
  const own = ['', '-wal', '-shm'].map((end) => `${journalFile}${end}`);
  if (own.includes(path) || (await isOneOf(path, own)))
    throw new CliError(`${shown} is the journal itself, and was left as it is`, 'name another file');
  const found = await lstat(path).catch(() => null);
  if (found !== null && !force)
    throw new CliError(
      `${shown} is there already, and was left as it is`,
      'name another file, or write over it with --force',
    );
  if (found !== null && !(await stat(path)).isFile())
    throw new CliError(`${shown} is not a file, and was left as it is`, 'name a file; - is standard output');
}

/** By what is there and not by its name: there are links. */
async function isOneOf(path: string, others: readonly string[]): Promise<boolean> {
  const [one, ...rest] = await Promise.all(
    [path, ...others].map((file) => stat(file, { bigint: true }).catch(() => null)),
  );
  return one != null && rest.some((other) => other?.ino === one.ino && other.dev === one.dev);
}

async function writeWhole(path: string, force: boolean, journal: JournalStore, heads: readonly Head[]): Promise<void> {
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      for (const head of heads) await handle.writeFile(await chainText(journal, head));
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Fails where somebody else has made the file meanwhile.
    if (force) await rename(unfinished, await realpath(path).catch(() => path));
    else await link(unfinished, path);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new CliError(
      `cannot write ${path}: ${error.message}`,
      'nothing was left behind; choose another place',
      error,
    );
  } finally {
    await rm(unfinished, { force: true }).catch(() => undefined);
  }
}

function summary(file: string, heads: readonly Head[]): string {
  const count = heads.reduce((sum, head) => sum + head.seq, 0);
  const lines = heads.map(({ operation, seq, hash }) => `  ${operation} ${seq} ${hash}\n`);
  return (
    `${count} entries of ${heads.length} chains in ${file}. Their heads, to be kept elsewhere:\n${lines.join('')}` +
    `Verify with: drover journal verify --file ${file} --head HASH\n`
  );
}
