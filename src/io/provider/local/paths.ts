import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Where one group keeps its state: `<stateDirectory>/local/<name>/`. */
export type GroupPaths = {
  readonly directory: string;
  readonly group: string;
  readonly lock: string;
  /** Who holds the lock, for messages only. */
  readonly controller: string;
  /** What the tokens of all its processes start with. */
  readonly tokenPrefix: string;
};

/** `stateDirectory` comes from `resolveDirectory`. */
export function groupPaths(stateDirectory: string, name: string): GroupPaths {
  const folder = encodeURIComponent(name);
  const directory = join(localDirectory(stateDirectory), folder);
  return {
    directory,
    group: join(directory, 'group.json'),
    lock: join(directory, 'controller.lock'),
    controller: join(directory, 'controller.json'),
    tokenPrefix: `${storePrefix(stateDirectory)}${folder}/`,
  };
}

/** One spelling for each directory, whether it exists yet or not: the tokens are derived from it. */
export function resolveDirectory(path: string): string {
  const absolute = resolve(path);
  if (existsSync(absolute)) return realpathSync(absolute);
  const parent = dirname(absolute);
  return parent === absolute ? absolute : join(resolveDirectory(parent), basename(absolute));
}

/** The group whose folder has this name; null: no group's has. */
export function groupOfFolder(folder: string): string | null {
  try {
    const name = decodeURIComponent(folder);
    return encodeURIComponent(name) === folder ? name : null;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

export function localDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'local');
}

export function instanceFile(paths: GroupPaths, index: number): string {
  return join(paths.directory, `instance-${index}.json`);
}

export function logFile(paths: GroupPaths, index: number): string {
  return join(paths.directory, `instance-${index}.log`);
}

/**
 * What the tokens of all groups of a state directory start with. Derived from its path, so that a directory that was deleted
 * and made anew still finds its processes, and a copy of it elsewhere does not take them for its own.
 */
export function storePrefix(stateDirectory: string): string {
  return `${createHash('sha256').update(stateDirectory).digest('hex').slice(0, 16)}/`;
}

/** A token reads `<store>/<group>/<index>/<random>`; null: it is not one of this group. */
export function tokenIndex(paths: GroupPaths, token: string): number | null {
  if (!token.startsWith(paths.tokenPrefix)) return null;
  const index = token.slice(paths.tokenPrefix.length).match(/^(\d{1,6})\//)?.[1];
  return index === undefined ? null : Number(index);
}
