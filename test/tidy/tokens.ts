/**
 * Splits TypeScript into tokens: enough to tell code from comments, strings and regular expressions, and to match brackets.
 * It is not a parser: the compiler in use has no programming interface, and the rules of the tidy test need no more.
 */
export type Token = {
  readonly kind: TokenKind;
  readonly text: string;
  /** 1-based lines on which it starts and ends. */
  readonly line: number;
  readonly lastLine: number;
};
export type TokenKind = 'word' | 'punctuation' | 'string' | 'template' | 'number' | 'regex' | 'comment';

/** A template with holes becomes several `template` tokens, with the tokens of each hole between them. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open brace: whether its closing one leads back into a template. */
  const braces: boolean[] = [];
  let at = 0;
  let line = 1;
  while (at < source.length) {
    const { kind, text } = scan(source, at, braces.at(-1) === true, tokens);
    const lastLine = line + text.split('\n').length - 1;
    if (kind !== 'space') tokens.push({ kind, text, line, lastLine });
    if (kind === 'template') {
      if (text.startsWith('}')) braces.pop();
      if (text.endsWith('${')) braces.push(true);
    } else if (text === '{') braces.push(false);
    else if (text === '}') braces.pop();
    line = lastLine;
    at += text.length;
  }
  return tokens;
}

/** The tokens that are code: without comments. */
export function codeOf(tokens: readonly Token[]): Token[] {
  return tokens.filter((token) => token.kind !== 'comment');
}

type Scanned = { readonly kind: TokenKind | 'space'; readonly text: string };

function scan(source: string, at: number, inTemplate: boolean, before: readonly Token[]): Scanned {
  const character = source.charAt(at);
  if (character === '`' || (character === '}' && inTemplate)) return { kind: 'template', text: template(source, at) };
  for (const [kind, pattern] of patterns) {
    if (kind === 'regex' && !regexMayStart(source, at, before)) continue;
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text !== undefined) return { kind, text };
  }
  return { kind: 'punctuation', text: character };
}

const patterns: readonly (readonly [TokenKind | 'space', RegExp])[] = [
  ['space', /\s+/y],
  ['comment', /\/\/[^\n]*|\/\*[\s\S]*?\*\/|#![^\n]*/y],
  ['string', /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y],
  ['number', /\.?\d(?:[eE][+-]\d|[\w.])*/y],
  ['word', /#?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy],
  ['regex', /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/y],
  ['punctuation', /=>|\.\.\.|\?\.(?!\d)|\?\?=?|[!=]==?|&&=?|\|\|=?|\+\+|--/y],
];

function template(source: string, from: number): string {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '`') return source.slice(from, at + 1);
    else if (source.startsWith('${', at)) return source.slice(from, at + 2);
  }
  return source.slice(from);
}

const wordsBeforeValues = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof'.split(' '),
);

/** A slash starts a regular expression where a value is expected, and divides where one has just ended. */
function regexMayStart(source: string, at: number, before: readonly Token[]): boolean {
  const last = before.findLast((token) => token.kind !== 'comment');
  if (last === undefined) return true;
  if (last.kind === 'word') return wordsBeforeValues.has(last.text);
  if (last.kind === 'template') return last.text.endsWith('${');
  if (last.kind !== 'punctuation') return false;
  if (last.text === '}') return /\n[ \t]*$/.test(source.slice(0, at));
  return ![')', ']', '++', '--'].includes(last.text);
}
