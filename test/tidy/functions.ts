import { codeOf, type Token } from './tokens.ts';

export type FunctionSpan = { readonly name: string; readonly line: number; readonly lines: number };

/** Functions, methods and arrow functions, from the line of their name (or first parameter) to that of their end. */
export function functionsOf(tokens: readonly Token[]): FunctionSpan[] {
  const code = codeOf(tokens);
  return code.flatMap((_, at) => {
    const span = classicFunction(code, at) ?? arrowFunction(code, at) ?? method(code, at);
    const [first, last] = span === null ? [] : [code[span.start], code[span.end]];
    if (span === null || first === undefined || last === undefined) return [];
    return [{ name: span.name, line: first.line, lines: last.lastLine - first.line + 1 }];
  });
}

type Span = { readonly name: string; readonly start: number; readonly end: number };

function classicFunction(code: readonly Token[], at: number): Span | null {
  if (textAt(code, at) !== 'function' || isPropertyName(code, at)) return null;
  const open = code.findIndex((token, index) => index > at && token.text === '(');
  const body = bodyAfterParameters(code, open);
  if (body === null) return null;
  const name = code.slice(at + 1, open).find((token) => token.kind === 'word')?.text ?? 'function';
  return { name, start: at, end: closingOf(code, body) };
}

/** Types of functions are found as well: they are short, and a long one would deserve a name too. */
function arrowFunction(code: readonly Token[], at: number): Span | null {
  if (textAt(code, at) !== '=>') return null;
  const start = parametersBefore(code, at);
  if (isGroupOfTests(code, start)) return null;
  const end = textAt(code, at + 1) === '{' ? closingOf(code, at + 1) : endOfExpression(code, at + 1);
  const equals = textAt(code, start - 1) === 'async' ? start - 2 : start - 1;
  const name = textAt(code, equals) === '=' && code[equals - 1]?.kind === 'word' ? textAt(code, equals - 1) : '=>';
  return { name, start, end };
}

const wordsBeforeParentheses = new Set('if for while switch catch with function return await typeof'.split(' '));

function method(code: readonly Token[], at: number): Span | null {
  const token = code[at];
  const named = token?.kind === 'word' || token?.kind === 'string' || token?.text === ']';
  if (token === undefined || !named || wordsBeforeParentheses.has(token.text)) return null;
  if (['.', '?.', 'function', 'new'].includes(textAt(code, at - 1))) return null;
  const open = textAt(code, at + 1) === '<' ? afterAngles(code, at + 1) : at + 1;
  const body = bodyAfterParameters(code, open);
  return body === null ? null : { name: token.text, start: at, end: closingOf(code, body) };
}

/** The `{` of the body after the parameter list that opens at `open` and an optional return type; null: there is no body. */
function bodyAfterParameters(code: readonly Token[], open: number): number | null {
  if (textAt(code, open) !== '(') return null;
  let at = closingOf(code, open) + 1;
  if (textAt(code, at) === '{') return at;
  if (textAt(code, at) !== ':') return null;
  for (at += 1; at < code.length; at++) {
    const text = textAt(code, at);
    if (text === '{' && !typeMayFollow(textAt(code, at - 1))) return at;
    if ([';', '=', ')', ']', '}'].includes(text)) return null;
    if (['{', '(', '['].includes(text)) at = closingOf(code, at);
  }
  return null;
}

function typeMayFollow(text: string): boolean {
  return [':', '|', '&', '=>', '<', ',', '?', 'extends', 'keyof', 'readonly', 'is', 'infer'].includes(text);
}

/** The opening parenthesis of the parameters that end before the arrow, over a return type if there is one. */
function parametersBefore(code: readonly Token[], arrow: number): number {
  for (let at = arrow - 1; at >= 0; at--) {
    const text = textAt(code, at);
    const opening = [')', ']', '}'].includes(text) ? openingOf(code, at) : at;
    if (text === ')' && (at === arrow - 1 || textAt(code, at + 1) === ':')) return opening;
    if (['(', '[', '{', ';', '='].includes(text)) break;
    at = opening;
  }
  return arrow - 1;
}

/** The callback of `describe` is a heading over tests, not something to be held in mind at once. */
function isGroupOfTests(code: readonly Token[], start: number): boolean {
  let at = start - 1;
  for (; at >= 0 && textAt(code, at) !== '('; at--) {
    const text = textAt(code, at);
    if ([';', '{', '[', '=', '=>'].includes(text)) return false;
    if ([')', ']', '}'].includes(text)) at = openingOf(code, at);
  }
  let callee = at - 1;
  if (textAt(code, callee) === ')') callee = openingOf(code, callee) - 1;
  while (textAt(code, callee - 1) === '.') callee -= 2;
  return textAt(code, callee) === 'describe';
}

/** Also where the arrow was part of a function's return type, and what follows is that function's body. */
function endOfExpression(code: readonly Token[], from: number): number {
  let at = from;
  for (; at < code.length; at++) {
    const text = textAt(code, at);
    if ([',', ';', ')', ']', '}'].includes(text)) return at - 1;
    if (code[at]?.kind === 'template' && text.startsWith('}')) return at - 1;
    if (text === '{' && (code[at - 1]?.kind === 'word' || ['>', ']'].includes(textAt(code, at - 1)))) return at - 1;
    if (['{', '(', '['].includes(text)) at = closingOf(code, at);
  }
  return at - 1;
}

/** Index of the bracket that closes the one at `open`; the last token if none does. */
function closingOf(code: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    depth += depthOf(code[at]);
    if (depth === 0) return at;
  }
  return code.length - 1;
}

function openingOf(code: readonly Token[], close: number): number {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    depth += depthOf(code[at]);
    if (depth === 0) return at;
  }
  return 0;
}

function depthOf(token: Token | undefined): number {
  if (token === undefined) return 0;
  if (token.kind === 'template') return (token.text.endsWith('${') ? 1 : 0) - (token.text.startsWith('}') ? 1 : 0);
  if (token.kind !== 'punctuation') return 0;
  if (['{', '(', '['].includes(token.text)) return 1;
  return ['}', ')', ']'].includes(token.text) ? -1 : 0;
}

function afterAngles(code: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    const text = textAt(code, at);
    if (text === '<') depth++;
    if (text === '>') depth--;
    if (depth === 0) return at + 1;
    if (['{', '(', '['].includes(text)) at = closingOf(code, at);
    if ([';', ')', '}'].includes(text)) break;
  }
  return -1;
}

function isPropertyName(code: readonly Token[], at: number): boolean {
  return ['.', '?.'].includes(textAt(code, at - 1)) || textAt(code, at + 1) === ':';
}

function textAt(code: readonly Token[], at: number): string {
  return code[at]?.text ?? '';
}
