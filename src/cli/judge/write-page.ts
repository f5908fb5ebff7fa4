import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError, type Context } from '../context.ts';
import { notWritten, replaceWhole, requireReplaceable } from '../whole-file.ts';

type Place = Pick<Context, 'directory'>;

/** Before anything is read: a recording may come down a pipe for hours. */
export async function requirePlace({ directory }: Place, out: string, recording: string): Promise<void> {
  if (out === '-' || out === '') {
    throw new CliError(`--html: expected the name of a file, found ${out === '' ? 'nothing' : out}`, 'name one');
  }
  const path = resolve(directory, out);
  await requireReplaceable(path, out);
  if (recording !== '-' && (await isSame(path, resolve(directory, recording)))) {
    throw new CliError(`--html ${out} is the recording itself, and was left as it is`, 'name another file');
  }
}

export async function writePage({ directory }: Place, out: string, page: string): Promise<void> {
  try {
    await replaceWhole(resolve(directory, out), page);
  } catch (error) {
    throw notWritten(error, out);
  }
}

/** By what is there and not by its name: there are links. */
async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path, { bigint: true }).catch(() => null)));
  return a != null && b != null && a.dev === b.dev && a.ino === b.ino;
}
