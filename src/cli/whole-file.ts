import { constants, Stats } from 'node:fs';
import { access, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CliError } from './context.ts';

/** A directory that is not there is more often a mistake in the name than a wish. `shown`: the file, as people wrote it. */
export async function requireDirectory(path: string, shown: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => error);
  if (found instanceof Stats) {
    if (found.isDirectory()) return;
    throw cannotWrite(shown, `${path} is not a directory`, null);
  }
  if (!(found instanceof Error && 'code' in found && found.code === 'ENOENT')) throw notWritten(found, shown);
  throw new CliError(
    `${shown} cannot be written: there is no directory ${path}`,
    `make it first: mkdir -p ${path}`,
    found,
  );
}

/** Says before the work what `replaceWhole` would say after it. */
export async function requireReplaceable(path: string, shown: string): Promise<void> {
  await requireDirectory(dirname(path), shown);
  try {
    await access(dirname(await targetOf(path)), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notWritten(error, shown);
  }
}

/** The old file stays whole until the new one is: a full disk takes neither. Devices and directories are not replaced. */
export async function replaceWhole(path: string, text: string): Promise<void> {
  const target = await targetOf(path);
  const written = `${target}.${process.pid}.new`;
  await createWhole(written, text);
  try {
    await rename(written, target);
  } catch (error) {
    await rm(written, { force: true });
    throw error;
  }
}

/** What a symbolic link leads to, so that the link stays one: in its place, `/dev/stdout` would become a file. */
async function targetOf(path: string): Promise<string> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return path;
  const target = found.isSymbolicLink() ? await realpath(path) : path;
  if (!(await stat(target)).isFile()) throw new Error('what is there is not a file');
  return target;
}

/** Fails when the file is there; leaves none behind when it cannot be written to its end. */
export async function createWhole(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

export function notWritten(error: unknown, shown: string): CliError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EISDIR: 'it is a directory',
    ENOENT: 'it is a link to what is not there',
    ENOTDIR: 'a part of the path is not a directory',
  };
  const reason =
    (typeof code === 'string' ? reasons[code] : undefined) ?? (error instanceof Error ? error.message : String(error));
  return cannotWrite(shown, reason, error);
}

function cannotWrite(shown: string, reason: string, error: unknown): CliError {
  return new CliError(`${shown} cannot be written: ${reason}`, 'name a file that can be written', error);
}
