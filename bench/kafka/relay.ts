// A process of its own that copies one topic with as little as can be: fetch, patch each batch for the append, produce. It has no ledger, reads
// nothing back, and knows nothing of transactions, holes or leaders: the throughput that the brokers and this machine allow.
import { patchForAppend } from '../../src/io/kafka/bytes/append.ts';
import { batchEnd, batchesIn, lastOffset, recordCount } from '../../src/io/kafka/bytes/batch.ts';
import type { BrokerConnection } from '../../src/io/kafka/connection.ts';
import { type ByteRange, lengthOf } from '../../src/io/kafka/messages/byte-range.ts';
import { errorName, noError } from '../../src/io/kafka/messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../../src/io/kafka/messages/fetch.ts';
import { produceApi } from '../../src/io/kafka/messages/produce.ts';
import { brokerAt } from './client.ts';
import { onceTold, taskOf } from './task.ts';

type Relayed = {
  readonly partition: number;
  readonly end: number;
  readonly queue: ByteRange[];
  queuedBytes: number;
  fetchNext: number;
  sequence: number;
};

/** As the mover has them. */
const pairs = 2;
const [requestsMax, requestBytesMax] = [5, 4 * 1024 * 1024];
const [fetchBytesMax, partitionBytesMax] = [8 * 1024 * 1024, 2 * 1024 * 1024];

const { source, target, topic, ends } = taskOf(process.argv[2]);

await onceTold(async () => {
  const all = ends.map((end, partition): Relayed => {
    return { partition, end, queue: [], queuedBytes: 0, fetchNext: 0, sequence: 0 };
  });
  const mine = (pair: number) => all.filter(({ partition }) => partition % pairs === pair);
  await Promise.all(Array.from({ length: pairs }, (_, pair) => relay(mine(pair))));
});

/** Some partitions over a connection to each side, the next fetch under way while the last one is sent. */
async function relay(partitions: readonly Relayed[]): Promise<void> {
  if (partitions.length === 0) return;
  const [from, to] = await Promise.all([brokerAt(source), brokerAt(target)]);
  const inFlight = new Set<Promise<void>>();
  const pump = (): void => {
    while (inFlight.size < requestsMax) {
      const taken = take(partitions);
      if (taken.length === 0) return;
      const sent = send(to, taken).then(() => {
        inFlight.delete(sent);
        pump();
      });
      inFlight.add(sent);
    }
  };
  while (partitions.some(({ fetchNext, end }) => fetchNext < end)) {
    const asked = partitions.filter((one) => one.fetchNext < one.end && one.queuedBytes < partitionBytesMax);
    if (asked.length > 0) await fetch(from, asked);
    pump();
    if (asked.length === 0) await Promise.race(inFlight);
  }
  while (inFlight.size > 0) await Promise.all(inFlight);
  await Promise.all([from.close(), to.close()]);
}

async function fetch(from: BrokerConnection, asked: readonly Relayed[]): Promise<void> {
  const partitions = asked.map(({ partition, fetchNext }) => ({
    partition,
    currentLeaderEpoch: null,
    offset: fetchNext,
    lastFetchedEpoch: null,
    logStartOffset: null,
    bytesMax: partitionBytesMax,
  }));
  const response = await from.call(fetchApi, {
    ...wholeFetch,
    maxWaitMs: 0,
    bytesMin: 1,
    bytesMax: fetchBytesMax,
    isolation: 'read_committed',
    topics: [{ topic, partitions }],
  });
  for (const { partition, errorCode, records } of response.topics[0]?.partitions ?? []) {
    const one = asked.find((each) => each.partition === partition);
    if (errorCode !== noError || one === undefined) throw new Error(`Fetch of ${partition}: ${errorName(errorCode)}`);
    if (records === null) continue;
    for (const at of batchesIn(records.bytes, records.from, records.to).at) {
      const batch = { bytes: records.bytes, from: at, to: batchEnd(records.bytes, at) };
      one.fetchNext = lastOffset(records.bytes, at) + 1;
      one.queue.push(batch);
      one.queuedBytes += lengthOf(batch);
    }
  }
}

type Taken = { readonly partition: number; readonly records: ByteRange };

function take(partitions: readonly Relayed[]): Taken[] {
  const taken: Taken[] = [];
  let room = requestBytesMax;
  for (const one of partitions) {
    const [records] = one.queue;
    if (records === undefined || (taken.length > 0 && lengthOf(records) > room)) continue;
    one.queue.shift();
    one.queuedBytes -= lengthOf(records);
    room -= lengthOf(records);
    const producerId = 2n ** 61n + BigInt(one.partition);
    const count = recordCount(records.bytes, records.from);
    patchForAppend(records.bytes, records.from, { producerId, producerEpoch: 0, baseSequence: one.sequence });
    one.sequence += count;
    taken.push({ partition: one.partition, records });
  }
  return taken;
}

async function send(to: BrokerConnection, taken: readonly Taken[]): Promise<void> {
  const topics = [{ topic, partitions: taken }];
  const response = await to.call(produceApi, { transactionalId: null, acks: 'all', timeoutMs: 10_000, topics });
  for (const { partition, errorCode } of response.topics[0]?.partitions ?? [])
    if (errorCode !== noError) throw new Error(`Produce to ${partition}: ${errorName(errorCode)}`);
}
