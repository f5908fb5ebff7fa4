import type { SourceFile } from './files.ts';
import { type Token, tokenize } from './tokens.ts';

/** One place where the project breaks a rule of the house. */
export type Violation = {
  readonly path: string;
  readonly line: number;
  /** What is there. */
  readonly found: string;
  /** What to write in its place. */
  readonly instead: string;
};

export type Rule = (file: SourceFile) => Violation[];

export function describeViolation({ path, line, found, instead }: Violation): string {
  return `${path}:${line}: ${found}; instead: ${instead}`;
}

const cache = new WeakMap<SourceFile, Token[]>();

/** Every rule looks at the same tokens of a file. */
export function tokensOf(file: SourceFile): Token[] {
  const known = cache.get(file) ?? tokenize(file.text);
  cache.set(file, known);
  return known;
}
