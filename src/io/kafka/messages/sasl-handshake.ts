import type { Api, Codec } from './api.ts';

/**
 *   SaslHandshake request v1 => mechanism STRING          response v1 => error_code INT16, [mechanism STRING]
 *
 * Version 1: what follows comes in SaslAuthenticate. Never flexible.
 */
export type SaslHandshakeRequest = { readonly mechanism: string };
export type SaslHandshakeResponse = { readonly errorCode: number; readonly mechanisms: readonly string[] };

const request: Codec<SaslHandshakeRequest> = {
  encode: (out, _version, { mechanism }) => out.string(mechanism, false),
  decode: (input) => ({ mechanism: input.string('mechanism', false) }),
};

const response: Codec<SaslHandshakeResponse> = {
  encode: (out, _version, { errorCode, mechanisms }) => {
    out.int16(errorCode);
    out.array(mechanisms, false, (mechanism) => out.string(mechanism, false));
  },
  decode: (input) => ({
    errorCode: input.int16('error code'),
    mechanisms: input.array('mechanisms', false, () => input.string('mechanism', false)),
  }),
};

export const saslHandshake: Api<SaslHandshakeRequest, SaslHandshakeResponse> = {
  name: 'SaslHandshake',
  key: 17,
  oldest: 1,
  newest: 1,
  flexibleFrom: null,
  request,
  response,
};
