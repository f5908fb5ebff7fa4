import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CanonicalJsonError } from '../../core/journal/canonical.ts';
import type { Entry, Head } from '../../core/journal/entry.ts';
import { compareOperations, exportLine } from '../../core/journal/export.ts';
import type { JournalStore } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';

/**
 * Writes the whole journal as it is at one moment: the chains in the order of their names, an entry a line. `-` is standard
 * output. A file appears only when it is complete, readable by its owner alone.
 */
export async function exportJournal(
  context: Context,
  journal: JournalStore,
  file: string,
  json: boolean,
): Promise<void> {
  const heads = await headsInOrder(journal);
  if (file === '-') {
    for (const head of heads) context.stdout.write(await chainText(journal, head));
    return;
  }
  await writeWhole(resolve(context.directory, file), journal, heads);
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

async function writeWhole(path: string, journal: JournalStore, heads: readonly Head[]): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    const handle = await open(unfinished, 'w', 0o600);
    try {
      for (const head of heads) await handle.writeFile(await chainText(journal, head));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new CliError(
      `cannot write ${path}: ${error.message}`,
      'nothing was left behind; choose another place',
      error,
    );
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
