import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';

/**
 * What a group has committed, asked of the broker that coordinates it.
 *
 *   Request v7 (flexible) => group_id STRING, NULLABLE [topic STRING, [partition INT32]], require_stable BOOLEAN
 *   Response v7 => throttle_time_ms INT32, [topic STRING, [partition INT32, committed_offset INT64,
 *     committed_leader_epoch INT32, metadata NULLABLE_STRING, error_code INT16]], error_code INT16
 */
export type OffsetFetchRequest = {
  readonly group: string;
  /** Null: all on which it has committed. */
  readonly topics: readonly ByTopic<number>[] | null;
  readonly requireStable: boolean;
};
export type OffsetFetchResponse = {
  readonly throttleMs: number;
  readonly topics: readonly ByTopic<OffsetCommitted>[];
  readonly errorCode: number;
};
export type OffsetCommitted = {
  readonly partition: number;
  /** Null: nothing is committed. */
  readonly offset: number | null;
  readonly leaderEpoch: number | null;
  readonly metadata: string | null;
  readonly errorCode: number;
};

const request: Codec<OffsetFetchRequest> = {
  encode: (out, _version, { group, topics, requireStable }) => {
    out.string(group, true);
    if (topics === null) out.arrayOrNull(null, true, () => undefined);
    else writeTopics(out, true, topics, (partition) => out.int32(partition));
    out.boolean(requireStable);
    out.tagged();
  },
  decode: (input) => {
    const group = input.string('group', true);
    const topics = input.arrayOrNull('topics', true, () => {
      const topic = input.string('topic', true);
      const partitions = input.array(`partitions of ${topic}`, true, () => input.int32('partition'));
      input.tagged('tagged fields of a topic');
      return { topic, partitions };
    });
    const requireStable = input.boolean('require stable');
    input.tagged('tagged fields of OffsetFetch');
    return { group, topics, requireStable };
  },
};

const response: Codec<OffsetFetchResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    writeTopics(out, true, value.topics, (committed) => {
      out.int32(committed.partition);
      out.int64OrNull(committed.offset);
      out.int32OrNull(committed.leaderEpoch);
      out.stringOrNull(committed.metadata, true);
      out.int16(committed.errorCode);
      out.tagged();
    });
    out.int16(value.errorCode);
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const topics = readTopics(input, true, () => {
      const committed = {
        partition: input.int32('partition'),
        offset: input.int64OrNull('committed offset'),
        leaderEpoch: input.int32OrNull('committed leader epoch'),
        metadata: input.stringOrNull('metadata', true),
        errorCode: input.int16('error code'),
      };
      input.tagged('tagged fields of a partition');
      return committed;
    });
    const errorCode = input.int16('error code');
    input.tagged('tagged fields of OffsetFetch');
    return { throttleMs, topics, errorCode };
  },
};

export const offsetFetch: Api<OffsetFetchRequest, OffsetFetchResponse> = {
  name: 'OffsetFetch',
  key: 9,
  oldest: 7,
  newest: 7,
  flexibleFrom: 6,
  request,
  response,
};
