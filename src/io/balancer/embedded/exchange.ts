import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type RequestHead, requestHead, responseHeaders } from './headers.ts';
import type { UpstreamServer } from './upstream.ts';

/** What an exchange needs from its backend. */
export type Choice = {
  /** The server for the next attempt, other than those tried; null: none can be used. */
  next(tried: readonly number[]): number | null;
  server(index: number): UpstreamServer;
  readonly retriesMax: number;
};

/**
 * One request of one user: its attempts one after the other, and the response. It is the undici handler of each of them.
 *
 * chosen → connecting → sent → answered → over
 *
 * - no connection: nothing was sent, so any request goes to another server (wredis); none left: econ, 503.
 * - sent, then the connection ended without a response's head: an idempotent request without a body goes to another server
 *   (wretr), at most `retriesMax` times; else eresp, 502. No head in time: eresp, 504. Not HTTP: eresp, 502. Never repeated.
 * - answered (the head is here: counted by its status), then broken off: srvAbrt and eresp, and the user's connection is cut.
 * - the user leaves before the head: the attempt goes on until the head and is counted by it, as HAProxy does without
 *   `abortonclose`. In the middle of its own body: the attempt can not go on and ends uncounted, also as HAProxy does.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #choice: Choice;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #tried: number[] = [];
  #head: RequestHead = { headers: [], hasBody: false, expectsContinue: false };
  #server: UpstreamServer | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #phase: 'connecting' | 'sent' | 'answered' | 'over' = 'connecting';
  #retries = 0;
  #user: 'here' | 'left' = 'here';

  constructor(choice: Choice, request: IncomingMessage, response: ServerResponse) {
    this.#choice = choice;
    this.#request = request;
    this.#response = response;
  }

  start(): void {
    this.#response.on('close', () => this.#onUserClose());
    this.#response.on('error', ignoreError);
    this.#request.on('error', ignoreError);
    const head = requestHead(this.#request.rawHeaders, this.#request.url ?? '', this.#request.httpVersion);
    if ('why' in head) {
      this.#phase = 'over';
      this.#answer(head.status, head.why);
      return;
    }
    this.#head = head;
    if (!this.#attempt()) this.#answer(503, 'no server is available');
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#phase = 'sent';
    this.#server?.connected();
    if (this.#head.expectsContinue && this.#user === 'here') this.#response.writeContinue();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, message?: string): void {
    if (this.#server === null) return;
    if (status < 200) {
      this.#server.counters.rsp1xx += 1;
      return;
    }
    const raw = controller.rawHeaders;
    const head = Array.isArray(raw) ? responseHeaders(raw) : [];
    if (this.#user === 'here' && !this.#writeHead(status, message ?? '', head)) {
      this.#endAttempt().counters.eresp += 1;
      controller.abort(new Error('a response that cannot be passed on'));
      this.#answer(502, 'a server answered with a head that is not HTTP');
      return;
    }
    this.#phase = 'answered';
    countStatus(this.#server, status);
    if (this.#user === 'left') this.#abandon();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#phase !== 'answered' || this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.#phase !== 'answered') return;
    this.#endAttempt();
    this.#response.end();
    this.#leaveUnreadBody();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    const phase = this.#phase;
    if (phase === 'over') return;
    const server = this.#endAttempt();
    if (phase === 'answered') {
      server.counters.srvAbrt += 1;
      server.counters.eresp += 1;
      this.#response.destroy();
    } else if (phase === 'connecting') {
      this.#onNotConnected(server, error);
    } else {
      this.#onNotAnswered(server, error);
    }
  }

  /** False: no server can be used, and nothing was counted. */
  #attempt(): boolean {
    const index = this.#choice.next(this.#tried);
    if (index === null) return false;
    const server = this.#choice.server(index);
    this.#tried.push(index);
    this.#server = server;
    this.#phase = 'connecting';
    server.counters.attempts += 1;
    server.counters.scur += 1;
    server.pool.dispatch(
      {
        path: this.#request.url ?? '/',
        method: this.#request.method as Dispatcher.HttpMethod,
        headers: this.#head.headers,
        body: this.#head.hasBody ? bodyOf(this.#request) : null,
      },
      this,
    );
    return true;
  }

  #onNotConnected(server: UpstreamServer, error: Error): void {
    server.connectFailed();
    const untouched = !this.#head.hasBody || !this.#request.readableDidRead;
    if (untouched && this.#user === 'here' && this.#attempt()) {
      server.counters.wredis += 1;
      return;
    }
    server.counters.econ += 1;
    this.#answer(503, `no connection to a server (${codeOf(error)})`);
  }

  #onNotAnswered(server: UpstreamServer, error: Error): void {
    if (this.#head.hasBody && (this.#user === 'left' || this.#request.errored !== null)) return;
    const code = codeOf(error);
    const empty = !notHttp.has(code) && code !== 'UND_ERR_HEADERS_TIMEOUT';
    if (empty && this.#mayRepeat()) {
      this.#retries += 1;
      if (this.#attempt()) {
        server.counters.wretr += 1;
        return;
      }
    }
    server.counters.eresp += 1;
    if (code === 'UND_ERR_HEADERS_TIMEOUT') this.#answer(504, 'a server did not answer in time');
    else
      this.#answer(502, empty ? 'a server closed the connection without an answer' : 'a server did not answer in HTTP');
  }

  #mayRepeat(): boolean {
    if (this.#head.hasBody || this.#user === 'left' || this.#retries >= this.#choice.retriesMax) return false;
    return idempotent.has(this.#request.method ?? '');
  }

  /** The server of the attempt that is now over. */
  #endAttempt(): UpstreamServer {
    const server = this.#server;
    if (server === null) throw new Error('an attempt ended that had not begun');
    server.counters.scur -= 1;
    this.#server = null;
    this.#phase = 'over';
    return server;
  }

  #onUserClose(): void {
    this.#user = 'left';
    if (this.#phase === 'answered') this.#abandon();
  }

  /** The rest of a response that nobody waits for: already counted, so it is only ended. */
  #abandon(): void {
    this.#endAttempt();
    this.#controller?.abort(new Error('the user has left'));
  }

  #writeHead(status: number, message: string, headers: string[]): boolean {
    try {
      this.#response.sendDate = false;
      this.#response.writeHead(status, message, headers);
      return true;
    } catch {
      return false;
    }
  }

  /** An answer of the balancer's own; no server is counted for it. */
  #answer(status: number, why: string): void {
    if (this.#user === 'left' || this.#response.headersSent) return;
    const body = `${status}: ${why}\n`;
    // The reason is said anew: a server's that could not be written is still in the response.
    this.#response.writeHead(status, STATUS_CODES[status], {
      'content-type': 'text/plain',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-cache',
      // After a request that is refused nothing on its connection can be trusted to be another one.
      ...(this.#request.complete && status >= 502 ? {} : { connection: 'close' }),
    });
    this.#response.end(body);
    this.#leaveUnreadBody();
  }

  /** A user still sending when the answer is complete may read it, but is not listened to for long. */
  #leaveUnreadBody(): void {
    if (this.#request.complete || !this.#head.hasBody) return;
    const { socket } = this.#request;
    this.#request.resume();
    const timer = setTimeout(() => socket.destroy(), unreadBodyMsMax);
    timer.unref();
    this.#request.once('close', () => clearTimeout(timer));
  }
}

const unreadBodyMsMax = 2000;
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const notHttp: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** undici destroys a body that it does not need any more; the user's connection must not end with it. */
function bodyOf(request: IncomingMessage): Readable {
  return Readable.from(request.iterator({ destroyOnReturn: false }), { objectMode: true, highWaterMark: 1 });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function countStatus({ counters }: UpstreamServer, status: number): void {
  if (status < 300) counters.rsp2xx += 1;
  else if (status < 400) counters.rsp3xx += 1;
  else if (status < 500) counters.rsp4xx += 1;
  else counters.rsp5xx += 1;
}

function ignoreError(): void {
  // 'close' follows every error of a user's connection, and is what the exchange acts on.
}
