import {
  baseOffset,
  baseTimestamp,
  batchEnd,
  batchesIn,
  codecOf,
  crcIsRight,
  lastOffset,
  maxTimestamp,
  recordCount,
  recordsCrcOf,
} from '../../src/io/kafka/bytes/batch.ts';
import type { BrokerConnection } from '../../src/io/kafka/connection.ts';
import { errorName, noError } from '../../src/io/kafka/messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../../src/io/kafka/messages/fetch.ts';

/** One batch as a broker has it, but for who wrote it. */
export type StoredBatch = {
  readonly at: number;
  readonly records: number;
  readonly bytes: number;
  readonly codec: number;
  readonly times: string;
  /** Of the records as they are stored. */
  readonly checksum: number;
};

/** Every batch of a partition that ends at `end`, from offset 0. Its own checksum is verified. */
export async function storedBatches(
  broker: BrokerConnection,
  topic: string,
  partition: number,
  end: number,
): Promise<StoredBatch[]> {
  const found: StoredBatch[] = [];
  for (let offset = 0; offset < end; ) {
    const before = offset;
    const from = { partition, currentLeaderEpoch: null, offset, lastFetchedEpoch: null, logStartOffset: null };
    const response = await broker.call(fetchApi, {
      ...wholeFetch,
      maxWaitMs: 100,
      bytesMin: 1,
      bytesMax: 16 * 1024 * 1024,
      isolation: 'read_uncommitted',
      topics: [{ topic, partitions: [{ ...from, bytesMax: 16 * 1024 * 1024 }] }],
    });
    const answer = response.topics[0]?.partitions[0];
    if (answer?.errorCode !== noError) throw new Error(`${topic}-${partition}: ${errorName(answer?.errorCode ?? -1)}`);
    if (answer.records === null) continue;
    const { bytes, from: first, to } = answer.records;
    for (const at of batchesIn(bytes, first, to).at) {
      if (!crcIsRight(bytes, at)) throw new Error(`${topic}-${partition}: wrong checksum at ${baseOffset(bytes, at)}`);
      found.push(batchAt(bytes, at));
      offset = lastOffset(bytes, at) + 1;
    }
    if (offset === before) throw new Error(`${topic}-${partition}: no whole batch at ${offset}`);
  }
  return found;
}

function batchAt(bytes: Uint8Array, at: number): StoredBatch {
  return {
    at: baseOffset(bytes, at),
    records: recordCount(bytes, at),
    bytes: batchEnd(bytes, at) - at,
    codec: codecOf(bytes, at),
    times: `${baseTimestamp(bytes, at)} ${maxTimestamp(bytes, at)}`,
    checksum: recordsCrcOf(bytes, at),
  };
}
