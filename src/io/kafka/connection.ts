import type { Socket } from 'node:net';
import { BrokerConnectionError, type EndReason } from './connection/connection-error.ts';
import { FrameRefused, IncomingFrames } from './connection/incoming-frames.ts';
import { openSocket, type SocketSettings } from './connection/open-socket.ts';
import { Requests } from './connection/requests.ts';
import { authenticate, type SaslCredentials, SaslRefused } from './connection/sasl.ts';
import type { Api } from './messages/api.ts';
import { type ApiRange, apiVersions, commonVersion } from './messages/api-versions.ts';
import { wholeOf } from './messages/byte-range.ts';
import { codeOf, errorName, noError } from './messages/error-codes.ts';
import { saslAuthenticate } from './messages/sasl-authenticate.ts';
import { saslHandshake } from './messages/sasl-handshake.ts';

export type ConnectionSettings = SocketSettings & {
  readonly sasl: SaslCredentials | null;
  /** Quotas and the broker's logs know us by it. */
  readonly clientId: string;
  readonly clientVersion: string;
  /** For everything until the first request can be sent. */
  readonly connectDeadlineMs: number;
  /** From the call to the answer. One that is missed ends the connection: what is behind it in the line would be late as well. */
  readonly requestDeadlineMs: number;
  /** A longer response is not believed, and ends the connection. */
  readonly responseBytesMax: number;
  /** Above this requests wait until the socket has taken earlier ones; a single one may be larger. */
  readonly unsentBytesMax: number;
};

/** Connected and authenticated, and told what the broker speaks. Throws a BrokerConnectionError. */
export async function connectBroker(settings: ConnectionSettings, signal: AbortSignal): Promise<BrokerConnection> {
  const connection = new BrokerConnection(settings);
  const { connectDeadlineMs } = settings;
  const tooLate = () =>
    connection.end({
      code: 'timeout',
      message: `not connected and authenticated within ${connectDeadlineMs} ms`,
      retriable: true,
    });
  const abandon = () => connection.end({ code: 'unreachable', message: 'given up while connecting', retriable: true });
  const timer = setTimeout(tooLate, connectDeadlineMs);
  signal.addEventListener('abort', abandon);
  try {
    if (signal.aborted) abandon();
    await connection.open();
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abandon);
  }
}

/**
 * One connection to one broker. Requests are answered in the order in which they were sent, as many in flight as the callers
 * want. It lives until it ends, and then for good: by `close`, a missed deadline, anything that is not Kafka's protocol, or the
 * network. Everything unanswered fails at that moment, with the reason and with whether it had been sent.
 *
 *     connecting → negotiating → authenticating → open ⇄ authenticating again → ended
 */
