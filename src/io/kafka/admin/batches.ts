import type { SampledBatch } from '../../../core/move/cluster-facts.ts';
import type { HeldPartition, TopicFacts } from '../../../core/move/topic-facts.ts';
import { PortError } from '../../../engine/ports.ts';
import { baseOffset, batchEnd, batchesIn, lastOffset, magicOf, maxTimestamp, producerId } from '../bytes/batch.ts';
import { int64At, uint8At } from '../bytes/integers.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import type { ByteRange } from '../messages/byte-range.ts';
import { noError } from '../messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../messages/fetch.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf } from './answers.ts';
import { partitionFacts } from './partitions.ts';
import { readingOf } from './reading-of.ts';

export type SamplePlace = {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly offset: number;
};

/** Whole batches from that offset on, about so many bytes of them and at least one; the first may begin before the offset. */
export async function sampleBatches(pool: BrokerPool, place: SamplePlace, bytesMax: number): Promise<SampledBatch[]> {
  const { topic, partition, leader, offset } = place;
  const broker = await pool.broker(leader);
  const asked = { partition, currentLeaderEpoch: null, offset, lastFetchedEpoch: null, logStartOffset: null, bytesMax };
  const response = await broker.call(fetchApi, {
    ...wholeFetch,
    maxWaitMs: 500,
    bytesMin: 1,
    bytesMax,
    isolation: 'read_uncommitted',
    topics: [{ topic, partitions: [asked] }],
  });
  const answer = response.topics[0]?.partitions[0];
  const what = `${topic}-${partition} of the ${pool.settings.side}, from offset ${offset}`;
  const code = response.errorCode === noError ? (answer?.errorCode ?? -1) : response.errorCode;
  if (code !== noError) throw errorOf(what, code);
  const records = answer?.records ?? null;
  if (records === null) return [];
  try {
    return batchesOf(records);
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    throw new PortError('corrupt', `${what}: ${error.message}`, { retriable: false, cause: error });
  }
}

/** The partitions of a topic that hold records, with their first and their last batch. */
export async function heldPartitions(pool: BrokerPool, { name }: TopicFacts): Promise<HeldPartition[]> {
  const held: HeldPartition[] = [];
  for (const { partition, leader, bounds } of await partitionFacts(pool, [name], { kind: 'earliest' })) {
    if (!bounds.known) throw new PortError('unreachable', `${name}-${partition}: ${bounds.why}`, { retriable: true });
    const { logStart, highWatermark: end } = bounds.value;
    if (logStart === end || leader === null) continue;
    const at = { topic: name, partition, leader };
    const first = await readingOf(() => sampleBatches(pool, { ...at, offset: logStart }, 1));
    const last = await readingOf(() => sampleBatches(pool, { ...at, offset: end - 1 }, 1));
    held.push({
      partition,
      logStart,
      end,
      first: first.known ? (first.value[0] ?? null) : null,
      last: last.known ? (last.value.at(-1) ?? null) : null,
    });
  }
  return held;
}

function batchesOf({ bytes, from, to }: ByteRange): SampledBatch[] {
  return batchesIn(bytes, from, to).at.map((at): SampledBatch => {
    const place = { baseOffset: baseOffset(bytes, at), bytes: batchEnd(bytes, at) - at };
    if (magicOf(bytes, at) < 2) {
      const newestMs = magicOf(bytes, at) === 0 ? -1 : int64At(bytes, at + legacyTimestampAt, 'timestamp');
      const legacy = { producerId: null, codec: codecOf(uint8At(bytes, at + legacyAttributesAt)), isLegacy: true };
      return { ...place, ...legacy, lastOffset: place.baseOffset, newestMs };
    }
    const id = producerId(bytes, at);
    return {
      ...place,
      lastOffset: lastOffset(bytes, at),
      newestMs: maxTimestamp(bytes, at),
      producerId: id === -1n ? null : `${id}`,
      codec: codecOf(uint8At(bytes, at + attributesLowAt)),
      isLegacy: false,
    };
  });
}

const legacyAttributesAt = 17;
const legacyTimestampAt = 18;
/** The low byte of the attributes. */
const attributesLowAt = 22;

function codecOf(attributes: number): SampledBatch['codec'] {
  return codecs[attributes & 0x07] ?? 'unknown';
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
