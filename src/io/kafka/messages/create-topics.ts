import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api, Codec } from './api.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * Makes topics, or only says what would be made.
 *
 *   Request v5 (flexible) => [name STRING, num_partitions INT32, replication_factor INT16,
 *     [partition INT32, broker_ids [INT32]], [name STRING, value NULLABLE_STRING]], timeout_ms INT32, validate_only BOOLEAN
 *   Response v5 => throttle_time_ms INT32, [name STRING, error_code INT16, error_message NULLABLE_STRING,
 *     num_partitions INT32, replication_factor INT16, NULLABLE [name STRING, value NULLABLE_STRING, read_only BOOLEAN,
 *     config_source INT8, is_sensitive BOOLEAN], tag 0: topic_config_error_code INT16]
 *   v7 => topic_id UUID in the response after the name
 *
 * Which brokers get the replicas is left to the cluster.
 */
export type CreateTopicsRequest = {
  readonly topics: readonly TopicToCreate[];
  readonly timeoutMs: number;
  readonly validateOnly: boolean;
};
export type TopicToCreate = {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
};

export type CreateTopicsResponse = { readonly throttleMs: number; readonly topics: readonly TopicCreated[] };
export type TopicCreated = {
  readonly name: string;
  /** Null: none, as before version 7 and with an error. */
  readonly topicId: string | null;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** Why the configuration is not told; 0: it is. */
  readonly configErrorCode: number;
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
  /** Effective ones; null: not told. */
  readonly configs: readonly CreatedConfig[] | null;
};
export type CreatedConfig = {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly source: number;
  readonly sensitive: boolean;
};

const request: Codec<CreateTopicsRequest> = {
  encode: (out, _version, value) => {
    out.array(value.topics, true, (topic) => {
      out.string(topic.name, true);
      out.int32(topic.partitions);
      out.int16(topic.replicationFactor);
      out.array([], true, () => undefined);
      out.array(topic.configs, true, (config) => {
        out.string(config.name, true);
        out.stringOrNull(config.value, true);
        out.tagged();
      });
      out.tagged();
    });
    out.int32(value.timeoutMs);
    out.boolean(value.validateOnly);
    out.tagged();
  },
  decode: (input) => {
    const topics = input.array('topics', true, () => readTopicToCreate(input));
    const timeoutMs = input.int32('timeout');
    const validateOnly = input.boolean('validate only');
    input.tagged('tagged fields of CreateTopics');
    return { topics, timeoutMs, validateOnly };
  },
};

const response: Codec<CreateTopicsResponse> = {
  encode: (out, version, value) => {
    out.int32(value.throttleMs);
    out.array(value.topics, true, (topic) => writeCreated(out, version, topic));
    out.tagged();
  },
  decode: (input, version) => {
    const throttleMs = input.int32('throttle time');
    const topics = input.array('topics', true, () => readCreated(input, version));
    input.tagged('tagged fields of CreateTopics');
    return { throttleMs, topics };
  },
};

export const createTopics: Api<CreateTopicsRequest, CreateTopicsResponse> = {
  name: 'CreateTopics',
  key: 19,
  oldest: 5,
  newest: 7,
  flexibleFrom: 5,
  request,
  response,
};

function readTopicToCreate(input: WireReader): TopicToCreate {
  const name = input.string('topic', true);
  const partitions = input.int32('partitions');
  const replicationFactor = input.int16('replication factor');
  const { at } = input;
  const assignments = input.array('assignments', true, () => input.int8('assignment'));
  if (assignments.length > 0) throw new MalformedBytes('assignments', at, 'none', `${assignments.length}`);
  const configs = input.array(`configuration of ${name}`, true, () => {
    const config = {
      name: input.string('name of a setting', true),
      value: input.stringOrNull('value of a setting', true),
    };
    input.tagged('tagged fields of a setting');
    return config;
  });
  input.tagged('tagged fields of a topic');
  return { name, partitions, replicationFactor, configs };
}

function writeCreated(out: WireWriter, version: number, topic: TopicCreated): void {
  out.string(topic.name, true);
  if (version >= 7) out.uuidOrNull(topic.topicId);
  out.int16(topic.errorCode);
  out.stringOrNull(topic.errorMessage, true);
  out.int32OrNull(topic.partitions);
  out.int16(topic.replicationFactor ?? -1);
  out.arrayOrNull(topic.configs, true, (config) => {
    out.string(config.name, true);
    out.stringOrNull(config.value, true);
    out.boolean(config.readOnly);
    out.int8(config.source);
    out.boolean(config.sensitive);
    out.tagged();
  });
  const { configErrorCode } = topic;
  out.tagged([0, configErrorCode === 0 ? null : (tag) => tag.int16(configErrorCode)]);
}

function readCreated(input: WireReader, version: number): TopicCreated {
  const name = input.string('topic', true);
  const topicId = version >= 7 ? input.uuidOrNull('topic id') : null;
  const errorCode = input.int16('error code');
  const errorMessage = input.stringOrNull('error message', true);
  const partitions = input.int32OrNull('partitions');
  const replicationFactor = input.int16OrNull('replication factor');
  const configs = input.arrayOrNull(`configuration of ${name}`, true, () => {
    const config = {
      name: input.string('name of a setting', true),
      value: input.stringOrNull('value of a setting', true),
      readOnly: input.boolean('read only'),
      source: input.int8('source of a setting'),
      sensitive: input.boolean('is sensitive'),
    };
    input.tagged('tagged fields of a setting');
    return config;
  });
  let configErrorCode = 0;
  input.tagged('tagged fields of a topic', {
    0: (tag) => {
      configErrorCode = tag.int16('error code of the configuration');
    },
  });
  return { name, topicId, errorCode, errorMessage, configErrorCode, partitions, replicationFactor, configs };
}
