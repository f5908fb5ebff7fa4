import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';
import { type Isolation, readIsolation, writeIsolation } from './isolation.ts';

/**
 *   ListOffsets request v4 => replica_id INT32, isolation_level INT8,
 *     [topic STRING, [partition INT32, current_leader_epoch INT32, timestamp INT64]]
 *   Response v4 => throttle_time_ms INT32,
 *     [topic STRING, [partition INT32, error_code INT16, timestamp INT64, offset INT64, leader_epoch INT32]]
 *   v5 => OFFSET_NOT_AVAILABLE may be answered          v6 => flexible          v7 => timestamp −3
 */
export type ListOffsetsRequest = {
  /** See `askedAs`: it decides what "latest" means. */
  readonly replicaId: number;
  readonly isolation: Isolation;
  readonly topics: readonly ByTopic<OffsetAsked>[];
};
export type OffsetAsked = {
  readonly partition: number;
  readonly currentLeaderEpoch: number | null;
  /** Milliseconds, for the first record of that time or later, or one of `offsetAt`. */
  readonly timestamp: number;
};
/** As a consumer "latest" is the high watermark (read_committed: the last stable offset), as a debugger the log end. */
export const askedAs = { consumer: -1, debugger: -2 } as const;
export const offsetAt = { latest: -1, earliest: -2, maxTimestamp: -3 } as const;

export type ListOffsetsResponse = {
  readonly throttleMs: number;
  readonly topics: readonly ByTopic<OffsetAnswered>[];
};
export type OffsetAnswered = {
  readonly partition: number;
  readonly errorCode: number;
  readonly timestampMs: number | null;
  /** Null without an error: no record is that young. */
  readonly offset: number | null;
  readonly leaderEpoch: number | null;
};

const request: Codec<ListOffsetsRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 6;
    out.int32(value.replicaId);
    writeIsolation(out, value.isolation);
    writeTopics(out, flexible, value.topics, ({ partition, currentLeaderEpoch, timestamp }) => {
      if (version < 7 && timestamp === offsetAt.maxTimestamp)
        throw new RangeError(`ListOffsets v${version} cannot ask for the record with the largest timestamp`);
      out.int32(partition);
      out.int32OrNull(currentLeaderEpoch);
      out.int64(timestamp);
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 6;
    const replicaId = input.int32('replica id');
    const isolation = readIsolation(input);
    const topics = readTopics(input, flexible, () => {
      const asked = {
        partition: input.int32('partition'),
        currentLeaderEpoch: input.int32OrNull('current leader epoch'),
        timestamp: input.int64('timestamp'),
      };
      if (flexible) input.tagged('tagged fields of a partition');
      return asked;
    });
    if (flexible) input.tagged('tagged fields of ListOffsets');
    return { replicaId, isolation, topics };
  },
};

const response: Codec<ListOffsetsResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 6;
    out.int32(value.throttleMs);
    writeTopics(out, flexible, value.topics, (answered) => {
      out.int32(answered.partition);
      out.int16(answered.errorCode);
      out.int64OrNull(answered.timestampMs);
      out.int64OrNull(answered.offset);
      out.int32OrNull(answered.leaderEpoch);
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 6;
    const throttleMs = input.int32('throttle time');
    const topics = readTopics(input, flexible, () => {
      const answered = {
        partition: input.int32('partition'),
        errorCode: input.int16('error code'),
        timestampMs: input.int64OrNull('timestamp'),
        offset: input.int64OrNull('offset'),
        leaderEpoch: input.int32OrNull('leader epoch'),
      };
      if (flexible) input.tagged('tagged fields of a partition');
      return answered;
    });
    if (flexible) input.tagged('tagged fields of ListOffsets');
    return { throttleMs, topics };
  },
};

export const listOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  name: 'ListOffsets',
  key: 2,
  oldest: 4,
  newest: 7,
  flexibleFrom: 6,
  request,
  response,
};
