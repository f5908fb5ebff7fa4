import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { PortError } from '../../../engine/ports.ts';

/** What to write into haproxy.cfg to get a runtime socket that Drover can use at `address`. */
export function socketLine(address: string): string {
  return isPath(address)
    ? `stats socket ${resolve(address)} mode 660 level admin`
    : `stats socket ipv4@${address} level admin`;
}

/** A UNIX socket is named by a path, everything else is `host:port`. */
export function isPath(address: string): boolean {
  return address.includes('/') || !/:\d+$/.test(address);
}

/** What kept a connection from being made or kept, with the line of haproxy.cfg that would help. */
export function connectionError(address: string, cause: unknown): PortError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const {
    said,
    does,
    denied = false,
  } = explanation(address, code) ?? {
    said: String(cause),
    does: `Try again; where there is no runtime socket, HAProxy needs this line in its global section: ${socketLine(address)}`,
  };
  const remedy = does ?? `HAProxy needs this line in its global section: ${socketLine(address)}`;
  return new PortError(denied ? 'denied' : 'unreachable', `HAProxy at ${address}: ${said}. ${remedy}`, {
    retriable: !denied,
    cause,
  });
}

/** What the system says of a UNIX socket that has as many connections waiting as it takes. */
const queueFull = 'EAGAIN';

export function isQueueFull(error: unknown): boolean {
  const cause = error instanceof PortError ? error.cause : null;
  return cause instanceof Error && 'code' in cause && cause.code === queueFull;
}

type Explanation = { readonly said: string; readonly does: string | null; readonly denied?: true };

function explanation(address: string, code: string): Explanation | null {
  switch (code) {
    case 'ENOENT':
      return { said: 'there is no such socket; HAProxy does not run, or has no runtime socket here', does: null };
    case 'ECONNREFUSED':
      if (isPath(address) && lstatSync(address, { throwIfNoEntry: false })?.isFile() === true)
        return {
          said: 'it is a file, and not a socket',
          does: 'Name what the `stats socket` line in the global section of haproxy.cfg names.',
        };
      return { said: 'nothing listens there; HAProxy does not run, or has no runtime socket here', does: null };
    case 'EACCES':
    case 'EPERM': {
      const line = `stats socket ${resolve(address)} user haproxy group <a group of yours> mode 660 level admin`;
      return {
        said: 'this user may not open the socket',
        does: `Give it to a group that this user is in, in the global section of haproxy.cfg: ${line}`,
        denied: true,
      };
    }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        said: 'the host name is not known',
        does: 'Write the address as host:port, or the path of a UNIX socket.',
      };
    case queueFull:
      return {
        said: 'it takes no connection: the queue of its socket is full, so it is overloaded, or stopped (SIGSTOP, a debugger)',
        does: 'Look at its process (state T is stopped) and its load; the configuration is not the cause.',
      };
    case 'ECONNRESET':
    case 'EPIPE':
      return { said: 'it closed the connection (it was reloaded, or its sockets are all in use)', does: 'Try again.' };
    default:
      return null;
  }
}

export function timeoutError(address: string, doing: string, cause: unknown): PortError {
  const why = 'It is stopped or overloaded, or this is not a runtime socket.';
  return new PortError('timeout', `HAProxy at ${address}: no answer in time to "${doing}". ${why}`, {
    retriable: true,
    cause,
  });
}

/** Whatever was read does not have the shape that HAProxy's answers have. */
export function protocolError(doing: string, expected: string, found: string): PortError {
  const text = `HAProxy's answer to "${doing}": expected ${expected}, found ${excerpt(found)}`;
  return new PortError('protocol', text, { retriable: true });
}

export function excerpt(text: string): string {
  return text === '' ? 'nothing' : JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** `show info` is answered by every HAProxy worker at every level; what answers otherwise is something else. */
export function notAWorkerError(address: string, answer: string): PortError {
  const refused = (text: string) => new PortError('refused', `${address}: ${text}`, { retriable: false });
  if (answer.startsWith('Unknown command') && answer.includes('show proc')) {
    const line = 'stats socket /run/haproxy/admin.sock mode 660 level admin';
    return refused(
      `this is the socket of HAProxy's master process (-S), which knows no servers. Name the socket of the worker, in the global section of haproxy.cfg: ${line}`,
    );
  }
  if (/^(HTTP\/|<)/.test(answer)) {
    return refused(
      `an HTTP server answers here, not HAProxy's runtime API. It needs this line in the global section of haproxy.cfg: ${socketLine(address)}`,
    );
  }
  return protocolError('show info', 'lines such as "Pid: 123"', answer);
}

/** HAProxy said no to a command, in its own words. */
export function refusal(address: string, command: string, answer: string): PortError {
  const words =
    answer
      .split('\n')
      .map((line) => line.trim())
      .find((line) => line !== '') ?? answer;
  const said = `HAProxy at ${address} refuses "${command}": ${words}`;
  if (/^permission denied/i.test(words)) {
    const line = `the line in haproxy.cfg has to say \`level admin\`: ${socketLine(address)}`;
    return new PortError('denied', `${said}. The socket's level is too low; ${line}`, { retriable: false });
  }
  if (/^(no such (server|backend|proxy)|can't find backend|require a valid server)/i.test(words)) {
    return new PortError('not-found', said, { retriable: false });
  }
  const remedy = /static LB algorithm/.test(words)
    ? ' Change it to `balance roundrobin` in this backend of haproxy.cfg and reload.'
    : '';
  return new PortError('refused', `${said}${remedy}`, { retriable: false });
}
