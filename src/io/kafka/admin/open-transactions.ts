import type { OpenTransaction } from '../../../core/move/cluster-facts.ts';
import { type Reading, unknown } from '../../../core/observed/reading.ts';
import { describeProducers } from '../messages/describe-producers.ts';
import { describeTransactions } from '../messages/describe-transactions.ts';
import { noError } from '../messages/error-codes.ts';
import { listTransactions } from '../messages/list-transactions.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf } from './answers.ts';
import { readingOf } from './reading-of.ts';

type Place = { readonly topic: string; readonly partition: number; readonly leader: number };

/**
 * Who has a transaction open on these partitions. The partition's leader knows the producer; by its id the transaction is looked
 * for at every broker, which brokers before 3.0 cannot be asked.
 */
export async function openTransactions(pool: BrokerPool, places: readonly Place[]): Promise<OpenTransaction[]> {
  const found = await Promise.all(places.map((place) => openOn(pool, place)));
  const producers = found.flat();
  const details = await detailsOf(pool, [...new Set(producers.map(({ producerId }) => producerId))]);
  return producers.map((producer) => ({
    ...producer,
    producerId: `${producer.producerId}`,
    details: details.get(producer.producerId) ?? unknown('no broker coordinates a transaction of this producer'),
  }));
}

async function openOn(pool: BrokerPool, { topic, partition, leader }: Place) {
  const broker = await pool.broker(leader);
  const response = await broker.call(describeProducers, { topics: [{ topic, partitions: [partition] }] });
  const answer = response.topics[0]?.partitions[0];
  const code = answer?.errorCode ?? -1;
  if (answer === undefined || code !== noError) throw errorOf(`producers of ${topic}-${partition}`, code);
  return answer.producers.flatMap(({ producerId, transactionStartOffset, lastTimestampMs }) =>
    transactionStartOffset === null
      ? []
      : [{ topic, partition, startOffset: transactionStartOffset, producerId, lastWriteMs: lastTimestampMs }],
  );
}

type Details = Extract<OpenTransaction['details'], { known: true }>['value'];

async function detailsOf(
  pool: BrokerPool,
  producerIds: readonly bigint[],
): Promise<ReadonlyMap<bigint, Reading<Details>>> {
  const found = new Map<bigint, Reading<Details>>();
  if (producerIds.length === 0) return found;
  const { brokers } = await pool.describe([]);
  for (const { nodeId } of brokers) {
    const told = await readingOf(() => coordinatedBy(pool, nodeId, producerIds));
    if (told.known) for (const [id, details] of told.value) found.set(id, { known: true, value: details });
    else for (const id of producerIds) if (!found.has(id)) found.set(id, told);
  }
  return found;
}

async function coordinatedBy(
  pool: BrokerPool,
  nodeId: number,
  producerIds: readonly bigint[],
): Promise<Map<bigint, Details>> {
  const broker = await pool.broker(nodeId);
  const listed = await broker.call(listTransactions, { states: [], producerIds });
  const where = `transactions of broker ${nodeId} of the ${pool.settings.side}`;
  if (listed.errorCode !== noError) throw errorOf(where, listed.errorCode);
  const transactionalIds = listed.transactions.map(({ transactionalId }) => transactionalId);
  if (transactionalIds.length === 0) return new Map();
  const { transactions } = await broker.call(describeTransactions, { transactionalIds });
  return new Map(
    transactions.map(({ errorCode, transactionalId, state, startedMs, timeoutMs, producerId }) => {
      if (errorCode !== noError) throw errorOf(`transaction ${transactionalId}`, errorCode);
      return [producerId, { transactionalId, state, startedMs, timeoutMs }] as const;
    }),
  );
}
