import type { Api, Codec } from './api.ts';

/**
 * Configuration of topics and brokers, as it holds: with defaults.
 *
 *   Request v1 => [resource_type INT8, resource_name STRING, NULLABLE [key STRING]], include_synonyms BOOLEAN,
 *     include_documentation BOOLEAN (from v3)
 *   Response v1 => throttle_time_ms INT32, [error_code INT16, error_message NULLABLE_STRING, resource_type INT8,
 *     resource_name STRING, [name STRING, value NULLABLE_STRING, read_only BOOLEAN, config_source INT8, is_sensitive BOOLEAN,
 *     [synonym name STRING, value NULLABLE_STRING, source INT8], config_type INT8 and documentation NULLABLE_STRING (from v3)]]
 *   v4 => flexible
 *
 * Synonyms and documentation are not asked for.
 */
export type DescribeConfigsRequest = { readonly resources: readonly ConfigsAsked[] };
export type ConfigsAsked = {
  /** Of Kafka's ConfigResource: 2 topic, 4 broker. */
  readonly type: number;
  readonly name: string;
  /** Null: all. */
  readonly keys: readonly string[] | null;
};
export const resourceType = { topic: 2, broker: 4 } as const;

export type DescribeConfigsResponse = { readonly throttleMs: number; readonly resources: readonly ConfigsAnswered[] };
export type ConfigsAnswered = {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly type: number;
  readonly name: string;
  readonly configs: readonly ConfigEntry[];
};
export type ConfigEntry = {
  readonly name: string;
  /** Null: none, or it is sensitive. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly source: number;
  readonly sensitive: boolean;
};

const request: Codec<DescribeConfigsRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 4;
    out.array(value.resources, flexible, ({ type, name, keys }) => {
      out.int8(type);
      out.string(name, flexible);
      out.arrayOrNull(keys, flexible, (key) => out.string(key, flexible));
      if (flexible) out.tagged();
    });
    out.boolean(false);
    if (version >= 3) out.boolean(false);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 4;
    const resources = input.array('resources', flexible, () => {
      const type = input.int8('resource type');
      const name = input.string('resource name', flexible);
      const keys = input.arrayOrNull('keys', flexible, () => input.string('key', flexible));
      if (flexible) input.tagged('tagged fields of a resource');
      return { type, name, keys };
    });
    input.boolean('include synonyms');
    if (version >= 3) input.boolean('include documentation');
    if (flexible) input.tagged('tagged fields of DescribeConfigs');
    return { resources };
  },
};

const response: Codec<DescribeConfigsResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 4;
    out.int32(value.throttleMs);
    out.array(value.resources, flexible, (resource) => {
      out.int16(resource.errorCode);
      out.stringOrNull(resource.errorMessage, flexible);
      out.int8(resource.type);
      out.string(resource.name, flexible);
      out.array(resource.configs, flexible, (entry) => {
        out.string(entry.name, flexible);
        out.stringOrNull(entry.value, flexible);
        out.boolean(entry.readOnly);
        out.int8(entry.source);
        out.boolean(entry.sensitive);
        out.array([], flexible, () => undefined);
        if (version >= 3) {
          out.int8(0);
          out.stringOrNull(null, flexible);
        }
        if (flexible) out.tagged();
      });
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 4;
    const throttleMs = input.int32('throttle time');
    const resources = input.array('resources', flexible, () => {
      const errorCode = input.int16('error code');
      const errorMessage = input.stringOrNull('error message', flexible);
      const type = input.int8('resource type');
      const name = input.string('resource name', flexible);
      const configs = input.array(`configuration of ${name}`, flexible, () => {
        const entry = {
          name: input.string('name of a setting', flexible),
          value: input.stringOrNull('value of a setting', flexible),
          readOnly: input.boolean('read only'),
          source: input.int8('source of a setting'),
          sensitive: input.boolean('is sensitive'),
        };
        input.array('synonyms', flexible, () => {
          input.string('name of a synonym', flexible);
          input.stringOrNull('value of a synonym', flexible);
          input.int8('source of a synonym');
          if (flexible) input.tagged('tagged fields of a synonym');
        });
        if (version >= 3) {
          input.int8('type of a setting');
          input.stringOrNull('documentation', flexible);
        }
        if (flexible) input.tagged('tagged fields of a setting');
        return entry;
      });
      if (flexible) input.tagged('tagged fields of a resource');
      return { errorCode, errorMessage, type, name, configs };
    });
    if (flexible) input.tagged('tagged fields of DescribeConfigs');
    return { throttleMs, resources };
  },
};

export const describeConfigs: Api<DescribeConfigsRequest, DescribeConfigsResponse> = {
  name: 'DescribeConfigs',
  key: 32,
  oldest: 1,
  newest: 4,
  flexibleFrom: 4,
  request,
  response,
};
