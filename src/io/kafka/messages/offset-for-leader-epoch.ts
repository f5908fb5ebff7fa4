import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';

/**
 * Where a leader epoch ended, by which a truncated log is noticed without fetching.
 *
 *   Request v3 => replica_id INT32, [topic STRING, [partition INT32, current_leader_epoch INT32, leader_epoch INT32]]
 *   Response v3 => throttle_time_ms INT32, [topic STRING, [error_code INT16, partition INT32, leader_epoch INT32, end_offset INT64]]
 *   v4 => flexible
 */
export type OffsetForLeaderEpochRequest = {
  /** −1: a client. */
  readonly replicaId: number;
  readonly topics: readonly ByTopic<EpochAsked>[];
};
export type EpochAsked = {
  readonly partition: number;
  readonly currentLeaderEpoch: number | null;
  readonly leaderEpoch: number;
};
export type OffsetForLeaderEpochResponse = {
  readonly throttleMs: number;
  readonly topics: readonly ByTopic<EpochAnswered>[];
};
export type EpochAnswered = {
  readonly partition: number;
  readonly errorCode: number;
  /** The largest epoch that is not above the asked one; null: the broker knows none. */
  readonly leaderEpoch: number | null;
  readonly endOffset: number | null;
};

const request: Codec<OffsetForLeaderEpochRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 4;
    out.int32(value.replicaId);
    writeTopics(out, flexible, value.topics, ({ partition, currentLeaderEpoch, leaderEpoch }) => {
      out.int32(partition);
      out.int32OrNull(currentLeaderEpoch);
      out.int32(leaderEpoch);
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 4;
    const replicaId = input.int32('replica id');
    const topics = readTopics(input, flexible, () => {
      const asked = {
        partition: input.int32('partition'),
        currentLeaderEpoch: input.int32OrNull('current leader epoch'),
        leaderEpoch: input.int32('leader epoch'),
      };
      if (flexible) input.tagged('tagged fields of a partition');
      return asked;
    });
    if (flexible) input.tagged('tagged fields of OffsetForLeaderEpoch');
    return { replicaId, topics };
  },
};

const response: Codec<OffsetForLeaderEpochResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 4;
    out.int32(value.throttleMs);
    writeTopics(out, flexible, value.topics, ({ partition, errorCode, leaderEpoch, endOffset }) => {
      out.int16(errorCode);
      out.int32(partition);
      out.int32OrNull(leaderEpoch);
      out.int64OrNull(endOffset);
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 4;
    const throttleMs = input.int32('throttle time');
    const topics = readTopics(input, flexible, () => {
      const errorCode = input.int16('error code');
      const partition = input.int32('partition');
      const leaderEpoch = input.int32OrNull('leader epoch');
      const endOffset = input.int64OrNull('end offset');
      if (flexible) input.tagged('tagged fields of a partition');
      return { partition, errorCode, leaderEpoch, endOffset };
    });
    if (flexible) input.tagged('tagged fields of OffsetForLeaderEpoch');
    return { throttleMs, topics };
  },
};

export const offsetForLeaderEpoch: Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> = {
  name: 'OffsetForLeaderEpoch',
  key: 23,
  oldest: 3,
  newest: 4,
  flexibleFrom: 4,
  request,
  response,
};
