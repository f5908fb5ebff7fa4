import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type SourceFile = {
  /** From the root of the checkout, with slashes. */
  readonly path: string;
  readonly text: string;
};

export const checkout = join(import.meta.dirname, '..', '..');

/** What belongs to the project: files that git tracks or would track, read as text. */
export function projectFiles(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: checkout,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(checkout, path)))
    .map((path) => ({ path, text: readFileSync(join(checkout, path), 'utf8') }));
}

export function isSource({ path }: SourceFile): boolean {
  return /\.(ts|tsx|mjs)$/.test(path);
}
