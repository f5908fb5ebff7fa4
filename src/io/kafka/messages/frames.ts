import { MalformedBytes } from '../bytes/malformed.ts';
import { type Api, isFlexible } from './api.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/**
 *   Frame           => length INT32, then that many bytes
 *   Request header  => api_key INT16, api_version INT16, correlation_id INT32, client_id NULLABLE_STRING, [tagged fields]
 *   Response header => correlation_id INT32, [tagged fields]
 *
 * The tagged fields are there in flexible versions; client_id is never of the compact kind. The response to ApiVersions
 * never has them, for its reader does not know yet what the broker speaks.
 */
export type RequestHeader = {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
};

/** A whole frame with its length, as chunks for one `writev`. */
export function requestFrame<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  clientId: string | null,
  request: Request,
): readonly Uint8Array[] {
  return frame((out) => {
    out.int16(api.key);
    out.int16(version);
    out.int32(correlationId);
    out.stringOrNull(clientId, false);
    if (isFlexible(api, version)) out.tagged();
    api.request.encode(out, version, request);
  });
}

export function responseFrame<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  response: Response,
): readonly Uint8Array[] {
  return frame((out) => {
    out.int32(correlationId);
    if (hasTaggedResponseHeader(api, version)) out.tagged();
    api.response.encode(out, version, response);
  });
}

/** Header of a request; `flexibleFromOf` tells of an api key from which version on it is flexible. The reader stands at the body after it. */
export function readRequestHeader(input: WireReader, flexibleFromOf: (apiKey: number) => number | null): RequestHeader {
  const apiKey = input.int16('api key');
  const version = input.int16('api version');
  const correlationId = input.int32('correlation id');
  const clientId = input.stringOrNull('client id', false);
  if (isFlexible({ flexibleFrom: flexibleFromOf(apiKey) }, version)) input.tagged('tagged fields of the header');
  return { apiKey, version, correlationId, clientId };
}

export function readRequest<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  input: WireReader,
): Request {
  if (version < api.oldest || version > api.newest)
    throw new MalformedBytes(
      `${api.name} request`,
      input.at,
      `a version from ${api.oldest} to ${api.newest}`,
      `${version}`,
    );
  const request = api.request.decode(input, version);
  input.end(`${api.name} request v${version}`);
  return request;
}

export function correlationIdOf(body: Uint8Array): number {
  return new WireReader(body).int32('correlation id');
}

/** `body` is a frame without its length. */
export function readResponse<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  body: Uint8Array,
): Response {
  const input = new WireReader(body);
  input.int32('correlation id');
  if (hasTaggedResponseHeader(api, version)) input.tagged('tagged fields of the header');
  const response = api.response.decode(input, version);
  input.end(`${api.name} response v${version}`);
  return response;
}

function hasTaggedResponseHeader(api: Pick<Api<unknown, unknown>, 'key' | 'flexibleFrom'>, version: number): boolean {
  return api.key !== apiVersionsKey && isFlexible(api, version);
}

export const apiVersionsKey = 18;

function frame(write: (out: WireWriter) => void): readonly Uint8Array[] {
  const out = new WireWriter();
  const length = out.reserveInt32();
  write(out);
  length(out.length - 4);
  return out.chunks();
}
