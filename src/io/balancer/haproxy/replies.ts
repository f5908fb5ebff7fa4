import { PortError } from '../../../engine/ports.ts';
import { excerpt, notAWorkerError, protocolError, refusal } from './socket-errors.ts';

export type ProcessInfo = { readonly process: string; readonly version: string };

/** `show info`: lines `Key: value`. */
export function parseInfo(address: string, answer: string): ProcessInfo {
  const values = new Map<string, string>();
  for (const line of answer.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon <= 0) continue;
    const key = line.slice(0, colon);
    if (values.has(key)) throw protocolError('show info', `one line "${key}: …"`, answer);
    values.set(key, line.slice(colon + 2).trim());
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
  /** A number of flags of which later versions may have more: as many as can be told apart. */
  flags(column: string): number;
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
  return rowsOf(
    doing,
    header.slice(2).split(' '),
    lines.map((line) => line.split(' ')),
  );
}

/** `show stat …`: comma-separated values with a header that starts with `# `, where newer versions have more columns. */
export function parseStat(doing: string, answer: string): Row[] {
  const [header, ...lines] = answer.split('\n');
  if (header === undefined || !header.startsWith('# pxname,')) {
    throw protocolError(doing, 'a line of column names that starts with "# pxname,"', answer);
  }
  return rowsOf(
    doing,
    header.slice(2).split(','),
    lines.map((line) => cellsOf(doing, line)),
  );
}

/** A row that has more or fewer cells than there are columns would give each column another one's value. */
function rowsOf(doing: string, names: readonly string[], rows: readonly (readonly string[])[]): Row[] {
  const columns = new Map(names.map((name, at) => [name, at]));
  if (columns.size !== names.length) throw protocolError(doing, 'each column once', names.join(','));
  return rows.map((cells) => {
    if (cells.length !== names.length) throw protocolError(doing, `${names.length} columns`, cells.join(','));
    return rowOf(doing, columns, cells);
  });
}

function rowOf(doing: string, columns: ReadonlyMap<string, number>, cells: readonly string[]): Row {
  const text = (column: string) => {
    const at = columns.get(column);
    const cell = at === undefined ? undefined : cells[at];
    if (cell === undefined) throw protocolError(doing, `a column ${column}`, cells.join(','));
    return cell;
  };
  const number = (column: string) => wholeNumber(doing, column, text(column));
  return {
    text,
    number,
    flags(column) {
      const value = number(column);
      if (value > flagsMax) throw protocolError(doing, `flags for ${column}`, text(column));
      return value;
    },
  };
}

/** Beyond this the operators on bits would look at other bits. */
const flagsMax = 0xffff;

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
