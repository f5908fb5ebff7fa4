import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type SourceFile = {
  /** From the root of the checkout, with slashes. */
  readonly path: string;
  readonly text: string;
};

export const checkout = join(import.meta.dirname, '..', '..');

/** What belongs to the project: files that git tracks or would track, read as text; without git, all that it would not ignore. */
export function projectFiles(root = checkout): SourceFile[] {
  return (listedByGit(root) ?? listedByFolder(root))
    .filter((path) => lstatSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** null: there is no git, or `root` is not the top of one of its checkouts (an unpacked archive below another one is not). */
function listedByGit(root: string): string[] | null {
  if (!existsSync(join(root, '.git'))) return null;
  const { status, stdout } = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return status === 0 ? stdout.split('\0').filter((path) => path !== '') : null;
}

function listedByFolder(root: string): string[] {
  const patterns = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
  const folders = new Set(['.git', ...patterns.flatMap((line) => (line.endsWith('/') ? [line.slice(0, -1)] : []))]);
  const endings = patterns.flatMap((line) => (line.startsWith('*') ? [line.slice(1)] : []));
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (folders.has(entry.name) || endings.some((ending) => entry.name.endsWith(ending))) return [];
      return entry.isDirectory() ? below(path) : [path];
    });
  return below('');
}

export function isSource({ path }: SourceFile): boolean {
  return /\.(ts|tsx|mjs)$/.test(path);
}
