import { PortError } from '../../../engine/ports.ts';
import { excerpt, notAWorkerError, protocolError, refusal } from './socket-errors.ts';

export type ProcessInfo = { readonly process: string; readonly version: string };

/** `show info`: lines `Key: value`. */
export function parseInfo(address: string, answer: string): ProcessInfo {
  const values = new Map<string, string>();
  for (const line of answer.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 2).trim());
  }
  if (!values.has('Pid')) throw notAWorkerError(address, answer);
  const number = (key: string) => wholeNumber('show info', key, values.get(key));
  const version = values.get('Version');
  if (version === undefined) throw protocolError('show info', 'a line "Version: …"', answer);
  refuseOldVersion(address, version);
  return { process: `${number('Pid')}@${number('Start_time_sec')}`, version };
}

function refuseOldVersion(address: string, version: string): void {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 6)) return;
  const text = `HAProxy at ${address} is version ${version}; Drover needs 2.6 or newer, whose runtime API it knows`;
  throw new PortError('refused', text, { retriable: false });
}

/** One row of a table by column name; asking for a column that is not there is a protocol error. */
export type Row = {
  text(column: string): string;
  /** A whole number that is not negative. */
  number(column: string): number;
};

/**
 * `show servers state [backend]`: a line `1` (the format), a line `# name name …`, then a line for each server, with
 * columns separated by a space.
 */
export function parseServersState(doing: string, answer: string): Row[] {
  const [format, header, ...lines] = answer.split('\n');
  if (format !== '1' || header === undefined || !header.startsWith('# ')) {
    throw protocolError(doing, 'format 1 and a line of column names', answer);
  }
  const columns = positions(header.slice(2).split(' '));
  return lines.map((line) => {
    const cells = line.split(' ');
    if (cells.length !== columns.size) throw protocolError(doing, `${columns.size} columns`, line);
    return rowOf(doing, columns, cells);
  });
}

/** `show stat …`: comma-separated values with a header that starts with `# `, where newer versions have more columns. */
export function parseStat(doing: string, answer: string): Row[] {
  const [header, ...lines] = answer.split('\n');
  if (header === undefined || !header.startsWith('# pxname,')) {
    throw protocolError(doing, 'a line of column names that starts with "# pxname,"', answer);
  }
  const columns = positions(header.slice(2).split(','));
  return lines.map((line) => rowOf(doing, columns, cellsOf(doing, line)));
}

function positions(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, at) => [name, at]));
}

function rowOf(doing: string, columns: ReadonlyMap<string, number>, cells: readonly string[]): Row {
  const text = (column: string) => {
    const at = columns.get(column);
    const cell = at === undefined ? undefined : cells[at];
    if (cell === undefined) throw protocolError(doing, `a column ${column}`, cells.join(','));
    return cell;
  };
  return { text, number: (column) => wholeNumber(doing, column, text(column)) };
}

/** A cell with a comma or a quote in it is quoted, and its quotes are doubled. */
function cellsOf(doing: string, line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  while (cell.lastIndex < line.length) {
    const found = cell.exec(line);
    if (found === null) throw protocolError(doing, 'comma-separated values', line);
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
  }
  return line.endsWith(',') ? [...cells, ''] : cells;
}

function wholeNumber(doing: string, name: string, text: string | undefined): number {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw protocolError(doing, `a whole number for ${name}`, text ?? '');
  return value;
}

/** Both `show` commands answer a backend that does not exist with a sentence. */
export function expectBackend(address: string, backend: string, doing: string, answer: string): void {
  if (isNoBackend(answer)) {
    const text = `HAProxy at ${address} has no backend ${excerpt(backend)}; "show backend" on the socket lists those it has`;
    throw new PortError('not-found', text, { retriable: false });
  }
  if (/^permission denied/i.test(answer)) throw refusal(address, doing, answer);
}

export function isNoBackend(answer: string): boolean {
  return /^(can't find backend|no such proxy)/i.test(answer);
}
