import { type AddressInfo, createServer as createPlain, type Server, type Socket } from 'node:net';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { IncomingFrames } from '../../../src/io/kafka/connection/incoming-frames.ts';
import type { Api } from '../../../src/io/kafka/messages/api.ts';
import { type ApiRange, apiVersions } from '../../../src/io/kafka/messages/api-versions.ts';
import { deleteRecords } from '../../../src/io/kafka/messages/delete-records.ts';
import { fetchApi } from '../../../src/io/kafka/messages/fetch.ts';
import {
  type RequestHeader,
  readRequest,
  readRequestHeader,
  responseFrame,
} from '../../../src/io/kafka/messages/frames.ts';
import { listOffsets } from '../../../src/io/kafka/messages/list-offsets.ts';
import { produceApi } from '../../../src/io/kafka/messages/produce.ts';
import { saslAuthenticate } from '../../../src/io/kafka/messages/sasl-authenticate.ts';
import { saslHandshake } from '../../../src/io/kafka/messages/sasl-handshake.ts';
import { WireReader } from '../../../src/io/kafka/messages/wire-reader.ts';

/** A listener that speaks Kafka's protocol and does with each request what a test says. */
export class ScriptedBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** All requests but ApiVersions, in the order in which they came. */
  readonly received: ReceivedRequest[] = [];
  /** Connections that were accepted, ended or not. */
  accepted = 0;

  private constructor(script: (request: ReceivedRequest) => void, tls: TlsOptions | null) {
    const accept = (socket: Socket) => this.#accept(socket, script);
    this.#server = tls === null ? createPlain(accept) : createTls(tls, accept);
    this.#server.on('tlsClientError', () => {});
  }

  static async start(
    script: (request: ReceivedRequest) => void,
    tls: TlsOptions | null = null,
  ): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script, tls);
    await new Promise<void>((resolve) => {
      broker.#server.listen(0, '127.0.0.1', resolve);
    });
    return broker;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(socket: Socket, script: (request: ReceivedRequest) => void): void {
    this.accepted += 1;
    this.#sockets.add(socket);
    const frames = new IncomingFrames(100_000_000);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (data) => {
      for (const frame of framesIn(frames, data)) {
        const request = new ReceivedRequest(socket, frame);
        if (request.header.apiKey !== apiVersions.key) this.received.push(request);
        script(request);
      }
    });
  }
}

export class ReceivedRequest {
  readonly socket: Socket;
  readonly header: RequestHeader;
  readonly #body: WireReader;

  constructor(socket: Socket, frame: Uint8Array) {
    this.socket = socket;
    this.#body = new WireReader(frame);
    this.header = readRequestHeader(
      this.#body,
      (apiKey) => known.find(({ key }) => key === apiKey)?.flexibleFrom ?? null,
    );
  }

  is(api: { readonly key: number }): boolean {
    return this.header.apiKey === api.key;
  }

  read<Q, R>(api: Api<Q, R>): Q {
    return readRequest(api, this.header.version, this.#body);
  }

  frameOf<Q, R>(api: Api<Q, R>, response: R, correlationId = this.header.correlationId): Buffer {
    return Buffer.concat(responseFrame(api, this.header.version, correlationId, response));
  }

  answer<Q, R>(api: Api<Q, R>, response: R): void {
    this.socket.write(this.frameOf(api, response));
  }

  /** The answer to ApiVersions, with all that Drover speaks; true if that was asked. */
  answeredVersions(apis: readonly ApiRange[] = everything): boolean {
    if (!this.is(apiVersions)) return false;
    const noFeatures = { supportedFeatures: [], finalizedFeaturesEpoch: null, finalizedFeatures: [] };
    this.answer(apiVersions, { errorCode: 0, apis, throttleMs: 0, ...noFeatures });
    return true;
  }
}

const known = [apiVersions, produceApi, fetchApi, listOffsets, deleteRecords, saslHandshake, saslAuthenticate] as const;
export const everything: readonly ApiRange[] = known.map(({ key, oldest, newest }) => ({
  apiKey: key,
  oldest,
  newest,
}));

function framesIn(frames: IncomingFrames, data: Uint8Array): Uint8Array[] {
  const whole: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    const target = frames.target();
    const count = Math.min(target.length, data.length - at);
    target.set(data.subarray(at, at + count));
    at += count;
    whole.push(...frames.received(count));
  }
  return whole;
}
