import type { RecordedProblem } from '../../core/judge/recorded.ts';
import { CliError } from '../context.ts';
import { unreadable } from '../unreadable.ts';

/** Longer than any window can be written; what is longer is refused rather than kept. */
const lineCharactersMax = 1000;

/** The lines of each chunk. Ends of line are LF or CRLF; a byte order mark is passed over. */
export async function* linesOf(source: AsyncIterable<string | Uint8Array>, name: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let count = 0;
  try {
    for await (const chunk of source) {
      const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
      rest = lines.pop() ?? '';
      yield lines.map(withoutReturn);
      count += lines.length;
      if (rest.length > lineCharactersMax) {
        throw badLine(name, count + 1, { column: lineCharactersMax + 1, what: 'expected the end of the line' });
      }
    }
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError(
      `${name} cannot be read: ${unreadable(error)}`,
      'name a CSV file, or - for standard input',
      error,
    );
  }
  rest += decoder.decode();
  if (rest !== '') yield [withoutReturn(rest)];
}

export function badLine(name: string, line: number, { column, what }: RecordedProblem): CliError {
  return new CliError(`${name}:${line}:${column}: ${what}`, 'see drover judge --help for the format');
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
