import type { Socket } from 'node:net';
import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api } from '../messages/api.ts';
import { correlationIdOf, readResponse, requestFrame } from '../messages/frames.ts';
import { BrokerConnectionError, type EndReason } from './connection-error.ts';

export type RequestLimits = { readonly deadlineMs?: number; readonly sendBeforeMs?: number };

type Settings = {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly requestDeadlineMs: number;
  readonly unsentBytesMax: number;
};

type Pending = {
  readonly correlationId: number;
  readonly name: string;
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly expiresAtMs: number;
  readonly sendBeforeMs: number;
  readonly resolveWith: (frame: Uint8Array) => void;
  readonly reject: (error: BrokerConnectionError) => void;
};

/**
 * The requests of one connection. Each is in one of two lines, first come, first served:
 *
 *     waiting (not a byte has left) → sent (the socket has it; answers come in this order) → settled
 */
export class Requests {
  readonly #socket: Socket;
  readonly #settings: Settings;
  readonly #end: (reason: EndReason) => void;
  readonly #waiting: Pending[] = [];
  readonly #sent: Pending[] = [];
  #correlationId = 0;
  /** Bytes that the socket has taken and not passed on. */
  #unflushedBytes = 0;
  #held = false;
  #corked = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(socket: Socket, settings: Settings, end: (reason: EndReason) => void) {
    this.#socket = socket;
    this.#settings = settings;
    this.#end = end;
  }

  /** `ahead`: at once, past those that wait. */
  send<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    request: Request,
    limits: RequestLimits,
    turn: 'in turn' | 'ahead',
  ): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const correlationId = this.#correlationId;
    this.#correlationId = (correlationId + 1) & 0x7fff_ffff;
    const chunks = requestFrame(api, version, correlationId, this.#settings.clientId, request);
    const deadlineMs = limits.deadlineMs ?? this.#settings.requestDeadlineMs;
    const pending: Pending = {
      correlationId,
      name: `${api.name} v${version}`,
      chunks,
      bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      deadlineMs,
      expiresAtMs: performance.now() + deadlineMs,
      sendBeforeMs: limits.sendBeforeMs ?? Number.POSITIVE_INFINITY,
      resolveWith: (frame) => resolve(readResponse(api, version, frame)),
      reject,
    };
    if (turn === 'ahead') this.#write(pending);
    else {
      this.#waiting.push(pending);
      this.#sendWaiting();
    }
    this.#watch(pending.expiresAtMs);
    return promise;
  }

  /** A frame without its length: the answer to the oldest one that was sent. */
  answer(frame: Uint8Array): void {
    const pending = this.#sent.shift();
    const correlationId = correlationIdOf(frame);
    if (pending?.correlationId !== correlationId) {
      if (pending !== undefined) this.#sent.unshift(pending);
      const expected =
        pending === undefined ? 'no response' : `the response ${pending.correlationId} (${pending.name})`;
      const message = `expected ${expected}, found the response ${correlationId}`;
      this.#end({ code: 'protocol', message, retriable: false });
      return;
    }
    try {
      pending.resolveWith(frame);
    } catch (cause) {
      if (!(cause instanceof MalformedBytes)) throw cause;
      this.#sent.unshift(pending);
      const message = `the response to ${pending.name} is malformed: ${cause.message}`;
      this.#end({ code: 'protocol', message, retriable: false, cause });
    }
  }

  get unsettled(): { readonly requests: number; readonly bytes: number } {
    const all = [...this.#waiting, ...this.#sent];
    return { requests: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** What is in turn waits until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#sendWaiting();
  }

  /** The connection is over. */
  failAll(reason: EndReason): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const pending of this.#sent.splice(0)) pending.reject(failure(pending, reason, true));
    for (const pending of this.#waiting.splice(0)) pending.reject(failure(pending, reason, false));
  }

  #sendWaiting(): void {
    while (!this.#held) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const full = this.#unflushedBytes > 0 && this.#unflushedBytes + next.bytes > this.#settings.unsentBytesMax;
      if (full) return;
      this.#waiting.shift();
      if (performance.now() < next.sendBeforeMs) this.#write(next);
      else next.reject(this.#tooLateToSend(next));
    }
  }

  /** Requests of one turn of the event loop leave in one system call. */
  #write(pending: Pending): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#sent.push(pending);
    this.#unflushedBytes += pending.bytes;
    const last = pending.chunks.length - 1;
    pending.chunks.forEach((chunk, index) => {
      if (index < last) this.#socket.write(chunk);
      else this.#socket.write(chunk, () => this.#flushed(pending.bytes));
    });
  }

  #flushed(bytes: number): void {
    this.#unflushedBytes -= bytes;
    if (!this.#socket.destroyed) this.#sendWaiting();
  }

  /** One timer for the earliest deadline. */
  #watch(expiresAtMs: number): void {
    if (this.#timerAtMs <= expiresAtMs && this.#timer !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = expiresAtMs;
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, expiresAtMs - performance.now()));
  }

  #expire(): void {
    this.#timer = null;
    const nowMs = performance.now();
    const all = [...this.#sent, ...this.#waiting];
    // Timers are late as a rule, but Node rounds them: one that comes early has expired nothing.
    const late = all.find(({ expiresAtMs }) => expiresAtMs <= nowMs);
    if (late !== undefined) {
      const message = `no answer to ${late.name} within ${late.deadlineMs} ms`;
      this.#end({ code: 'timeout', message, retriable: true });
      return;
    }
    if (all.length > 0) this.#watch(Math.min(...all.map(({ expiresAtMs }) => expiresAtMs)));
  }

  #tooLateToSend({ name }: Pending): BrokerConnectionError {
    const { host, port } = this.#settings;
    const message = `broker ${host}:${port}: ${name} was not sent, because it waited until after the time to send it`;
    return new BrokerConnectionError('timeout', message, { retriable: true, sent: false });
  }
}

function failure({ name }: Pending, reason: EndReason, sent: boolean): BrokerConnectionError {
  const message = `${reason.message} (${name} ${sent ? 'may have been received' : 'was not sent'})`;
  return new BrokerConnectionError(reason.code, message, { retriable: reason.retriable, cause: reason.cause, sent });
}
