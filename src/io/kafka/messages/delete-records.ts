import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';

/**
 * Moves the beginning of a log.
 *
 *   Request v1 => [topic STRING, [partition INT32, offset INT64]], timeout_ms INT32
 *   Response v1 => throttle_time_ms INT32, [topic STRING, [partition INT32, low_watermark INT64, error_code INT16]]
 *   v2 => flexible
 */
export type DeleteRecordsRequest = { readonly topics: readonly ByTopic<DeleteBefore>[]; readonly timeoutMs: number };
/** −1: all up to the high watermark. */
export type DeleteBefore = { readonly partition: number; readonly offset: number };
export type DeleteRecordsResponse = {
  readonly throttleMs: number;
  readonly topics: readonly ByTopic<DeletedBefore>[];
};
export type DeletedBefore = {
  readonly partition: number;
  /** The first offset that every replica still has. */
  readonly lowWatermark: number | null;
  readonly errorCode: number;
};

const request: Codec<DeleteRecordsRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 2;
    writeTopics(out, flexible, value.topics, ({ partition, offset }) => {
      out.int32(partition);
      out.int64(offset);
      if (flexible) out.tagged();
    });
    out.int32(value.timeoutMs);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 2;
    const topics = readTopics(input, flexible, () => {
      const before = { partition: input.int32('partition'), offset: input.int64('offset') };
      if (flexible) input.tagged('tagged fields of a partition');
      return before;
    });
    const timeoutMs = input.int32('timeout');
    if (flexible) input.tagged('tagged fields of DeleteRecords');
    return { topics, timeoutMs };
  },
};

const response: Codec<DeleteRecordsResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 2;
    out.int32(value.throttleMs);
    writeTopics(out, flexible, value.topics, ({ partition, lowWatermark, errorCode }) => {
      out.int32(partition);
      out.int64OrNull(lowWatermark);
      out.int16(errorCode);
      if (flexible) out.tagged();
    });
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 2;
    const throttleMs = input.int32('throttle time');
    const topics = readTopics(input, flexible, () => {
      const partition = input.int32('partition');
      const lowWatermark = input.int64OrNull('low watermark');
      const errorCode = input.int16('error code');
      if (flexible) input.tagged('tagged fields of a partition');
      return { partition, lowWatermark, errorCode };
    });
    if (flexible) input.tagged('tagged fields of DeleteRecords');
    return { throttleMs, topics };
  },
};

export const deleteRecords: Api<DeleteRecordsRequest, DeleteRecordsResponse> = {
  name: 'DeleteRecords',
  key: 21,
  oldest: 1,
  newest: 2,
  flexibleFrom: 2,
  request,
  response,
};
