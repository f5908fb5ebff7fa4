import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';

/**
 * Transactions by their ids, asked of the broker that coordinates them.
 *
 *   Request v0 (flexible) => [transactional_id STRING]
 *   Response v0 => throttle_time_ms INT32, [error_code INT16, transactional_id STRING, transaction_state STRING,
 *     transaction_timeout_ms INT32, transaction_start_time_ms INT64, producer_id INT64, producer_epoch INT16,
 *     [topic STRING, [partition INT32]]]
 */
export type DescribeTransactionsRequest = { readonly transactionalIds: readonly string[] };
export type DescribeTransactionsResponse = {
  readonly throttleMs: number;
  readonly transactions: readonly TransactionDescribed[];
};
export type TransactionDescribed = {
  readonly errorCode: number;
  readonly transactionalId: string;
  readonly state: string;
  readonly timeoutMs: number;
  /** Null: none has begun. */
  readonly startedMs: number | null;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly topics: readonly ByTopic<number>[];
};

const request: Codec<DescribeTransactionsRequest> = {
  encode: (out, _version, { transactionalIds }) => {
    out.array(transactionalIds, true, (id) => out.string(id, true));
    out.tagged();
  },
  decode: (input) => {
    const transactionalIds = input.array('transactional ids', true, () => input.string('transactional id', true));
    input.tagged('tagged fields of DescribeTransactions');
    return { transactionalIds };
  },
};

const response: Codec<DescribeTransactionsResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.array(value.transactions, true, (transaction) => {
      out.int16(transaction.errorCode);
      out.string(transaction.transactionalId, true);
      out.string(transaction.state, true);
      out.int32(transaction.timeoutMs);
      out.int64OrNull(transaction.startedMs);
      out.bigint(transaction.producerId);
      out.int16(transaction.producerEpoch);
      writeTopics(out, true, transaction.topics, (partition) => out.int32(partition));
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const transactions = input.array('transactions', true, () => {
      const transaction = {
        errorCode: input.int16('error code'),
        transactionalId: input.string('transactional id', true),
        state: input.string('state', true),
        timeoutMs: input.int32('timeout'),
        startedMs: input.int64OrNull('start of the transaction'),
        producerId: input.bigint('producer id'),
        producerEpoch: input.int16('producer epoch'),
        topics: readTopics(input, true, () => input.int32('partition')),
      };
      input.tagged('tagged fields of a transaction');
      return transaction;
    });
    input.tagged('tagged fields of DescribeTransactions');
    return { throttleMs, transactions };
  },
};

export const describeTransactions: Api<DescribeTransactionsRequest, DescribeTransactionsResponse> = {
  name: 'DescribeTransactions',
  key: 65,
  oldest: 0,
  newest: 0,
  flexibleFrom: 0,
  request,
  response,
};
