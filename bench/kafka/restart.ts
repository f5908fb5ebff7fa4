import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchOf, type PlainRecord } from '../../src/io/kafka/bytes/encode-batch.ts';
import type { BrokerConnection } from '../../src/io/kafka/connection.ts';
import { PartitionLedger } from '../../src/io/kafka/ledger/partition-ledger.ts';
import { SegmentFolder } from '../../src/io/kafka/ledger/segment-folder.ts';
import { wholeOf } from '../../src/io/kafka/messages/byte-range.ts';
import { errorName, noError } from '../../src/io/kafka/messages/error-codes.ts';
import { produceApi } from '../../src/io/kafka/messages/produce.ts';
import { Random } from '../../src/sim/random.ts';
import { createTopic } from '../../test/integration/kafka/lab/tools.ts';
import type { Say } from '../frame/bench.ts';
import type { Lab } from './lab.ts';
import { keyOf } from './ledger-key.ts';
import { endsOf, sumOf } from './offsets.ts';
import { newFolder, startCopying } from './programs.ts';
import { writeLedger } from './synthetic-ledger.ts';

export type Restart = { readonly readySeconds: number; readonly firstSeconds: number };

export type RestartWish = {
  readonly partitions: number;
  readonly batchesOfEach: number;
  readonly times: number;
  readonly seed: number;
};

const topic = 'restart';

/**
 * Goes on with ledgers that say that all was copied up to an offset: both sides have something that fills the offsets up to there, and behind it a
 * little that was really copied, so that what the tail of the target shows is what the ledgers end with.
 */
export async function restarts(
  lab: Lab,
  wish: RestartWish,
  say: Say,
): Promise<{ readonly found: readonly Restart[]; readonly ledgerBytes: number }> {
  const { partitions, batchesOfEach: start } = wish;
  for (const [cluster, broker] of [
    [lab.source, lab.from],
    [lab.target, lab.to],
  ] as const) {
    await createTopic(cluster, topic, { partitions });
    await endsOf(broker, topic, partitions);
    await appendUpTo(broker, partitions, start);
  }
  say(`${start} offsets of each partition are filled on both sides`);
  for (let batch = 0; batch < 20; batch++) await append(lab.from, partitions, someRecords);
  const small = await newFolder(lab.target);
  await copyOn(lab, partitions, start, small);
  const big = await newFolder(lab.target);
  const random = new Random(wish.seed);
  let ledgerBytes = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const [key, begin] = [keyOf(topic, partition), { source: start, target: start }];
    const ledger = new PartitionLedger(new SegmentFolder(join(small, `${partition}`)), key, begin);
    const { lines } = ledger.sentFrom(0);
    ledger.close();
    ledgerBytes += writeLedger(join(big, `${partition}`), key, start, 1, random, lines);
  }
  say('the ledgers are written');
  const found: Restart[] = [];
  for (let time = 0; time < wish.times; time++) {
    await append(lab.from, partitions, someRecords);
    found.push(await copyOn(lab, partitions, 0, big));
  }
  return { found, ledgerBytes };
}

/** Starts a process that goes on with these ledgers to where the source ends. */
async function copyOn(lab: Lab, partitions: number, start: number, folder: string): Promise<Restart> {
  const ends = await endsOf(lab.from, topic, partitions);
  const before = sumOf(await endsOf(lab.to, topic, partitions));
  const addresses = { source: lab.source.bootstrap(), target: lab.target.bootstrap() };
  const task = { ...addresses, topic, start, ends, isCounted: true, inFlightMax: 5 };
  const startedMs = performance.now();
  const since = () => (performance.now() - startedMs) / 1000;
  const copying = await startCopying('mover', lab.target, task, folder);
  const readySeconds = since();
  copying.go();
  const { done } = copying;
  done.catch(() => undefined);
  while (sumOf(await endsOf(lab.to, topic, partitions)) === before && since() < 60) await sleep(2);
  const firstSeconds = since();
  await done;
  await copying.close();
  const copied = await endsOf(lab.to, topic, partitions);
  if (copied.join() !== ends.join()) throw new Error(`${topic} ends at ${copied.join()} and not at ${ends.join()}`);
  return { readySeconds, firstSeconds };
}

async function appendUpTo(broker: BrokerConnection, partitions: number, end: number): Promise<void> {
  const filler = batchOfEmpty(fillerRecords);
  for (let at = 0; at < end; at += fillerRecords)
    await append(broker, partitions, end - at < fillerRecords ? batchOfEmpty(end - at) : filler);
}

const fillerRecords = 10_000;
const nobody = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };

function batchOfEmpty(count: number): Uint8Array {
  const empty: PlainRecord = { key: null, value: null, headers: [], timestamp: Date.now() };
  return batchOf(
    Array.from({ length: count }, () => empty),
    'zstd',
    nobody,
  );
}

const someRecords = batchOf(
  Array.from({ length: 20 }, (_, index) => ({
    key: null,
    value: Buffer.alloc(1024, index),
    headers: [],
    timestamp: Date.now(),
  })),
  'lz4',
  nobody,
);

/** The same batch to each partition. */
async function append(broker: BrokerConnection, partitions: number, batch: Uint8Array): Promise<void> {
  const each = Array.from({ length: partitions }, (_, partition) => ({ partition, records: wholeOf(batch) }));
  const topics = [{ topic, partitions: each }];
  const response = await broker.call(produceApi, { transactionalId: null, acks: 'all', timeoutMs: 30_000, topics });
  for (const { partition, errorCode } of response.topics[0]?.partitions ?? [])
    if (errorCode !== noError) throw new Error(`${topic}-${partition}: ${errorName(errorCode)}`);
}
