/**
 * The syntax of java.util.Properties, as Kafka's tools read `--command-config`:
 *
 *     line = blank | comment | entry          comment = '#' or '!' as the first character that is not white
 *     entry = key, white*, ['=' | ':'], white*, value
 *     a line that ends in an odd number of '\' goes on in the next one, without the white space that begins it
 *     \t \n \r \f \uXXXX; any other escaped character stands for itself
 *
 * White is space, tab and form feed; a line ends with \n, \r or \r\n. A key ends at the first separator or white space that is not escaped.
 */
export type PropertyEntry = {
  /** Of the first of its lines, from 1. */
  readonly line: number;
  readonly key: string;
  readonly value: string;
};
export type PropertiesProblem = { readonly line: number; readonly message: string };

/** Entries in the order of the file, doubled keys too. What is malformed is told, and is no entry. */
export function parseProperties(text: string): {
  readonly entries: readonly PropertyEntry[];
  readonly problems: readonly PropertiesProblem[];
} {
  const entries: PropertyEntry[] = [];
  const problems: PropertiesProblem[] = [];
  for (const { line, content } of logicalLines(text)) {
    const [key, value] = split(content);
    const parts = [unescaped(key), unescaped(value)];
    const [plainKey, plainValue] = parts;
    if (typeof plainKey === 'string' && typeof plainValue === 'string')
      entries.push({ line, key: plainKey, value: plainValue });
    else
      problems.push({
        line,
        message: '\\u has to be followed by four hexadecimal digits: double the backslash if it is meant as one',
      });
  }
  return { entries, problems };
}

function logicalLines(text: string): { readonly line: number; readonly content: string }[] {
  const natural = text.split(/\r\n|\r|\n/);
  const lines: { line: number; content: string }[] = [];
  for (let at = 0; at < natural.length; at += 1) {
    const line = at + 1;
    let content = withoutIndent(natural[at] ?? '');
    // A comment does not go on, whatever it ends in.
    if (content === '' || content.startsWith('#') || content.startsWith('!')) continue;
    while (endsInOddBackslashes(content)) {
      at += 1;
      content = content.slice(0, -1) + withoutIndent(natural[at] ?? '');
      if (at >= natural.length) break;
    }
    if (content !== '') lines.push({ line, content });
  }
  return lines;
}

function withoutIndent(text: string): string {
  return text.replace(/^[ \t\f]+/, '');
}

function endsInOddBackslashes(text: string): boolean {
  let count = 0;
  while (text[text.length - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

function split(content: string): [key: string, value: string] {
  let end = 0;
  while (end < content.length && !/[=: \t\f]/.test(content[end] ?? '')) end += content[end] === '\\' ? 2 : 1;
  const rest = content.slice(end);
  return [content.slice(0, end), rest.replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')];
}

const letters: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** Null: a \u without its digits. */
function unescaped(text: string): string | null {
  let plain = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character !== '\\') {
      plain += character;
      continue;
    }
    at += 1;
    const escaped = text[at] ?? '';
    if (escaped !== 'u') {
      plain += letters[escaped] ?? escaped;
      continue;
    }
    const digits = text.slice(at + 1, at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) return null;
    plain += String.fromCharCode(Number.parseInt(digits, 16));
    at += 4;
  }
  return plain;
}
