import type { Api } from '../../../src/io/kafka/messages/api.ts';
import { lengthOf, viewOf } from '../../../src/io/kafka/messages/byte-range.ts';
import {
  correlationIdOf,
  readRequest,
  readRequestHeader,
  readResponse,
  requestFrame,
  responseFrame,
} from '../../../src/io/kafka/messages/frames.ts';
import { WireReader } from '../../../src/io/kafka/messages/wire-reader.ts';

/** A request or a response, its type forgotten, so that one test goes over all of them. */
export type Sample = {
  readonly name: string;
  readonly direction: 'request' | 'response';
  readonly oldest: number;
  readonly newest: number;
  readonly value: (version: number) => unknown;
  /** With its header and without the length of the frame. */
  readonly encode: (version: number) => Uint8Array;
  readonly decode: (version: number, bytes: Uint8Array) => unknown;
  /** What `decode` returned, encoded again. */
  readonly again: (version: number, bytes: Uint8Array) => Uint8Array;
};

export const sampleClientId = 'drover-golden';
export const sampleCorrelationId = 77;

type GoldenPair<Q, R> = { readonly request?: (version: number) => Q; readonly response?: (version: number) => R };

export function golden<Q, R>(name: string, api: Api<Q, R>, { request, response }: GoldenPair<Q, R>): Sample[] {
  return [
    ...(request === undefined ? [] : [requestSample(name, api, request)]),
    ...(response === undefined ? [] : [responseSample(name, api, response)]),
  ];
}

export function requestSample<Q, R>(name: string, api: Api<Q, R>, value: (version: number) => Q): Sample {
  const read = (bytes: Uint8Array) => {
    const input = new WireReader(bytes);
    const header = readRequestHeader(input, () => api.flexibleFrom);
    return { header, request: readRequest(api, header.version, input) };
  };
  return {
    name,
    direction: 'request',
    oldest: api.oldest,
    newest: api.newest,
    value,
    encode: (version) => body(requestFrame(api, version, sampleCorrelationId, sampleClientId, value(version))),
    decode: (_version, bytes) => read(bytes).request,
    again: (_version, bytes) => {
      const { header, request } = read(bytes);
      const asRead = { ...api, key: header.apiKey };
      return body(requestFrame(asRead, header.version, header.correlationId, header.clientId, request));
    },
  };
}

export function responseSample<Q, R>(name: string, api: Api<Q, R>, value: (version: number) => R): Sample {
  return {
    name,
    direction: 'response',
    oldest: api.oldest,
    newest: api.newest,
    value,
    encode: (version) => body(responseFrame(api, version, sampleCorrelationId, value(version))),
    decode: (version, bytes) => readResponse(api, version, bytes),
    again: (version, bytes) =>
      body(responseFrame(api, version, correlationIdOf(bytes), readResponse(api, version, bytes))),
  };
}

/** Ranges as what is in them, so that values are equal whichever buffer they lie in. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('bytes' in value && 'from' in value && 'to' in value) {
    const { bytes, from, to } = value;
    if (bytes instanceof Uint8Array && typeof from === 'number' && typeof to === 'number') {
      const range = { bytes, from, to };
      return `${lengthOf(range)} bytes ${Buffer.from(viewOf(range)).toString('hex')}`;
    }
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Bytes of a frame after its length, which has to be right. */
function body(chunks: readonly Uint8Array[]): Uint8Array {
  const frame = Buffer.concat(chunks);
  if (frame.readInt32BE(0) !== frame.length - 4)
    throw new Error(`a frame of ${frame.length} says ${frame.readInt32BE(0)}`);
  return frame.subarray(4);
}
