import {
  batchEnd,
  batchesIn,
  isControl,
  isDense,
  lastOffsetDelta,
  magicOf,
  recordCount,
} from '../../../io/kafka/bytes/batch.ts';
import { type ByteRange, wholeOf } from '../../../io/kafka/messages/byte-range.ts';
import type { FetchRequest } from '../../../io/kafka/messages/fetch-request.ts';
import type { FetchedPartition } from '../../../io/kafka/messages/fetch-response.ts';
import { withHeader } from '../world/stored.ts';

/** As one who renumbers the header and leaves the records as they are. */
export function withoutHoles(partition: FetchedPartition): FetchedPartition {
  return withBatches(partition, (batch) => {
    if (magicOf(batch, 0) < 2 || isControl(batch, 0) || isDense(batch, 0) || recordCount(batch, 0) === 0) return batch;
    return withHeader(batch, { lastOffsetDelta: recordCount(batch, 0) - 1 });
  });
}

/** The second batch of several is lost. */
export function withoutSecond(partition: FetchedPartition): FetchedPartition {
  return withBatches(partition, (batch, index, count) => (index === 1 && count > 2 ? null : batch));
}

export function withoutEpochs(request: FetchRequest): FetchRequest {
  const topics = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((from) => ({ ...from, currentLeaderEpoch: null, lastFetchedEpoch: null })),
  }));
  return { ...request, topics };
}

/** Of what is complete; the rest of the range is left out. */
export function withBatches(
  partition: FetchedPartition,
  change: (batch: Uint8Array, index: number, count: number) => Uint8Array | null,
): FetchedPartition {
  if (partition.records === null) return partition;
  const { bytes, from, to }: ByteRange = partition.records;
  const { at } = batchesIn(bytes, from, to);
  const batches = at.map((start) => Uint8Array.from(bytes.subarray(start, batchEnd(bytes, start))));
  const kept = batches.flatMap((batch, index) => change(batch, index, batches.length) ?? []);
  const isWrong = kept.some((batch) => magicOf(batch, 0) === 2 && lastOffsetDelta(batch, 0) < 0);
  if (isWrong) throw new RangeError('a mutation has made a batch that nobody can read');
  return { ...partition, records: wholeOf(Uint8Array.from(Buffer.concat(kept))) };
}
