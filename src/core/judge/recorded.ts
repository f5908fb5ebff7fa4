import type { RecordedRow } from './judge.ts';

/** The columns of a recording, in this order. `seconds` is the end of the window since the start, the counts are per window. */
export const recordedColumns = [
  'seconds',
  'origin_requests',
  'origin_failures',
  'destination_requests',
  'destination_failures',
] as const;

/** A line that is not what a recording may hold. `column` is where in the line, from 1. */
export type RecordedProblem = { readonly column: number; readonly what: string };

/** null: the header is as it must be. */
export function headerProblem(line: string): RecordedProblem | null {
  const expected = recordedColumns.join(',');
  if (line === expected) return null;
  const found = fieldsOf(line);
  for (const [index, name] of recordedColumns.entries()) {
    const field = found[index];
    if (field === undefined)
      return { column: line.length + 1, what: `expected the column ${name}, found the end of the line` };
    if (field.text !== name)
      return { column: field.column, what: `expected the column ${name}, found ${shown(field.text)}` };
  }
  const extra = found[recordedColumns.length];
  return { column: extra?.column ?? 1, what: `expected no more columns, found ${shown(extra?.text ?? '')}` };
}

/** `previousSeconds`: the end of the row before, null for the first row (its window begins at 0). */
export function parseRecordedRow(line: string, previousSeconds: number | null): RecordedRow | RecordedProblem {
  const fields = fieldsOf(line);
  const values: number[] = [];
  for (const [index, name] of recordedColumns.entries()) {
    const field = fields[index];
    if (field === undefined) return { column: line.length + 1, what: `expected ${name}, found the end of the line` };
    const value = wholeNumber(field.text);
    if (value === null)
      return { column: field.column, what: `expected a whole number for ${name}, found ${shown(field.text)}` };
    values.push(value);
  }
  const extra = fields[recordedColumns.length];
  if (extra !== undefined)
    return { column: extra.column, what: `expected 5 columns, found a sixth: ${shown(extra.text)}` };
  return checked(values, fields, previousSeconds);
}

type Field = { readonly text: string; readonly column: number };

function fieldsOf(line: string): Field[] {
  const fields: Field[] = [];
  let column = 1;
  for (const text of line.split(',')) {
    fields.push({ text, column });
    column += text.length + 1;
  }
  return fields;
}

/** null: not digits only, or too large to be exact. */
function wholeNumber(text: string): number | null {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}

function checked(
  values: readonly number[],
  fields: readonly Field[],
  previousSeconds: number | null,
): RecordedRow | RecordedProblem {
  const [toSeconds = 0, originAttempts = 0, originFailures = 0, destinationAttempts = 0, destinationFailures = 0] =
    values;
  const at = (index: number, what: string): RecordedProblem => ({ column: fields[index]?.column ?? 1, what });
  if (previousSeconds !== null && toSeconds <= previousSeconds) {
    return at(0, `expected seconds after ${previousSeconds}, found ${toSeconds}`);
  }
  if (originFailures > originAttempts) {
    return at(2, `expected at most ${originAttempts} origin_failures (as many as requests), found ${originFailures}`);
  }
  if (destinationFailures > destinationAttempts) {
    const most = `at most ${destinationAttempts} destination_failures (as many as requests)`;
    return at(4, `expected ${most}, found ${destinationFailures}`);
  }
  const fromSeconds = previousSeconds ?? 0;
  return { fromSeconds, toSeconds, originAttempts, originFailures, destinationAttempts, destinationFailures };
}

/** What was found, quoted and cut, with control characters made visible. */
function shown(text: string): string {
  if (text === '') return 'nothing';
  const quoted = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  // JSON leaves some of them as they are: the upper half of the control characters, and those that turn text around.
  return quoted.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);
}
