import type { BackendReading } from '../../../core/observed/backend.ts';
import { isServerName } from '../../../core/observed/server-name.ts';
import { PortError } from '../../../engine/ports.ts';
import type { FileFacts } from './configuration-reader.ts';
import { expectBackend, parseInfo, parseServersState, parseStat, type Row } from './replies.ts';
import { serverReading } from './server-reading.ts';
import { protocolError } from './socket-errors.ts';
import { readOnlyOf, showLevel } from './socket-level.ts';
import { type RuntimeTraits, traitsOf } from './traits.ts';

/**
 * What is asked, in one connection, for a reading. In `show stat` 6 selects the backend's own row (2) and its servers (4), and
 * `proxy` is the backend's number: a frontend of the same name would answer to the name.
 */
export function readCommands(backend: string, proxy: string): string[] {
  return ['show info', `show servers state ${backend}`, `show stat ${proxy} 6 -1`, 'show table', showLevel];
}

/**
 * The number by which `show stat` knows the backend, from the answer to `show servers state`; null: it has no servers, or
 * the answer is none (`readingOf` says what is wrong with it).
 */
export function proxyNumberIn(answer: string): string | null {
  if (!answer.startsWith('1\n# ')) return null;
  // As a number, so that nothing but a number becomes part of the next command.
  const [first] = parseServersState('show servers state', answer);
  return first === undefined ? null : String(first.number('be_id'));
}

export type ReadingWithIds = { readonly reading: BackendReading; readonly serverIds: ReadonlyMap<string, number> };

/** The answers to `readCommands` as a reading. Throws PortError `protocol` where they are not what HAProxy answers. */
export function readingOf(
  socket: string,
  backend: string,
  answers: readonly string[],
  file: FileFacts,
): ReadingWithIds {
  const [info = '', state = '', stat = '', tables = '', level = ''] = answers;
  const [, showState = '', showStat = ''] = readCommands(backend, backend);
  const { process } = parseInfo(socket, info);
  expectBackend(socket, backend, showState, state);
  expectBackend(socket, backend, showStat, stat);
  const rows = parseStat(showStat, stat);
  const whole = rows.find((row) => row.text('svname') === 'BACKEND' && row.text('pxname') === backend);
  if (whole === undefined) throw protocolError(showStat, 'a row BACKEND', stat.slice(-80));
  const mode = whole.text('mode');
  const facts = 'facts' in file ? file.facts : null;
  const stateRows = parseServersState(showState, state);
  const statRows = rows.filter((row) => row !== whole);
  expectOnly(backend, showState, stateRows, 'be_name');
  expectOnly(backend, showStat, statRows, 'pxname');
  const pairs = paired(stateRows, statRows, showStat);
  for (const [, row] of pairs) refuseName(socket, backend, row.text('svname'));
  return {
    serverIds: new Map(pairs.map(([, row]) => [row.text('svname'), row.number('sid')])),
    reading: {
      process,
      servers: pairs.map(([itsState, row]) => serverReading(itsState, row, mode, facts)),
      traits: { ...traitsOf(backend, runtimeTraits(whole, tables), file), readOnly: readOnlyOf(socket, level) },
    },
  };
}

function expectOnly(backend: string, doing: string, rows: readonly Row[], column: string): void {
  const other = rows.find((row) => row.text(column) !== backend);
  if (other !== undefined) throw protocolError(doing, `servers of ${backend} only`, other.text(column));
}

function refuseName(socket: string, backend: string, name: string): void {
  if (isServerName(name)) return;
  const text = `HAProxy at ${socket} has a server ${backend}/${name}, and Drover cannot keep facts under that name: rename it`;
  throw new PortError('refused', text, { retriable: false });
}

/** Each server has one row in either table; a server added or deleted between the two commands shows in the next reading. */
function paired(stateRows: readonly Row[], statRows: readonly Row[], showStat: string): [Row, Row][] {
  const states = new Map(stateRows.map((row) => [row.text('srv_name'), row]));
  const names = new Set(statRows.map((row) => row.text('svname')));
  if (names.size !== statRows.length || states.size !== stateRows.length || names.size !== states.size) {
    throw protocolError(
      showStat,
      `the servers of "show servers state": ${[...states.keys()].join(' ')}`,
      [...names].join(' '),
    );
  }
  return statRows.map((row) => {
    const state = states.get(row.text('svname'));
    if (state === undefined) throw protocolError(showStat, 'a server of "show servers state"', row.text('svname'));
    return [state, row];
  });
}

/** Below level operator HAProxy leaves `algo` and `cookie` empty; at and above it `algo` always says something. */
function runtimeTraits(whole: Row, tables: string): RuntimeTraits {
  const algorithm = whole.text('algo');
  const shown = algorithm !== '';
  return {
    mode: whole.text('mode'),
    algorithm: shown ? algorithm : null,
    cookie: shown ? whole.text('cookie') : null,
    stickTables: tableNames(tables),
  };
}

/** `show table`: a line `# table: NAME, type: …` for each; null: not understood, so that nothing follows from it. */
function tableNames(answer: string): string[] | null {
  if (answer === '') return [];
  const names = answer.split('\n').map((line) => /^# table: ([^,]+),/.exec(line)?.[1] ?? null);
  return names.every((name) => name !== null) ? names : null;
}
