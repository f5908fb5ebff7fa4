import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api, Codec } from './api.ts';

/**
 * DescribeUserScramCredentials: which users the cluster has passwords of, as hashes that it does not tell.
 *
 *   Request v0 (flexible) => NULLABLE [name STRING]
 *   Response v0 => throttle_time_ms INT32, error_code INT16, error_message NULLABLE_STRING,
 *     [user STRING, error_code INT16, error_message NULLABLE_STRING, [mechanism INT8, iterations INT32]]
 *
 * All of them are asked for.
 */
export type ScramUsersRequest = Record<never, never>;
export type ScramUsersResponse = {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly users: readonly ScramUser[];
};
export type ScramUser = {
  readonly user: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly credentials: readonly { readonly mechanism: number; readonly iterations: number }[];
};

const request: Codec<ScramUsersRequest> = {
  encode: (out) => {
    out.arrayOrNull(null, true, () => undefined);
    out.tagged();
  },
  decode: (input) => {
    const { at } = input;
    const users = input.arrayOrNull('users', true, () => input.int8('user'));
    if (users !== null) throw new MalformedBytes('users', at, 'null', `${users.length} of them`);
    input.tagged('tagged fields of DescribeUserScramCredentials');
    return {};
  },
};

const response: Codec<ScramUsersResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.int16(value.errorCode);
    out.stringOrNull(value.errorMessage, true);
    out.array(value.users, true, ({ user, errorCode, errorMessage, credentials }) => {
      out.string(user, true);
      out.int16(errorCode);
      out.stringOrNull(errorMessage, true);
      out.array(credentials, true, ({ mechanism, iterations }) => {
        out.int8(mechanism);
        out.int32(iterations);
        out.tagged();
      });
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const errorCode = input.int16('error code');
    const errorMessage = input.stringOrNull('error message', true);
    const users = input.array('users', true, () => {
      const user = input.string('user', true);
      const userError = { errorCode: input.int16('error code'), errorMessage: input.stringOrNull('message', true) };
      const credentials = input.array('credentials', true, () => {
        const credential = { mechanism: input.int8('mechanism'), iterations: input.int32('iterations') };
        input.tagged('tagged fields of a credential');
        return credential;
      });
      input.tagged('tagged fields of a user');
      return { user, ...userError, credentials };
    });
    input.tagged('tagged fields of DescribeUserScramCredentials');
    return { throttleMs, errorCode, errorMessage, users };
  },
};

export const scramUsers: Api<ScramUsersRequest, ScramUsersResponse> = {
  name: 'DescribeUserScramCredentials',
  key: 50,
  oldest: 0,
  newest: 0,
  flexibleFrom: 0,
  request,
  response,
};
