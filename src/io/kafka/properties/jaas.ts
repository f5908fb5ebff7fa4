/**
 * One login, as sasl.jaas.config has it:
 *
 *     class flag { name=value } ';'          value = word | "text" | 'text', with \ before what is meant as it is
 *
 * flag: required, requisite, sufficient or optional.
 */
export type JaasLogin = { readonly module: string; readonly options: ReadonlyMap<string, string> };

/** The message ends a sentence about the setting, and has no part of a value in it. */
export class JaasRefused extends Error {
  override readonly name = 'JaasRefused';
}

export function parseJaas(text: string): JaasLogin {
  const tokens = tokensOf(text);
  const next = () => tokens.shift() ?? { kind: 'end' as const, text: '' };
  const module = next();
  if (module.kind !== 'word') throw new JaasRefused('it has to begin with the class of a login module');
  const flag = next();
  if (flag.kind !== 'word' || !/^(required|requisite|sufficient|optional)$/i.test(flag.text))
    throw new JaasRefused('behind the login module comes `required`');
  const options = new Map<string, string>();
  for (let token = next(); token.kind !== 'semicolon'; token = next()) {
    if (token.kind === 'end') throw new JaasRefused('it has to end with a semicolon');
    if (token.kind !== 'word') throw new JaasRefused(`expected name="value" after ${countWords(options.size)}`);
    if (next().kind !== 'equals')
      throw new JaasRefused(`behind an option's name comes =, after ${countWords(options.size)}`);
    const value = next();
    if (value.kind !== 'word' && value.kind !== 'quoted')
      throw new JaasRefused(`behind = comes a value, after ${countWords(options.size)}`);
    options.set(token.text, value.text);
  }
  if (tokens.length > 0)
    throw new JaasRefused('there is something behind the semicolon: only one login module is taken');
  return { module: module.text, options };
}

type Token = { readonly kind: 'word' | 'quoted' | 'equals' | 'semicolon' | 'end'; readonly text: string };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? '';
    if (/\s/.test(character)) at += 1;
    else if (character === '=' || character === ';') {
      tokens.push({ kind: character === '=' ? 'equals' : 'semicolon', text: character });
      at += 1;
    } else if (character === '"' || character === "'") {
      const { value, end } = quoted(text, at);
      tokens.push({ kind: 'quoted', text: value });
      at = end;
    } else {
      const word = /^[^\s=;"']+/.exec(text.slice(at))?.[0] ?? character;
      tokens.push({ kind: 'word', text: word });
      at += word.length;
    }
  }
  return tokens;
}

/** As Java's StreamTokenizer reads it: a line end ends nothing here, as in a file it can only be there when it is escaped. */
function quoted(text: string, at: number): { readonly value: string; readonly end: number } {
  const mark = text[at];
  let value = '';
  for (let place = at + 1; place < text.length; place += 1) {
    const character = text[place] ?? '';
    if (character === mark) return { value, end: place + 1 };
    if (character !== '\\') {
      value += character;
      continue;
    }
    const octal = /^[0-3]?[0-7]{1,2}/.exec(text.slice(place + 1))?.[0];
    if (octal !== undefined) {
      value += String.fromCharCode(Number.parseInt(octal, 8));
      place += octal.length;
      continue;
    }
    const escaped = text[place + 1] ?? '';
    value += controls[escaped] ?? escaped;
    place += 1;
  }
  throw new JaasRefused('a quotation mark is not closed');
}

/** Of StreamTokenizer. */
const controls: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function countWords(count: number): string {
  return count === 1 ? '1 option' : `${count} options`;
}
