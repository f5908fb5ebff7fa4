import type { SourceFile } from './files.ts';
import { tokensOf } from './rule.ts';
import { codeOf, type Token } from './tokens.ts';

export type Import = {
  readonly line: number;
  readonly specifier: string;
  /** Vanishes when types are stripped: `import type`, or only `type` names between the braces. */
  readonly typeOnly: boolean;
  /** `export … from`. */
  readonly reExport: boolean;
};

/** Static and dynamic imports and re-exports. The specifier of a dynamic one that is not a plain string is its source text. */
export function importsOf(file: SourceFile): Import[] {
  const code = codeOf(tokensOf(file));
  return code.flatMap((token, at) => {
    const previous = code[at - 1]?.text;
    if (previous === '.' || previous === '?.' || code[at + 1]?.text === ':') return [];
    if (token.text === 'import') return importAt(code, at);
    if (token.text === 'export') return reExportAt(code, at);
    return [];
  });
}

function importAt(code: readonly Token[], at: number): Import[] {
  const line = code[at]?.line ?? 0;
  const following = code[at + 1];
  if (following?.text === '.') return [];
  if (following?.text === '(') {
    // `import('x')` as a value and as a type look alike; both bind this file to the other one.
    return [{ line, specifier: unquoted(code[at + 2]), typeOnly: false, reExport: false }];
  }
  if (following?.kind === 'string') {
    return [{ line, specifier: unquoted(following), typeOnly: false, reExport: false }];
  }
  return withSource(code, at, false);
}

function reExportAt(code: readonly Token[], at: number): Import[] {
  const star = code[at + 1]?.text === 'type' ? at + 2 : at + 1;
  const opens = code[star]?.text;
  return opens === '{' || opens === '*' ? withSource(code, at, true) : [];
}

function withSource(code: readonly Token[], at: number, reExport: boolean): Import[] {
  const statement: Token[] = [];
  for (const token of code.slice(at + 1)) {
    if (statement.at(-1)?.text === 'from' && token.kind === 'string') {
      const typeOnly = isTypeOnly(statement);
      return [{ line: code[at]?.line ?? 0, specifier: unquoted(token), typeOnly, reExport }];
    }
    if (token.text === ';' || token.kind === 'string') break;
    if (statement.at(-1)?.text === '}' && token.text !== 'from') break;
    statement.push(token);
  }
  return [];
}

function isTypeOnly(statement: readonly Token[]): boolean {
  if (statement[0]?.text === 'type' && statement[1]?.text !== 'from') return true;
  if (statement[0]?.text !== '{') return false;
  const names = statement.slice(
    1,
    statement.findIndex((token) => token.text === '}'),
  );
  const starts = names.filter((_, index) => index === 0 || names[index - 1]?.text === ',');
  return starts.length > 0 && starts.every((token) => token.text === 'type');
}

function unquoted(token: Token | undefined): string {
  return token?.kind === 'string' ? token.text.slice(1, -1) : (token?.text ?? '');
}
