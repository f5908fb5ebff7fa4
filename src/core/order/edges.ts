import { byName, type Dependency, type DependencyKind, dependencyKinds } from './graph.ts';

/** `line` and `column` from 1, in code units. */
export type EdgesProblem = { readonly line: number; readonly column: number; readonly what: string };

export type Edges = {
  /** Every one that is named, also without any dependency; by name. */
  readonly services: readonly string[];
  /** What counts: telemetry and services that call themselves are left out. */
  readonly dependencies: readonly Dependency[];
  readonly ignored: readonly Ignored[];
};
export type Ignored = Dependency & { readonly why: 'telemetry' | 'self' };

const columns = ['caller', 'callee', 'rate', 'kind'] as const;
type Column = (typeof columns)[number];
type Field = { readonly text: string; readonly line: number; readonly column: number };

/** More are not told: they are of one kind, mostly. */
const problemsMax = 20;

/**
 * What a CSV of dependencies says (RFC 4180; a byte order mark is passed over; spaces around what is not quoted do not count). Its header
 * names the columns, in any order. All problems at once, up to twenty.
 */
export function edgesOf(text: string): Edges | readonly EdgesProblem[] {
  const problems: EdgesProblem[] = [];
  const rows = rowsOf(text.startsWith('\ufeff') ? text.slice(1) : text, problems);
  const header = rows.next().value;
  if (header === undefined)
    return [{ line: 1, column: 1, what: 'expected a header with the columns caller and callee' }];
  const places = headerOf(header, problems);
  const services = new Set<string>();
  const dependencies: Dependency[] = [];
  const ignored: Ignored[] = [];
  for (const row of rows) {
    if (problems.length >= problemsMax) break;
    if (places === null) break;
    const dependency = dependencyOf(row, places, problems);
    if (dependency === null) continue;
    services.add(dependency.caller);
    if (dependency.callee === '') continue;
    services.add(dependency.callee);
    if (dependency.caller === dependency.callee) ignored.push({ ...dependency, why: 'self' });
    else if (dependency.kind === 'telemetry') ignored.push({ ...dependency, why: 'telemetry' });
    else dependencies.push(dependency);
  }
  if (problems.length > 0) return problems.slice(0, problemsMax);
  const all = dependencies.reduce((sum, { rate }) => sum + rate, 0) * services.size;
  if (!Number.isFinite(all)) return [{ line: 1, column: 1, what: 'the rates add up to more than a number can be' }];
  return { services: [...services].sort(byName), dependencies, ignored };
}

/** Where in a row each column stands. null: nothing can be read without one that is missing. */
function headerOf(header: readonly Field[], problems: EdgesProblem[]): ReadonlyMap<Column, number> | null {
  const places = new Map<Column, number>();
  for (const [index, field] of header.entries()) {
    const column = columns.find((one) => one === field.text);
    if (column === undefined)
      problems.push({ ...field, what: `expected ${anyOf(columns)}, found ${shown(field.text)}` });
    else if (places.has(column)) problems.push({ ...field, what: `the column ${column} is there twice` });
    else places.set(column, index);
  }
  for (const column of ['caller', 'callee'] as const) {
    if (places.has(column)) continue;
    const last = header.at(-1);
    problems.push({ line: last?.line ?? 1, column: 1, what: `the header has no column ${column}` });
  }
  return problems.length > 0 ? null : places;
}

/** A callee of '' where the row only says that there is such a service. null: a problem was found. */
function dependencyOf(
  row: readonly Field[],
  places: ReadonlyMap<Column, number>,
  problems: EdgesProblem[],
): Dependency | null {
  const before = problems.length;
  const extra = row[places.size];
  if (extra !== undefined) problems.push({ ...extra, what: `expected ${places.size} columns, found another` });
  const at = (column: Column): Field | null => row[places.get(column) ?? row.length] ?? null;
  const first = row[0] ?? { text: '', line: 1, column: 1 };
  const caller = at('caller');
  if (caller === null || caller.text === '') problems.push({ ...(caller ?? first), what: 'the caller is missing' });
  const callee = at('callee');
  if (callee === null)
    problems.push({ ...first, what: 'the column callee is missing: leave it empty for a service without any' });
  const rate = rateOf(at('rate'), problems);
  const kind = kindOf(at('kind'), problems);
  return problems.length > before ? null : { caller: caller?.text ?? '', callee: callee?.text ?? '', rate, kind };
}

function rateOf(field: Field | null, problems: EdgesProblem[]): number {
  if (field === null || field.text === '') return 1;
  const rate = /^[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?$|^[0-9]+\.$/.test(field.text) ? Number(field.text) : Number.NaN;
  if (Number.isFinite(rate)) return rate;
  problems.push({ ...field, what: `expected a rate of 0 or more, found ${shown(field.text)}` });
  return 0;
}

function kindOf(field: Field | null, problems: EdgesProblem[]): DependencyKind {
  if (field === null || field.text === '') return 'hard';
  const kind = dependencyKinds.find((one) => one === field.text);
  if (kind !== undefined) return kind;
  problems.push({ ...field, what: `expected ${anyOf(dependencyKinds)}, found ${shown(field.text)}` });
  return 'hard';
}

/** Rows that have anything in them. Ends of line are LF or CRLF. */
function* rowsOf(text: string, problems: EdgesProblem[]): Generator<readonly Field[], undefined> {
  let [at, line, lineStart] = [0, 1, 0];
  while (at < text.length) {
    const row: Field[] = [];
    for (let more = true; more; ) {
      const place = { line, column: at - lineStart + 1 };
      const field = fieldAt(text, at);
      if (field.problem !== null) problems.push({ ...place, what: field.problem });
      row.push({ ...place, text: field.text });
      line += field.lines;
      if (field.lines > 0) lineStart = text.lastIndexOf('\n', field.end - 1) + 1;
      at = field.end;
      more = text[at] === ',';
      if (more) at += 1;
    }
    at += text.startsWith('\r\n', at) ? 2 : 1;
    line += 1;
    lineStart = at;
    if (row.length > 1 || row[0]?.text !== '') yield row;
  }
}

/** `end`: at the comma, the end of the line, or the end of all. */
function fieldAt(text: string, from: number): { text: string; end: number; lines: number; problem: string | null } {
  const bare = /[^,\r\n]*(?:\r(?!\n)[^,\r\n]*)*/y;
  bare.lastIndex = from;
  const [plain = ''] = bare.exec(text) ?? [];
  if (!plain.trimStart().startsWith('"'))
    return { text: plain.trim(), end: from + plain.length, lines: 0, problem: null };
  const quoted = /[ \t]*"((?:[^"]|"")*)("?)[ \t]*/y;
  quoted.lastIndex = from;
  const [whole = '', inside = '', closed = ''] = quoted.exec(text) ?? [];
  const value = inside.replaceAll('""', '"');
  const lines = whole.split('\n').length - 1;
  const end = from + whole.length;
  if (closed === '') return { text: value, end, lines, problem: 'the quote is not closed' };
  bare.lastIndex = end;
  const [rest = ''] = bare.exec(text) ?? [];
  const problem = rest === '' ? null : `expected a comma after the quote, found ${shown(rest)}`;
  return { text: value, end: end + rest.length, lines, problem };
}

function anyOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function shown(text: string): string {
  return text === '' ? 'nothing' : JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
