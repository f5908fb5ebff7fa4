import {
  type AclEntry,
  type AclFilter,
  type AclPattern,
  readEntry,
  readFilter,
  readPattern,
  writeEntry,
  writeFilter,
  writePattern,
} from './acls.ts';
import type { Api, Codec } from './api.ts';

/**
 * Takes away every entry that a filter fits.
 *
 *   Request v2 (flexible) => [resource_type INT8, resource_name NULLABLE_STRING, pattern_type INT8, principal NULLABLE_STRING,
 *     host NULLABLE_STRING, operation INT8, permission_type INT8]
 *   Response v2 => throttle_time_ms INT32, [error_code INT16, error_message NULLABLE_STRING,
 *     [error_code INT16, error_message NULLABLE_STRING, resource_type INT8, resource_name STRING, pattern_type INT8,
 *       principal STRING, host STRING, operation INT8, permission_type INT8]]
 *   v3 => the resource type user
 */
export type DeleteAclsRequest = { readonly filters: readonly AclFilter[] };
type Failure = { readonly errorCode: number; readonly errorMessage: string | null };
export type DeleteAclsResponse = {
  readonly throttleMs: number;
  /** In the order of the filters. */
  readonly results: readonly (Failure & { readonly deleted: readonly (Failure & AclPattern & AclEntry)[] })[];
};

const request: Codec<DeleteAclsRequest> = {
  encode: (out, _version, { filters }) => {
    out.array(filters, true, (filter) => {
      writeFilter(out, filter);
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const filters = input.array('filters', true, () => {
      const filter = readFilter(input);
      input.tagged('tagged fields of a filter');
      return filter;
    });
    input.tagged('tagged fields of DeleteAcls');
    return { filters };
  },
};

const response: Codec<DeleteAclsResponse> = {
  encode: (out, _version, { throttleMs, results }) => {
    out.int32(throttleMs);
    out.array(results, true, ({ errorCode, errorMessage, deleted }) => {
      out.int16(errorCode);
      out.stringOrNull(errorMessage, true);
      out.array(deleted, true, (acl) => {
        out.int16(acl.errorCode);
        out.stringOrNull(acl.errorMessage, true);
        writePattern(out, acl);
        writeEntry(out, acl);
        out.tagged();
      });
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const results = input.array('results', true, () => {
      const errorCode = input.int16('error code');
      const errorMessage = input.stringOrNull('error message', true);
      const deleted = input.array('entries', true, () => {
        const failure = {
          errorCode: input.int16('error code'),
          errorMessage: input.stringOrNull('error message', true),
        };
        const acl = { ...failure, ...readPattern(input), ...readEntry(input) };
        input.tagged('tagged fields of an entry');
        return acl;
      });
      input.tagged('tagged fields of a result');
      return { errorCode, errorMessage, deleted };
    });
    input.tagged('tagged fields of DeleteAcls');
    return { throttleMs, results };
  },
};

export const deleteAcls: Api<DeleteAclsRequest, DeleteAclsResponse> = {
  name: 'DeleteAcls',
  key: 31,
  oldest: 2,
  newest: 3,
  flexibleFrom: 2,
  request,
  response,
};
