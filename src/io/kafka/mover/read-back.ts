import type { Tail, TailBatch } from '../../../core/move/tail.ts';
import {
  baseOffset,
  baseSequence,
  batchesIn,
  isControl,
  lastOffset,
  magicOf,
  producerEpoch,
  producerId,
  recordsCrcOf,
} from '../bytes/batch.ts';
import type { ByteRange } from '../messages/byte-range.ts';
import { errorName, noError } from '../messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../messages/fetch.ts';
import { askedAs, listOffsets, offsetAt } from '../messages/list-offsets.ts';
import type { Broker, Leader } from './ports.ts';

/** A partition of the target, and whose batches are ours in it. */
export type Place = { readonly topic: string; readonly partition: number; readonly producerId: bigint };

/** `waits`: it cannot be read back yet, and why. */
export type ReadBack =
  | { readonly kind: 'read'; readonly tail: Tail }
  | { readonly kind: 'waits'; readonly why: string };

/** A partition did not answer what was asked: the leader may be another one. */
export class NotAnswered extends Error {
  override readonly name = 'NotAnswered';
}

/**
 * What stands on the target from `fromOf(log end)` on. It counts only where the high watermark is the log's end: a follower that is
 * behind may lead next, and what it does not have would be gone; what the consumer does not see yet would be sent again.
 */
export async function readTail(
  broker: Broker,
  leader: Leader,
  place: Place,
  fromOf: (logEnd: number) => number,
): Promise<ReadBack> {
  const ask = (replicaId: number, timestamp: number) => offsetOf(broker, leader, place, replicaId, timestamp);
  const logEnd = await ask(askedAs.debugger, offsetAt.latest);
  const highWatermark = await ask(askedAs.consumer, offsetAt.latest);
  if (highWatermark !== logEnd) return { kind: 'waits', why: heldBack(leader, highWatermark, logEnd) };
  const logStart = await ask(askedAs.consumer, offsetAt.earliest);
  const from = Math.max(fromOf(logEnd), logStart);
  const batches: TailBatch[] = [];
  for (let next = from; next < logEnd; ) {
    const records = await fetchFrom(broker, leader, place, next);
    const before = next;
    for (const batch of tailBatches(records, place.producerId))
      if (batch.base >= logEnd)
        return { kind: 'waits', why: `something is being appended at ${batch.base}, where the log ended just now` };
      else if (batch.base + batch.count > next) {
        batches.push(batch);
        next = batch.base + batch.count;
      }
    if (next === before)
      throw new NotAnswered(`Fetch of ${place.topic}-${place.partition} from ${next}: nothing, before ${logEnd}`);
  }
  return { kind: 'read', tail: { logStart, logEnd, from, batches } };
}

function heldBack({ replicas, inSync }: Leader, highWatermark: number, logEnd: number): string {
  const behind = replicas.filter((id) => !inSync.includes(id));
  const who = behind.length === 0 ? `a replica among ${replicas.join(', ')}` : `replica ${behind.join(', ')}`;
  return `the high watermark ${highWatermark} is below the log end ${logEnd}: ${who} is behind`;
}

async function offsetOf(
  broker: Broker,
  leader: Leader,
  { topic, partition }: Place,
  replicaId: number,
  timestamp: number,
): Promise<number> {
  const asked = { partition, currentLeaderEpoch: leader.epoch, timestamp };
  const topics = [{ topic, partitions: [asked] }];
  const response = await broker.call(listOffsets, { replicaId, isolation: 'read_uncommitted', topics });
  const answer = response.topics[0]?.partitions[0];
  if (answer?.errorCode === noError && answer.offset !== null) return answer.offset;
  throw new NotAnswered(`ListOffsets of ${topic}-${partition}: ${errorName(answer?.errorCode ?? -1)}`);
}

async function fetchFrom(broker: Broker, leader: Leader, place: Place, offset: number): Promise<ByteRange> {
  const { topic, partition } = place;
  const from = {
    partition,
    currentLeaderEpoch: leader.epoch,
    offset,
    lastFetchedEpoch: null,
    logStartOffset: null,
    bytesMax: tailBytes,
  };
  const response = await broker.call(fetchApi, {
    ...wholeFetch,
    maxWaitMs: 100,
    bytesMin: 1,
    bytesMax: tailBytes,
    isolation: 'read_uncommitted',
    topics: [{ topic, partitions: [from] }],
  });
  const answer = response.topics[0]?.partitions[0];
  const code = response.errorCode === noError ? (answer?.errorCode ?? -1) : response.errorCode;
  if (code === noError && answer !== undefined && answer.records !== null) return answer.records;
  throw new NotAnswered(`Fetch of ${topic}-${partition} from ${offset}: ${errorName(code)}`);
}

const tailBytes = 4 * 1024 * 1024;

function tailBatches({ bytes, from, to }: ByteRange, ours: bigint): TailBatch[] {
  return batchesIn(bytes, from, to).at.map((at) => {
    const base = baseOffset(bytes, at);
    if (magicOf(bytes, at) < 2) return { base, count: 1, checksum: 0, isOurs: false, epoch: 0, sequence: 0 };
    return {
      base,
      count: lastOffset(bytes, at) - base + 1,
      checksum: recordsCrcOf(bytes, at),
      isOurs: producerId(bytes, at) === ours && !isControl(bytes, at),
      epoch: producerEpoch(bytes, at),
      sequence: baseSequence(bytes, at),
    };
  });
}