export class BrokerConnection {
  readonly #settings: ConnectionSettings;
  readonly #label: string;
  readonly #frames: IncomingFrames;
  readonly #socket: Socket;
  readonly #connected: Promise<void>;
  readonly #requests: Requests;
  readonly #endListeners: ((error: BrokerConnectionError) => void)[] = [];
  #apis: readonly ApiRange[] = [];
  #ended: EndReason | null = null;
  #authenticateAgain: NodeJS.Timeout | null = null;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#label = `broker ${settings.host}:${settings.port}`;
    this.#frames = new IncomingFrames(settings.responseBytesMax);
    const { socket, ready } = openSocket(settings, {
      buffer: () => this.#frames.target(),
      callback: (count) => this.#receive(count),
    });
    this.#socket = socket;
    this.#requests = new Requests(socket, settings, (reason) => this.end(reason));
    this.#connected = new Promise((resolve, reject) => {
      socket.once(ready, resolve);
      this.whenEnded(reject);
    });
    socket.on('error', (cause) => this.#failed(cause));
    socket.on('close', () => this.#closed());
  }

  /** For `connectBroker`. */
  async open(): Promise<void> {
    await this.#connected;
    await this.#negotiate();
    if (this.#settings.sasl !== null) await this.#authenticate(this.#settings.sasl);
  }

  /** The newest version that both sides speak. */
  versionOf(api: Pick<Api<unknown, unknown>, 'name' | 'key' | 'oldest' | 'newest'>): number {
    const version = commonVersion(api, this.#apis);
    if (version !== null) return version;
    const range = this.#apis.find(({ apiKey }) => apiKey === api.key);
    const spoken = range === undefined ? 'does not speak it' : `speaks ${range.oldest} to ${range.newest}`;
    const message = `${this.#label}: ${api.name} is needed in version ${api.oldest} to ${api.newest}; it ${spoken}`;
    throw new BrokerConnectionError('protocol', message, { retriable: false, sent: false });
  }

  /**
   * Sends a request and resolves with its response; rejects with a BrokerConnectionError. Errors that the broker answers are
   * values in the response. Ranges in the request must not change until it is settled. With `sendBeforeMs` (of
   * performance.now) it is not sent any more after that moment, so that one who waited here too long writes nothing.
   */
  async call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    limits: { readonly deadlineMs?: number; readonly sendBeforeMs?: number } = {},
  ): Promise<Response> {
    if (this.#ended !== null) throw this.#errorOf(this.#ended);
    return await this.#requests.send(api, this.versionOf(api), request, limits, 'in turn');
  }

  /** Nobody reads the response any more of which these bytes are, and no socket writes any of it: its memory is used again. */
  release(response: Uint8Array): void {
    this.#frames.giveBack(response);
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  /** Requests that are not settled, and their bytes. */
  get unsettled(): { readonly requests: number; readonly bytes: number } {
    return this.#requests.unsettled;
  }

  /** Called once; at once if it is over already. */
  whenEnded(listener: (error: BrokerConnectionError) => void): void {
    if (this.#ended === null) this.#endListeners.push(listener);
    else listener(this.#errorOf(this.#ended));
  }

  /** Everything unanswered fails. Returns when the socket is closed. */
  async close(): Promise<void> {
    this.end({ code: 'unreachable', message: 'the connection was closed by Drover', retriable: true });
    if (this.#socket.closed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
    });
  }

  /** The first reason counts. */
  end(reason: EndReason): void {
    if (this.#ended !== null) return;
    this.#ended = { ...reason, message: `${this.#label}: ${reason.message}` };
    if (this.#authenticateAgain !== null) clearTimeout(this.#authenticateAgain);
    this.#socket.destroy();
    this.#requests.failAll(this.#ended);
    for (const listener of this.#endListeners.splice(0)) listener(this.#errorOf(this.#ended));
  }

  #receive(count: number): boolean {
    try {
      for (const frame of this.#frames.received(count)) if (this.#ended === null) this.#requests.answer(frame);
    } catch (error) {
      if (!(error instanceof FrameRefused)) throw error;
      this.end({ code: 'protocol', message: error.message, retriable: false, cause: error });
    }
    return this.#ended === null;
  }

  #failed(cause: Error): void {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code);
    if (!untrusted) this.end({ code: 'unreachable', message: cause.message, retriable: true, cause });
    else this.end({ code: 'denied', message: `TLS failed: ${cause.message}`, retriable: false, cause });
  }

  #closed(): void {
    const where = this.#frames.unfinished ? ' in the middle of a response' : '';
    const early = this.#apis.length === 0 ? '; does this listener expect TLS, or is it no broker?' : '';
    this.end({ code: 'unreachable', message: `it closed the connection${where}${early}`, retriable: true });
  }

  async #negotiate(): Promise<void> {
    const names = { clientSoftwareName: 'drover', clientSoftwareVersion: this.#settings.clientVersion };
    let response = await this.#requests.send(apiVersions, apiVersions.newest, names, {}, 'in turn');
    if (response.errorCode === codeOf('UNSUPPORTED_VERSION')) {
      // Before 2.4 brokers answered without a word about what they speak: the oldest is understood by all.
      const version = commonVersion(apiVersions, response.apis) ?? apiVersions.oldest;
      response = await this.#requests.send(apiVersions, version, names, {}, 'in turn');
    }
    if (response.errorCode !== noError) {
      const message = `it answered ${errorName(response.errorCode)} to the question what it speaks`;
      this.end({ code: 'protocol', message, retriable: false });
    }
    this.#apis = response.apis;
  }

  async #authenticate(credentials: SaslCredentials): Promise<void> {
    const { username } = credentials;
    try {
      const lifetimeMs = await authenticate(credentials, {
        handshake: (mechanism) => this.#ahead(saslHandshake, { mechanism }),
        authenticate: (authBytes) => this.#ahead(saslAuthenticate, { authBytes: wholeOf(authBytes) }),
      });
      if (lifetimeMs !== null && this.#ended === null) this.#scheduleAuthentication(credentials, lifetimeMs);
    } catch (error) {
      if (!(error instanceof SaslRefused)) throw error;
      const reason = {
        code: 'denied',
        message: `${username} is not let in: ${error.message}`,
        retriable: false,
      } as const;
      this.end(reason);
      throw this.#errorOf(this.#ended ?? reason);
    }
  }

  /** The broker ends a connection that is older than its session; between the two questions nothing else may come. */
  #scheduleAuthentication(credentials: SaslCredentials, lifetimeMs: number): void {
    const again = async () => {
      this.#requests.hold();
      try {
        await this.#authenticate(credentials);
      } catch (error) {
        // The connection has ended, and with it every request: they carry the reason.
        if (!(error instanceof BrokerConnectionError)) throw error;
        return;
      }
      this.#requests.release();
    };
    this.#authenticateAgain = setTimeout(() => void again(), Math.min(lifetimeMs * 0.8, timerMsMax));
    this.#authenticateAgain.unref();
  }

  #ahead<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response> {
    return this.#requests.send(api, this.versionOf(api), request, {}, 'ahead');
  }

  #errorOf({ code, message, retriable, cause }: EndReason): BrokerConnectionError {
    return new BrokerConnectionError(code, message, { retriable, cause, sent: false });
  }
}

const timerMsMax = 2_147_483_647;
