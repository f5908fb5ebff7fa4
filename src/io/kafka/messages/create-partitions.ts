import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api, Codec } from './api.ts';

/**
 * Gives topics more partitions.
 *
 *   Request v2 (flexible) => [name STRING, count INT32, assignments NULLABLE [broker_ids [INT32]]], timeout_ms INT32,
 *     validate_only BOOLEAN
 *   Response v2 => throttle_time_ms INT32, [name STRING, error_code INT16, error_message NULLABLE_STRING]
 *   v3 => THROTTLING_QUOTA_EXCEEDED may be answered
 *
 * Which brokers get the replicas is left to the cluster.
 */
export type CreatePartitionsRequest = {
  readonly topics: readonly PartitionsWanted[];
  readonly timeoutMs: number;
  readonly validateOnly: boolean;
};
/** `count`: of all of its partitions. */
export type PartitionsWanted = { readonly name: string; readonly count: number };
export type CreatePartitionsResponse = { readonly throttleMs: number; readonly topics: readonly PartitionsCreated[] };
export type PartitionsCreated = {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
};

const request: Codec<CreatePartitionsRequest> = {
  encode: (out, _version, value) => {
    out.array(value.topics, true, ({ name, count }) => {
      out.string(name, true);
      out.int32(count);
      out.arrayOrNull(null, true, () => undefined);
      out.tagged();
    });
    out.int32(value.timeoutMs);
    out.boolean(value.validateOnly);
    out.tagged();
  },
  decode: (input) => {
    const topics = input.array('topics', true, () => {
      const topic = { name: input.string('topic', true), count: input.int32('count') };
      const { at } = input;
      const assignments = input.arrayOrNull('assignments', true, () => input.int8('assignment'));
      if (assignments !== null) throw new MalformedBytes('assignments', at, 'null', `${assignments.length} of them`);
      input.tagged('tagged fields of a topic');
      return topic;
    });
    const timeoutMs = input.int32('timeout');
    const validateOnly = input.boolean('validate only');
    input.tagged('tagged fields of CreatePartitions');
    return { topics, timeoutMs, validateOnly };
  },
};

const response: Codec<CreatePartitionsResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.array(value.topics, true, ({ name, errorCode, errorMessage }) => {
      out.string(name, true);
      out.int16(errorCode);
      out.stringOrNull(errorMessage, true);
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const topics = input.array('topics', true, () => {
      const topic = {
        name: input.string('topic', true),
        errorCode: input.int16('error code'),
        errorMessage: input.stringOrNull('error message', true),
      };
      input.tagged('tagged fields of a topic');
      return topic;
    });
    input.tagged('tagged fields of CreatePartitions');
    return { throttleMs, topics };
  },
};

export const createPartitions: Api<CreatePartitionsRequest, CreatePartitionsResponse> = {
  name: 'CreatePartitions',
  key: 37,
  oldest: 2,
  newest: 3,
  flexibleFrom: 2,
  request,
  response,
};
