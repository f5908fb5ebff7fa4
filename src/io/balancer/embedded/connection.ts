import { createConnection, type Socket } from 'node:net';
import { PortError } from '../../../engine/ports.ts';
import { type ControlCall, type ControlReply, lineSplitter, parseReply } from './wire.ts';

/**
 * The caller's end of the control socket. One connection for all calls, opened with the first one and again after it broke,
 * so that calls reach the balancer in the order in which they were made: a write that timed out can never overtake a later
 * one. While no call waits it does not keep this process alive.
 */
export class ControlConnection {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | null = null;
  #lastId = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The result as it came. Throws PortError. */
  async call(call: ControlCall, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) throw this.#timeout(call);
    const socket = this.#open();
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      const giveUp = (): void => {
        this.#settle(id)?.reject(this.#timeout(call));
      };
      signal.addEventListener('abort', giveUp, { once: true });
      const forget = (): void => signal.removeEventListener('abort', giveUp);
      this.#waiting.set(id, { resolve, reject, forget });
    });
    socket.ref();
    socket.write(`${JSON.stringify({ id, ...call })}\n`);
    return answer;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    if (this.#socket !== null && !this.#socket.destroyed) return this.#socket;
    const socket = createConnection(this.#path);
    this.#socket = socket;
    let cause: unknown = null;
    socket.setEncoding('utf8');
    socket.on('error', (error) => {
      cause = error;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#onClose(socket, cause));
    socket.on(
      'data',
      lineSplitter(
        (line) => this.#onLine(line),
        () => socket.destroy(new Error('a reply without an end')),
      ),
    );
    return socket;
  }

  #onLine(line: string): void {
    let reply: ControlReply;
    try {
      reply = parseReply(line);
    } catch (cause) {
      this.#socket?.destroy(new Error('a reply that is not of this language', { cause }));
      return;
    }
    if (reply.id === null) return;
    const waiting = this.#settle(reply.id);
    if ('result' in reply) waiting?.resolve(reply.result);
    else waiting?.reject(new PortError(reply.error.code, this.#say(reply.error.message), { retriable: false }));
  }

  #onClose(socket: Socket, cause: unknown): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(this.#broken(cause));
  }

  #settle(id: number): Waiting | null {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return null;
    this.#waiting.delete(id);
    waiting.forget();
    if (this.#waiting.size === 0) this.#socket?.unref();
    return waiting;
  }

  #broken(cause: unknown): PortError {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'EACCES' || code === 'EPERM') {
      const message = this.#say('only the user who started it may open this socket; run as that user');
      return new PortError('denied', message, { retriable: false, cause });
    }
    const why = typeof code === 'string' ? ` (${code})` : '';
    return new PortError(
      'unreachable',
      this.#say(`nobody answers${why}; if its process does not run, a living controller or \`drover apply\` starts it`),
      {
        retriable: true,
        cause,
      },
    );
  }

  #timeout(call: ControlCall): PortError {
    return new PortError('timeout', this.#say(`no answer in time to "${call.op}"`), { retriable: true });
  }

  #say(what: string): string {
    return `embedded balancer at ${this.#path}: ${what}`;
  }
}

type Waiting = {
  resolve(result: unknown): void;
  reject(error: PortError): void;
  forget(): void;
};
