import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';
import type { ByteRange } from './byte-range.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 *   Produce request v7 => transactional_id NULLABLE_STRING, acks INT16, timeout_ms INT32,
 *     [topic STRING, [partition INT32, records NULLABLE_BYTES]]
 *   Response v7 => [topic STRING, [partition INT32, error_code INT16, base_offset INT64, log_append_time_ms INT64,
 *     log_start_offset INT64]], throttle_time_ms INT32
 *   v8 => response: record_errors [batch_index INT32, message NULLABLE_STRING] and error_message NULLABLE_STRING per partition
 *   v9 => flexible
 */
export type ProduceRequest = {
  readonly transactionalId: string | null;
  /** `all` in-sync replicas, or the leader alone. Without any, which Kafka has too, there would be no response to wait for. */
  readonly acks: 'all' | 'leader';
  readonly timeoutMs: number;
  readonly topics: readonly ByTopic<ProducedBatch>[];
};
/** Exactly one batch: brokers refuse two of one partition in a request. */
export type ProducedBatch = { readonly partition: number; readonly records: ByteRange | null };

export type ProduceResponse = { readonly topics: readonly ByTopic<ProducedPartition>[]; readonly throttleMs: number };
export type ProducedPartition = {
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number | null;
  /** Null: the topic keeps the times of the records. */
  readonly logAppendTimeMs: number | null;
  readonly logStartOffset: number | null;
  /** What was wrong with which record of the batch (from version 8). */
  readonly recordErrors: readonly RecordError[];
  readonly errorMessage: string | null;
};
export type RecordError = { readonly batchIndex: number; readonly message: string | null };

const request: Codec<ProduceRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 9;
    out.stringOrNull(value.transactionalId, flexible);
    out.int16(value.acks === 'all' ? -1 : 1);
    out.int32(value.timeoutMs);
    writeTopics(out, flexible, value.topics, ({ partition, records }) => {
      out.int32(partition);
      out.rangeOrNull(records, flexible);
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 9;
    const transactionalId = input.stringOrNull('transactional id', flexible);
    const acks = readAcks(input);
    const timeoutMs = input.int32('timeout');
    const topics = readTopics(input, flexible, () => {
      const batch = { partition: input.int32('partition'), records: input.rangeOrNull('records', flexible) };
      if (flexible) input.tagged('tagged fields of a partition');
      return batch;
    });
    if (flexible) input.tagged('tagged fields of Produce');
    return { transactionalId, acks, timeoutMs, topics };
  },
};

const response: Codec<ProduceResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 9;
    writeTopics(out, flexible, value.topics, (partition) => writePartition(out, version, partition));
    out.int32(value.throttleMs);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 9;
    const topics = readTopics(input, flexible, () => readPartition(input, version));
    const throttleMs = input.int32('throttle time');
    if (flexible) input.tagged('tagged fields of Produce');
    return { topics, throttleMs };
  },
};

export const produceApi: Api<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  key: 0,
  oldest: 7,
  newest: 9,
  flexibleFrom: 9,
  request,
  response,
};

function readAcks(input: WireReader): ProduceRequest['acks'] {
  const { at } = input;
  const acks = input.int16('acks');
  if (acks !== -1 && acks !== 1) throw new MalformedBytes('acks', at, '−1 or 1', acks);
  return acks === -1 ? 'all' : 'leader';
}

function writePartition(out: WireWriter, version: number, value: ProducedPartition): void {
  const flexible = version >= 9;
  out.int32(value.partition);
  out.int16(value.errorCode);
  out.int64OrNull(value.baseOffset);
  out.int64OrNull(value.logAppendTimeMs);
  out.int64OrNull(value.logStartOffset);
  if (version >= 8) {
    out.array(value.recordErrors, flexible, ({ batchIndex, message }) => {
      out.int32(batchIndex);
      out.stringOrNull(message, flexible);
      if (flexible) out.tagged();
    });
    out.stringOrNull(value.errorMessage, flexible);
  }
  if (flexible) out.tagged();
}

function readPartition(input: WireReader, version: number): ProducedPartition {
  const flexible = version >= 9;
  const partition = input.int32('partition');
  const errorCode = input.int16('error code');
  const baseOffset = input.int64OrNull('base offset');
  const logAppendTimeMs = input.int64OrNull('log append time');
  const logStartOffset = input.int64OrNull('log start offset');
  let recordErrors: RecordError[] = [];
  let errorMessage: string | null = null;
  if (version >= 8) {
    recordErrors = input.array('record errors', flexible, () => {
      const error = {
        batchIndex: input.int32('batch index'),
        message: input.stringOrNull('message of a record error', flexible),
      };
      if (flexible) input.tagged('tagged fields of a record error');
      return error;
    });
    errorMessage = input.stringOrNull('error message', flexible);
  }
  if (flexible) input.tagged('tagged fields of a partition');
  return { partition, errorCode, baseOffset, logAppendTimeMs, logStartOffset, recordErrors, errorMessage };
}
