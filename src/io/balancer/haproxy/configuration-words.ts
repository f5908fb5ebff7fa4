/** One line of haproxy.cfg: its words without quotes, and whether `.if` decides if it is there at all. */
export type ConfigurationLine = { readonly words: readonly string[]; readonly conditional: boolean };

/**
 * The lines of haproxy.cfg that say something. Words are separated by blanks; `#` starts a comment; a backslash takes
 * the next character as it is, and so do single quotes; in double quotes blanks and `#` are text. Environment variables
 * are left as they are written: their value is the balancer's, not ours.
 */
export function configurationLines(text: string): ConfigurationLine[] {
  const lines: ConfigurationLine[] = [];
  let depth = 0;
  for (const line of text.split(/\r?\n/)) {
    const words = wordsOf(line);
    if (words[0] === '.if') depth++;
    else if (words[0] === '.endif') depth = Math.max(0, depth - 1);
    else if (words.length > 0 && !words[0]?.startsWith('.')) lines.push({ words, conditional: depth > 0 });
  }
  return lines;
}

function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < line.length; at++) {
    const symbol = line.charAt(at);
    if (quote === null && symbol === '#') break;
    if (quote === null && (symbol === ' ' || symbol === '\t')) {
      if (word !== null) words.push(word);
      word = null;
    } else if (symbol === quote) quote = null;
    else if (quote === null && (symbol === '"' || symbol === "'")) {
      quote = symbol;
      word ??= '';
    } else if (symbol === '\\' && quote !== "'") word = (word ?? '') + line.charAt(++at);
    else word = (word ?? '') + symbol;
  }
  if (word !== null) words.push(word);
  return words;
}
