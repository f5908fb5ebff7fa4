import type { Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';
import { type Isolation, readIsolation, writeIsolation } from './isolation.ts';

/**
 *   Fetch request v11 => replica_id INT32, max_wait_ms INT32, min_bytes INT32, max_bytes INT32, isolation_level INT8,
 *     session_id INT32, session_epoch INT32, [topic STRING, [partition INT32, current_leader_epoch INT32,
 *     fetch_offset INT64, log_start_offset INT64, partition_max_bytes INT32]], [forgotten topic STRING, [INT32]], rack_id STRING
 *   v12 => flexible; last_fetched_epoch INT32 after fetch_offset; cluster_id as tagged field 0
 */
export type FetchRequest = {
  /** −1: a client. */
  readonly replicaId: number;
  readonly maxWaitMs: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly isolation: Isolation;
  /** 0 and −1: without a fetch session, every request names all its partitions. */
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly topics: readonly ByTopic<FetchFrom>[];
  readonly forgottenTopics: readonly ByTopic<number>[];
  /** Empty: not told, and no preferred read replica is answered. */
  readonly rack: string;
};
export type FetchFrom = {
  readonly partition: number;
  /** Null: not compared with the broker's. */
  readonly currentLeaderEpoch: number | null;
  readonly offset: number;
  /** Leader epoch of the batch before `offset`, by which a truncation is noticed (from version 12); null: not known. */
  readonly lastFetchedEpoch: number | null;
  /** Followers tell theirs; null for a client. */
  readonly logStartOffset: number | null;
  readonly bytesMax: number;
};

export const fetchRequest: Codec<FetchRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 12;
    out.int32(value.replicaId);
    out.int32(value.maxWaitMs);
    out.int32(value.bytesMin);
    out.int32(value.bytesMax);
    writeIsolation(out, value.isolation);
    out.int32(value.sessionId);
    out.int32(value.sessionEpoch);
    writeTopics(out, flexible, value.topics, (from) => {
      out.int32(from.partition);
      out.int32OrNull(from.currentLeaderEpoch);
      out.int64(from.offset);
      if (flexible) out.int32OrNull(from.lastFetchedEpoch);
      else if (from.lastFetchedEpoch !== null)
        throw new RangeError(`Fetch v${version} cannot carry a last fetched epoch: ask for version 12`);
      out.int64OrNull(from.logStartOffset);
      out.int32(from.bytesMax);
      if (flexible) out.tagged();
    });
    writeTopics(out, flexible, value.forgottenTopics, (partition) => out.int32(partition));
    out.string(value.rack, flexible);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 12;
    const head = {
      replicaId: input.int32('replica id'),
      maxWaitMs: input.int32('max wait'),
      bytesMin: input.int32('min bytes'),
      bytesMax: input.int32('max bytes'),
      isolation: readIsolation(input),
      sessionId: input.int32('session id'),
      sessionEpoch: input.int32('session epoch'),
    };
    const topics = readTopics(input, flexible, () => {
      const from: FetchFrom = {
        partition: input.int32('partition'),
        currentLeaderEpoch: input.int32OrNull('current leader epoch'),
        offset: input.int64('fetch offset'),
        lastFetchedEpoch: flexible ? input.int32OrNull('last fetched epoch') : null,
        logStartOffset: input.int64OrNull('log start offset'),
        bytesMax: input.int32('partition max bytes'),
      };
      if (flexible) input.tagged('tagged fields of a partition');
      return from;
    });
    const forgottenTopics = readTopics(input, flexible, () => input.int32('forgotten partition'));
    const rack = input.string('rack', flexible);
    if (flexible) input.tagged('tagged fields of Fetch');
    return { ...head, topics, forgottenTopics, rack };
  },
};
