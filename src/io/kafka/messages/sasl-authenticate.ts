import type { Api, Codec } from './api.ts';
import type { ByteRange } from './byte-range.ts';

/**
 *   SaslAuthenticate request v0 => auth_bytes BYTES
 *   Response v0 => error_code INT16, error_message NULLABLE_STRING, auth_bytes BYTES
 *   v1 => response: session_lifetime_ms INT64          v2 => flexible
 */
export type SaslAuthenticateRequest = { readonly authBytes: ByteRange };
export type SaslAuthenticateResponse = {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly authBytes: ByteRange;
  /** After this the broker ends a connection that has not authenticated again; 0: never. */
  readonly sessionLifetimeMs: number;
};

const request: Codec<SaslAuthenticateRequest> = {
  encode: (out, version, { authBytes }) => {
    out.range(authBytes, version >= 2);
    if (version >= 2) out.tagged();
  },
  decode: (input, version) => {
    const authBytes = input.range('auth bytes', version >= 2);
    if (version >= 2) input.tagged('tagged fields of SaslAuthenticate');
    return { authBytes };
  },
};

const response: Codec<SaslAuthenticateResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 2;
    out.int16(value.errorCode);
    out.stringOrNull(value.errorMessage, flexible);
    out.range(value.authBytes, flexible);
    if (version >= 1) out.int64(value.sessionLifetimeMs);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 2;
    const errorCode = input.int16('error code');
    const errorMessage = input.stringOrNull('error message', flexible);
    const authBytes = input.range('auth bytes', flexible);
    const sessionLifetimeMs = version >= 1 ? input.int64('session lifetime') : 0;
    if (flexible) input.tagged('tagged fields of SaslAuthenticate');
    return { errorCode, errorMessage, authBytes, sessionLifetimeMs };
  },
};

export const saslAuthenticate: Api<SaslAuthenticateRequest, SaslAuthenticateResponse> = {
  name: 'SaslAuthenticate',
  key: 36,
  oldest: 0,
  newest: 2,
  flexibleFrom: 2,
  request,
  response,
};
