import { PortError } from '../../../engine/ports.ts';

/** Text of /proc as facts, or a PortError `protocol`: what cannot be read is neither a process that lives nor one that has ended. */

/** A process that lives. */
export type ProcessStat = {
  readonly startTicks: number;
  /** Process ids of the leaders of its process group and of its session. */
  readonly group: number;
  readonly session: number;
};

/** `/proc/PID/stat`; null: a zombie, or one that is ending. */
export function parseProcessStat(text: string): ProcessStat | null {
  // The second field is the program's name in parentheses and may itself contain spaces, parentheses and line breaks.
  const end = text.lastIndexOf(') ');
  const fields =
    end < 0
      ? []
      : text
          .slice(end + 2)
          .trimEnd()
          .split(' ');
  const [state = ''] = fields;
  if (!/^[A-Za-z]$/.test(state)) throw unreadable('/proc/PID/stat', text);
  // Complete: the last field that counts is followed by others.
  if (fields.length <= virtualSizeAt + 1) throw unreadable('/proc/PID/stat', text);
  const number = (at: number) => wholeNumber(fields[at], '/proc/PID/stat', text);
  const stat = { group: number(2), session: number(3), startTicks: number(19) };
  const bytes = fields[virtualSizeAt] ?? '';
  // One that is ending gives up its memory first, and its environment with it.
  return state === 'Z' || state === 'X' || bytes === '0' ? null : stat;
}

const virtualSizeAt = 20;

/** The value of a variable in `/proc/PID/environ`; null: it is not there. Of several the first, as the kernel keeps them. */
export function variableIn(environ: string, name: string): string | null {
  const line = environ.split('\0').find((entry) => entry.startsWith(`${name}=`));
  return line === undefined ? null : line.slice(name.length + 1);
}

/** Inodes of what listens on a port, in `/proc/net/tcp` or `tcp6`: `sl local_address rem_address st … inode`, 0A = listening. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === '0A' && local.slice(local.lastIndexOf(':') + 1) === wanted)
    .flatMap((fields) => (/^\d+$/.test(fields[9] ?? '') ? (fields[9] ?? []) : []));
}

/** `/proc/uptime` in hundredths of a second. */
export function parseUptime(text: string): number {
  const [, seconds] = /^(\d{1,12}\.\d\d) /.exec(text) ?? [];
  if (seconds === undefined) throw unreadable('/proc/uptime', text);
  return Math.floor(Number(seconds) * 100);
}

function wholeNumber(field: string | undefined, file: string, text: string): number {
  const value = field !== undefined && /^-?\d{1,16}$/.test(field) ? Number(field) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw unreadable(file, text);
  return value;
}

function unreadable(file: string, text: string): PortError {
  const message = `${file} is not as Linux writes it, so no process can be told by it: ${JSON.stringify(text.slice(0, 200))}`;
  return new PortError('protocol', message, { retriable: true });
}
