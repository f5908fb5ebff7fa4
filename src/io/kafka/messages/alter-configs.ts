import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api, Codec } from './api.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * IncrementalAlterConfigs: single settings of a topic or a broker, the others as they are.
 *
 *   Request v0 => [resource_type INT8, resource_name STRING, [name STRING, operation INT8, value NULLABLE_STRING]],
 *     validate_only BOOLEAN
 *   Response v0 => throttle_time_ms INT32, [error_code INT16, error_message NULLABLE_STRING, resource_type INT8,
 *     resource_name STRING]
 *   v1 => flexible
 *
 * Of the operations set (0) and delete (1); what belongs to one resource is done together or not at all.
 */
export type AlterConfigsRequest = { readonly resources: readonly ConfigsToAlter[]; readonly validateOnly: boolean };
export type ConfigsToAlter = {
  /** See `resourceType` of DescribeConfigs. */
  readonly type: number;
  readonly name: string;
  readonly configs: readonly {
    readonly name: string;
    /** Null: it is taken away, so that what is below it holds. */
    readonly value: string | null;
  }[];
};
export type AlterConfigsResponse = { readonly throttleMs: number; readonly resources: readonly ConfigsAltered[] };
export type ConfigsAltered = {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly type: number;
  readonly name: string;
};

const operation = { set: 0, remove: 1 } as const;

const request: Codec<AlterConfigsRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 1;
    out.array(value.resources, flexible, (resource) => writeResource(out, flexible, resource));
    out.boolean(value.validateOnly);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 1;
    const resources = input.array('resources', flexible, () => readResource(input, flexible));
    const validateOnly = input.boolean('validate only');
    if (flexible) input.tagged('tagged fields of IncrementalAlterConfigs');
    return { resources, validateOnly };
  },
};

const response: Codec<AlterConfigsResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 1;
    out.int32(value.throttleMs);
    out.array(value.resources, flexible, ({ errorCode, errorMessage, type, name }) => {
      out.int16(errorCode);
      out.stringOrNull(errorMessage, flexible);
      out.int8(type);
      out.string(name, flexible);
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 1;
    const throttleMs = input.int32('throttle time');
    const resources = input.array('resources', flexible, () => {
      const resource = {
        errorCode: input.int16('error code'),
        errorMessage: input.stringOrNull('error message', flexible),
        type: input.int8('resource type'),
        name: input.string('resource name', flexible),
      };
      if (flexible) input.tagged('tagged fields of a resource');
      return resource;
    });
    if (flexible) input.tagged('tagged fields of IncrementalAlterConfigs');
    return { throttleMs, resources };
  },
};

export const alterConfigs: Api<AlterConfigsRequest, AlterConfigsResponse> = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  oldest: 0,
  newest: 1,
  flexibleFrom: 1,
  request,
  response,
};

function writeResource(out: WireWriter, flexible: boolean, { type, name, configs }: ConfigsToAlter): void {
  out.int8(type);
  out.string(name, flexible);
  out.array(configs, flexible, (config) => {
    out.string(config.name, flexible);
    out.int8(config.value === null ? operation.remove : operation.set);
    out.stringOrNull(config.value, flexible);
    if (flexible) out.tagged();
  });
  if (flexible) out.tagged();
}

function readResource(input: WireReader, flexible: boolean): ConfigsToAlter {
  const type = input.int8('resource type');
  const name = input.string('resource name', flexible);
  const configs = input.array(`configuration of ${name}`, flexible, () => {
    const key = input.string('name of a setting', flexible);
    const { at } = input;
    const code = input.int8('operation');
    const value = input.stringOrNull('value of a setting', flexible);
    if (code !== (value === null ? operation.remove : operation.set))
      throw new MalformedBytes('operation', at, '0 with a value, or 1 without one', `${code}`);
    if (flexible) input.tagged('tagged fields of a setting');
    return { name: key, value };
  });
  if (flexible) input.tagged('tagged fields of a resource');
  return { type, name, configs };
}
