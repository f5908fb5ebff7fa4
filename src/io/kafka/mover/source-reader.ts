import { MalformedBytes } from '../bytes/malformed.ts';
import { lengthOf } from '../messages/byte-range.ts';
import { codeOf, errorName, noError } from '../messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../messages/fetch.ts';
import type { FetchedPartition, FetchResponse } from '../messages/fetch-response.ts';
import { askedAs, listOffsets, offsetAt } from '../messages/list-offsets.ts';
import { itemsOf } from '../reader/source-items.ts';
import { Lease } from './lease.ts';
import type { MovedPartition } from './moved-partition.ts';
import type { Broker, Leader } from './ports.ts';

/** What the source told of a partition last. */
export type SourceView = {
  readonly highWatermark: number;
  readonly lastStable: number;
  readonly logStart: number;
};

export type Asked = { readonly partition: MovedPartition; readonly leader: Leader };

/** What became of one partition in one fetch. `stale`: somebody else leads it, or it has to be asked again. */
export type Fetched =
  | { readonly kind: 'added'; readonly bytes: number; readonly view: SourceView }
  | { readonly kind: 'stale'; readonly why: string }
  | { readonly kind: 'stopped'; readonly why: string };

export type FetchLimits = {
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
  readonly waitMs: number;
  /** Whether what is answered may still be written down. */
  readonly mayTake: () => boolean;
};

/**
 * One fetch of several partitions from one broker. `waitMs`: how long the broker may wait for records where there are none. The
 * partitions get what was fetched; what became of each comes back in the order in which they were asked.
 */
export async function fetchOnce(
  broker: Broker,
  asked: readonly Asked[],
  limits: FetchLimits,
): Promise<readonly Fetched[]> {
  const from = asked.map(({ partition }) => partition.fetchNext);
  const topics = [...new Set(asked.map(({ partition }) => partition.plan.topic))].map((topic) => ({
    topic,
    partitions: asked
      .filter(({ partition }) => partition.plan.topic === topic)
      .map(({ partition, leader }) => ({
        partition: partition.plan.partition,
        currentLeaderEpoch: leader.epoch,
        offset: partition.fetchNext,
        lastFetchedEpoch: partition.lastFetchedEpoch,
        logStartOffset: null,
        bytesMax: limits.partitionBytesMax,
      })),
  }));
  const response = await broker.call(fetchApi, {
    ...wholeFetch,
    maxWaitMs: limits.waitMs,
    bytesMin: 1,
    bytesMax: limits.bytesMax,
    isolation: 'read_committed',
    topics,
  });
  if (response.errorCode !== noError)
    return asked.map(() => ({ kind: 'stale', why: `Fetch: ${errorName(response.errorCode)}` }));
  if (!limits.mayTake()) return asked.map(() => ({ kind: 'stale', why: 'the lease is over' }));
  const answers = new Map(
    response.topics.flatMap(({ topic, partitions }) => partitions.map((one) => [`${topic}-${one.partition}`, one])),
  );
  const fetched: Fetched[] = [];
  const bytes = bytesOf(response);
  const lease = new Lease(() => {
    if (bytes !== null) broker.release(bytes);
  });
  for (const [index, { partition, leader }] of asked.entries()) {
    const answer = answers.get(`${partition.plan.topic}-${partition.plan.partition}`);
    if (answer === undefined) fetched.push({ kind: 'stale', why: 'the broker answered nothing' });
    else if (answer.errorCode === outOfRange) fetched.push(await outside(broker, partition, leader, limits));
    else fetched.push(take(partition, from[index] ?? 0, answer, lease));
  }
  lease.end();
  return fetched;
}

/** All records of a response lie in the same buffer; null: there are none. */
function bytesOf({ topics }: FetchResponse): Uint8Array | null {
  for (const { partitions } of topics) for (const { records } of partitions) if (records !== null) return records.bytes;
  return null;
}

const outOfRange = codeOf('OFFSET_OUT_OF_RANGE');

function take(partition: MovedPartition, from: number, answer: FetchedPartition, lease: Lease): Fetched {
  const { topic, partition: number, end } = partition.plan;
  const { divergingEpoch, errorCode, records } = answer;
  if (errorCode !== noError) return { kind: 'stale', why: `Fetch of ${topic}-${number}: ${errorName(errorCode)}` };
  if (divergingEpoch !== null) return truncated(partition, from, divergingEpoch.endOffset, divergingEpoch.epoch);
  if (records !== null) {
    try {
      const items = itemsOf(records, { from, to: end }, answer.abortedTransactions ?? []);
      partition.isHungry = items.length === 0;
      partition.add(from, items, lease);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      partition.spoiled(`${topic}-${number} of the source, fetched from offset ${from}: ${error.message}`);
    }
  }
  if (partition.flaw !== null) return { kind: 'stopped', why: partition.flaw };
  if (records === null && from === partition.fetchNext && answer.lastStableOffset === from) partition.sourceEnded();
  const view = {
    highWatermark: answer.highWatermark ?? 0,
    lastStable: answer.lastStableOffset ?? 0,
    logStart: answer.logStartOffset ?? 0,
  };
  return { kind: 'added', bytes: records === null ? 0 : lengthOf(records), view };
}

/** Somebody leads the source who does not have all that was fetched. What was not sent yet is fetched again, from what there is now. */
function truncated(partition: MovedPartition, from: number, end: number, epoch: number | null): Fetched {
  // The question was an older one.
  if (from !== partition.fetchNext) return { kind: 'stale', why: 'what was asked for is not wanted any more' };
  if (partition.retreat(end, epoch)) return { kind: 'stale', why: `the source was truncated at ${end}` };
  const since = epoch === null ? '' : `, and of leaders after epoch ${epoch} it has nothing`;
  const why = `the source was truncated at ${end}${since}: what was copied up to ${from} does not exist there any more`;
  return { kind: 'stopped', why };
}

/** The next offset is not there: retention has overtaken it, or the log ends before it. */
async function outside(
  broker: Broker,
  partition: MovedPartition,
  leader: Leader,
  { mayTake }: FetchLimits,
): Promise<Fetched> {
  const asked = partition.fetchNext;
  const { topic, partition: number } = partition.plan;
  const ask = async (timestamp: number) => {
    const topics = [{ topic, partitions: [{ partition: number, currentLeaderEpoch: leader.epoch, timestamp }] }];
    const isolation = 'read_uncommitted';
    const response = await broker.call(listOffsets, { replicaId: askedAs.consumer, isolation, topics });
    const answer = response.topics[0]?.partitions[0];
    return answer?.errorCode === noError ? answer.offset : null;
  };
  const [logStart, highWatermark] = [await ask(offsetAt.earliest), await ask(offsetAt.latest)];
  if (logStart === null || highWatermark === null)
    return { kind: 'stale', why: 'the source does not tell its offsets' };
  const { fetchNext } = partition;
  if (!mayTake() || fetchNext !== asked) return { kind: 'stale', why: 'what was asked for is not wanted any more' };
  const view = { highWatermark, lastStable: highWatermark, logStart };
  if (fetchNext < logStart) {
    partition.addBelowLogStart(fetchNext, Math.min(logStart, partition.plan.end ?? logStart));
    return { kind: 'added', bytes: 0, view };
  }
  if (fetchNext <= highWatermark)
    return { kind: 'stale', why: 'the source says that an offset is out of range, which it has' };
  return truncated(partition, fetchNext, highWatermark, null);
}
