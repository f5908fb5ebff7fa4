import type { Api, Codec } from './api.ts';

/**
 * The transactions that one broker coordinates.
 *
 *   Request v0 (flexible) => [state STRING], [producer_id INT64]
 *   Response v0 => throttle_time_ms INT32, error_code INT16, unknown_state_filters [STRING],
 *     [transactional_id STRING, producer_id INT64, transaction_state STRING]
 */
export type ListTransactionsRequest = {
  /** Of both lists: none, all. */
  readonly states: readonly string[];
  readonly producerIds: readonly bigint[];
};
export type ListTransactionsResponse = {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly unknownStates: readonly string[];
  readonly transactions: readonly TransactionListed[];
};
export type TransactionListed = {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly state: string;
};

const request: Codec<ListTransactionsRequest> = {
  encode: (out, _version, { states, producerIds }) => {
    out.array(states, true, (state) => out.string(state, true));
    out.array(producerIds, true, (id) => out.bigint(id));
    out.tagged();
  },
  decode: (input) => {
    const states = input.array('states', true, () => input.string('state', true));
    const producerIds = input.array('producer ids', true, () => input.bigint('producer id'));
    input.tagged('tagged fields of ListTransactions');
    return { states, producerIds };
  },
};

const response: Codec<ListTransactionsResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.int16(value.errorCode);
    out.array(value.unknownStates, true, (state) => out.string(state, true));
    out.array(value.transactions, true, ({ transactionalId, producerId, state }) => {
      out.string(transactionalId, true);
      out.bigint(producerId);
      out.string(state, true);
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const errorCode = input.int16('error code');
    const unknownStates = input.array('unknown states', true, () => input.string('state', true));
    const transactions = input.array('transactions', true, () => {
      const transaction = {
        transactionalId: input.string('transactional id', true),
        producerId: input.bigint('producer id'),
        state: input.string('state', true),
      };
      input.tagged('tagged fields of a transaction');
      return transaction;
    });
    input.tagged('tagged fields of ListTransactions');
    return { throttleMs, errorCode, unknownStates, transactions };
  },
};

export const listTransactions: Api<ListTransactionsRequest, ListTransactionsResponse> = {
  name: 'ListTransactions',
  key: 66,
  oldest: 0,
  newest: 0,
  flexibleFrom: 0,
  request,
  response,
};
