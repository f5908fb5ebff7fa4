import type { Api, Codec } from './api.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * Who may do what.
 *
 *   DescribeAcls request v2 (flexible) => resource_type INT8, resource_name NULLABLE_STRING, pattern_type INT8,
 *     principal NULLABLE_STRING, host NULLABLE_STRING, operation INT8, permission_type INT8
 *   Response v2 => throttle_time_ms INT32, error_code INT16, error_message NULLABLE_STRING,
 *     [resource_type INT8, resource_name STRING, pattern_type INT8,
 *       [principal STRING, host STRING, operation INT8, permission_type INT8]]
 *   CreateAcls request v2 (flexible) => [resource_type INT8, resource_name STRING, pattern_type INT8, principal STRING,
 *     host STRING, operation INT8, permission_type INT8]
 *   Response v2 => throttle_time_ms INT32, [error_code INT16, error_message NULLABLE_STRING]
 *   v3 => the resource type user
 */
export type AclPattern = { readonly resourceType: number; readonly resourceName: string; readonly patternType: number };
export type AclEntry = {
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permission: number;
};
/** Null and 1 (any) leave it open: one that has all of it fits one entry and no other. */
export type AclFilter = {
  readonly resourceType: number;
  readonly resourceName: string | null;
  readonly patternType: number;
  readonly principal: string | null;
  readonly host: string | null;
  readonly operation: number;
  readonly permission: number;
};
export type DescribeAclsResponse = {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resources: readonly (AclPattern & { readonly entries: readonly AclEntry[] })[];
};
export type CreateAclsRequest = { readonly acls: readonly (AclPattern & AclEntry)[] };
export type CreateAclsResponse = {
  readonly throttleMs: number;
  /** In the order in which they were asked for. */
  readonly results: readonly { readonly errorCode: number; readonly errorMessage: string | null }[];
};

const describeRequest: Codec<AclFilter> = {
  encode: (out, _version, filter) => {
    writeFilter(out, filter);
    out.tagged();
  },
  decode: (input) => {
    const filter = readFilter(input);
    input.tagged('tagged fields of DescribeAcls');
    return filter;
  },
};

const describeResponse: Codec<DescribeAclsResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.int16(value.errorCode);
    out.stringOrNull(value.errorMessage, true);
    out.array(value.resources, true, ({ entries, ...pattern }) => {
      writePattern(out, pattern);
      out.array(entries, true, (entry) => {
        writeEntry(out, entry);
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
    const resources = input.array('resources', true, () => {
      const pattern = readPattern(input);
      const entries = input.array('entries', true, () => {
        const entry = readEntry(input);
        input.tagged('tagged fields of an entry');
        return entry;
      });
      input.tagged('tagged fields of a resource');
      return { ...pattern, entries };
    });
    input.tagged('tagged fields of DescribeAcls');
    return { throttleMs, errorCode, errorMessage, resources };
  },
};

const createRequest: Codec<CreateAclsRequest> = {
  encode: (out, _version, { acls }) => {
    out.array(acls, true, (acl) => {
      writePattern(out, acl);
      writeEntry(out, acl);
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const acls = input.array('ACLs', true, () => {
      const acl = { ...readPattern(input), ...readEntry(input) };
      input.tagged('tagged fields of an ACL');
      return acl;
    });
    input.tagged('tagged fields of CreateAcls');
    return { acls };
  },
};

const createResponse: Codec<CreateAclsResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.array(value.results, true, ({ errorCode, errorMessage }) => {
      out.int16(errorCode);
      out.stringOrNull(errorMessage, true);
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const results = input.array('results', true, () => {
      const result = { errorCode: input.int16('error code'), errorMessage: input.stringOrNull('error message', true) };
      input.tagged('tagged fields of a result');
      return result;
    });
    input.tagged('tagged fields of CreateAcls');
    return { throttleMs, results };
  },
};

export const describeAcls: Api<AclFilter, DescribeAclsResponse> = {
  name: 'DescribeAcls',
  key: 29,
  oldest: 2,
  newest: 3,
  flexibleFrom: 2,
  request: describeRequest,
  response: describeResponse,
};

export const createAcls: Api<CreateAclsRequest, CreateAclsResponse> = {
  name: 'CreateAcls',
  key: 30,
  oldest: 2,
  newest: 3,
  flexibleFrom: 2,
  request: createRequest,
  response: createResponse,
};

export function writeFilter(out: WireWriter, filter: AclFilter): void {
  out.int8(filter.resourceType);
  out.stringOrNull(filter.resourceName, true);
  out.int8(filter.patternType);
  out.stringOrNull(filter.principal, true);
  out.stringOrNull(filter.host, true);
  out.int8(filter.operation);
  out.int8(filter.permission);
}

export function readFilter(input: WireReader): AclFilter {
  return {
    resourceType: input.int8('resource type'),
    resourceName: input.stringOrNull('resource name', true),
    patternType: input.int8('pattern type'),
    principal: input.stringOrNull('principal', true),
    host: input.stringOrNull('host', true),
    operation: input.int8('operation'),
    permission: input.int8('permission'),
  };
}

export function writePattern(out: WireWriter, { resourceType, resourceName, patternType }: AclPattern): void {
  out.int8(resourceType);
  out.string(resourceName, true);
  out.int8(patternType);
}

export function readPattern(input: WireReader): AclPattern {
  return {
    resourceType: input.int8('resource type'),
    resourceName: input.string('resource name', true),
    patternType: input.int8('pattern type'),
  };
}

export function writeEntry(out: WireWriter, { principal, host, operation, permission }: AclEntry): void {
  out.string(principal, true);
  out.string(host, true);
  out.int8(operation);
  out.int8(permission);
}

export function readEntry(input: WireReader): AclEntry {
  return {
    principal: input.string('principal', true),
    host: input.string('host', true),
    operation: input.int8('operation'),
    permission: input.int8('permission'),
  };
}
