import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The files among `from` that import `target`, directly or through others: how a suite says what it needs. Paths are
 * relative to `root`, which has all of them.
 */
export function filesThatReach(target: string, from: readonly string[], root: string): string[] {
  const imports = new Map<string, readonly string[]>();
  return from.filter((file) => reaches(target, file, root, imports, new Set()));
}

function reaches(
  target: string,
  file: string,
  root: string,
  imports: Map<string, readonly string[]>,
  seen: Set<string>,
): boolean {
  if (file === target) return true;
  if (seen.has(file)) return false;
  seen.add(file);
  const imported = imports.get(file) ?? importsOf(file, root);
  imports.set(file, imported);
  return imported.some((next) => reaches(target, next, root, imports, seen));
}

function importsOf(file: string, root: string): string[] {
  const path = join(root, file);
  if (!existsSync(path)) return [];
  const specifiers = readFileSync(path, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g);
  return [...specifiers].map((match) => join(dirname(file), match[1] ?? ''));
}
