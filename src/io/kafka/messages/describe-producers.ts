import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';

/**
 * Who has written to a partition lately, and who has a transaction open on it.
 *
 *   Request v0 (flexible) => [topic STRING, [partition INT32]]
 *   Response v0 => throttle_time_ms INT32, [topic STRING, [partition INT32, error_code INT16, error_message NULLABLE_STRING,
 *     [producer_id INT64, producer_epoch INT32, last_sequence INT32, last_timestamp INT64, coordinator_epoch INT32,
 *     current_txn_start_offset INT64]]]
 */
export type DescribeProducersRequest = { readonly topics: readonly ByTopic<number>[] };
export type DescribeProducersResponse = {
  readonly throttleMs: number;
  readonly topics: readonly ByTopic<ProducersOfPartition>[];
};
export type ProducersOfPartition = {
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly producers: readonly ActiveProducer[];
};
export type ActiveProducer = {
  readonly producerId: bigint;
  readonly producerEpoch: number | null;
  readonly lastSequence: number | null;
  readonly lastTimestampMs: number | null;
  readonly coordinatorEpoch: number | null;
  /** Null: no transaction of this producer is open here. */
  readonly transactionStartOffset: number | null;
};

const request: Codec<DescribeProducersRequest> = {
  encode: (out, _version, { topics }) => {
    writeTopics(out, true, topics, (partition) => out.int32(partition));
    out.tagged();
  },
  decode: (input) => {
    const topics = readTopics(input, true, () => input.int32('partition'));
    input.tagged('tagged fields of DescribeProducers');
    return { topics };
  },
};

const response: Codec<DescribeProducersResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    writeTopics(out, true, value.topics, ({ partition, errorCode, errorMessage, producers }) => {
      out.int32(partition);
      out.int16(errorCode);
      out.stringOrNull(errorMessage, true);
      out.array(producers, true, (producer) => {
        out.bigint(producer.producerId);
        out.int32OrNull(producer.producerEpoch);
        out.int32OrNull(producer.lastSequence);
        out.int64OrNull(producer.lastTimestampMs);
        out.int32OrNull(producer.coordinatorEpoch);
        out.int64OrNull(producer.transactionStartOffset);
        out.tagged();
      });
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const topics = readTopics(input, true, () => {
      const partition = input.int32('partition');
      const errorCode = input.int16('error code');
      const errorMessage = input.stringOrNull('error message', true);
      const producers = input.array('producers', true, () => {
        const producer = {
          producerId: input.bigint('producer id'),
          producerEpoch: input.int32OrNull('producer epoch'),
          lastSequence: input.int32OrNull('last sequence'),
          lastTimestampMs: input.int64OrNull('last timestamp'),
          coordinatorEpoch: input.int32OrNull('coordinator epoch'),
          transactionStartOffset: input.int64OrNull('start of the open transaction'),
        };
        input.tagged('tagged fields of a producer');
        return producer;
      });
      input.tagged('tagged fields of a partition');
      return { partition, errorCode, errorMessage, producers };
    });
    input.tagged('tagged fields of DescribeProducers');
    return { throttleMs, topics };
  },
};

export const describeProducers: Api<DescribeProducersRequest, DescribeProducersResponse> = {
  name: 'DescribeProducers',
  key: 61,
  oldest: 0,
  newest: 0,
  flexibleFrom: 0,
  request,
  response,
};
