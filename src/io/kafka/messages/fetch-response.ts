import type { Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';
import type { ByteRange } from './byte-range.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 *   Fetch response v11 => throttle_time_ms INT32, error_code INT16, session_id INT32, [topic STRING, [partition INT32,
 *     error_code INT16, high_watermark INT64, last_stable_offset INT64, log_start_offset INT64,
 *     aborted NULLABLE [producer_id INT64, first_offset INT64], preferred_read_replica INT32, records NULLABLE_BYTES]]
 *   v12 => flexible; per partition tagged: 0 diverging_epoch {epoch INT32, end_offset INT64},
 *     1 current_leader {leader_id INT32, leader_epoch INT32}, 2 snapshot_id (of no use to a client)
 */
export type FetchResponse = {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly topics: readonly ByTopic<FetchedPartition>[];
};
export type FetchedPartition = {
  readonly partition: number;
  /** Not 0: the rest says nothing, but for what belongs to the error. */
  readonly errorCode: number;
  readonly highWatermark: number | null;
  readonly lastStableOffset: number | null;
  readonly logStartOffset: number | null;
  /** Set: the log was truncated. What was fetched behind `endOffset` of `epoch` does not exist any more. */
  readonly divergingEpoch: EpochEnd | null;
  /** Set with an error that says that the asked broker is not the leader, or not in this epoch. */
  readonly currentLeader: LeaderAndEpoch | null;
  /** Null: nothing that a reader of committed records has to know. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  /** Node that the next fetch should go to, where racks were told. */
  readonly preferredReadReplica: number | null;
  /** Within the response, uncopied: whole batches, then perhaps the beginning of one; the first may begin below the asked offset. */
  readonly records: ByteRange | null;
};
export type EpochEnd = { readonly epoch: number; readonly endOffset: number };
export type LeaderAndEpoch = { readonly leaderId: number | null; readonly leaderEpoch: number | null };
export type AbortedTransaction = { readonly producerId: bigint; readonly firstOffset: number };

export const fetchResponse: Codec<FetchResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 12;
    out.int32(value.throttleMs);
    out.int16(value.errorCode);
    out.int32(value.sessionId);
    writeTopics(out, flexible, value.topics, (partition) => writePartition(out, version, partition));
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 12;
    const throttleMs = input.int32('throttle time');
    const errorCode = input.int16('error code');
    const sessionId = input.int32('session id');
    const topics = readTopics(input, flexible, () => readPartition(input, flexible));
    if (flexible) input.tagged('tagged fields of Fetch');
    return { throttleMs, errorCode, sessionId, topics };
  },
};

function writePartition(out: WireWriter, version: number, value: FetchedPartition): void {
  const flexible = version >= 12;
  const { divergingEpoch, currentLeader } = value;
  if (!flexible && (divergingEpoch !== null || currentLeader !== null))
    throw new RangeError(`Fetch v${version} cannot carry a diverging epoch or a leader: answer in version 12`);
  out.int32(value.partition);
  out.int16(value.errorCode);
  out.int64OrNull(value.highWatermark);
  out.int64OrNull(value.lastStableOffset);
  out.int64OrNull(value.logStartOffset);
  out.arrayOrNull(value.abortedTransactions, flexible, ({ producerId, firstOffset }) => {
    out.bigint(producerId);
    out.int64(firstOffset);
    if (flexible) out.tagged();
  });
  out.int32OrNull(value.preferredReadReplica);
  out.rangeOrNull(value.records, flexible);
  if (!flexible) return;
  out.tagged(
    [0, divergingEpoch === null ? null : (tag) => writeEpochEnd(tag, divergingEpoch)],
    [1, currentLeader === null ? null : (tag) => writeLeader(tag, currentLeader)],
  );
}

function readPartition(input: WireReader, flexible: boolean): FetchedPartition {
  const partition = input.int32('partition');
  const errorCode = input.int16('error code');
  const highWatermark = input.int64OrNull('high watermark');
  const lastStableOffset = input.int64OrNull('last stable offset');
  const logStartOffset = input.int64OrNull('log start offset');
  const abortedTransactions = input.arrayOrNull('aborted transactions', flexible, () => {
    const aborted = { producerId: input.bigint('producer id'), firstOffset: input.int64('first offset') };
    if (flexible) input.tagged('tagged fields of an aborted transaction');
    return aborted;
  });
  const preferredReadReplica = input.int32OrNull('preferred read replica');
  const records = input.rangeOrNull('records', flexible);
  let divergingEpoch: EpochEnd | null = null;
  let currentLeader: LeaderAndEpoch | null = null;
  if (flexible)
    input.tagged('tagged fields of a partition', {
      0: (tag) => {
        divergingEpoch = readEpochEnd(tag);
      },
      1: (tag) => {
        currentLeader = readLeader(tag);
      },
    });
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch,
    currentLeader,
    abortedTransactions,
    preferredReadReplica,
    records,
  };
}

function writeEpochEnd(out: WireWriter, { epoch, endOffset }: EpochEnd): void {
  out.int32(epoch);
  out.int64(endOffset);
  out.tagged();
}

function readEpochEnd(input: WireReader): EpochEnd {
  const end = { epoch: input.int32('diverging epoch'), endOffset: input.int64('end offset of the diverging epoch') };
  input.tagged('tagged fields of the diverging epoch');
  return end;
}

function writeLeader(out: WireWriter, { leaderId, leaderEpoch }: LeaderAndEpoch): void {
  out.int32OrNull(leaderId);
  out.int32OrNull(leaderEpoch);
  out.tagged();
}

function readLeader(input: WireReader): LeaderAndEpoch {
  const leader = { leaderId: input.int32OrNull('current leader'), leaderEpoch: input.int32OrNull('leader epoch') };
  input.tagged('tagged fields of the current leader');
  return leader;
}
