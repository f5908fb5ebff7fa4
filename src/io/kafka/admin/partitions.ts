import { setTimeout as sleep } from 'node:timers/promises';
import type { Bounds, PartitionFacts } from '../../../core/move/cluster-facts.ts';
import { type Reading, unknown } from '../../../core/observed/reading.ts';
import { codeOf, errorName, kafkaError, noError } from '../messages/error-codes.ts';
import type { Isolation } from '../messages/isolation.ts';
import { askedAs, listOffsets, offsetAt } from '../messages/list-offsets.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { readingOf } from './reading-of.ts';

/** Where a copy begins; `time`: at the first record of that time or later. */
export type CopyFrom =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'time'; readonly ms: number };

/**
 * All partitions of these topics. What one leader does not tell is unknown, and the others are told. While leaders are elected,
 * or a topic was made just now, it is asked again for some seconds.
 */
export async function partitionFacts(
  pool: BrokerPool,
  topics: readonly string[],
  from: CopyFrom,
): Promise<PartitionFacts[]> {
  if (topics.length === 0) return [];
  const giveUpMs = performance.now() + patienceMs;
  for (;;) {
    const passing = new Set<string>();
    const facts = await askOnce(pool, topics, from, passing);
    if (passing.size === 0 || performance.now() > giveUpMs || pool.signal.aborted) return facts;
    await sleep(pauseMs, undefined, { signal: pool.signal }).catch(() => undefined);
  }
}

const patienceMs = 15_000;
const pauseMs = 250;

/** `passing`: gets the partitions of which another answer may come soon. */
async function askOnce(
  pool: BrokerPool,
  topics: readonly string[],
  from: CopyFrom,
  passing: Set<string>,
): Promise<PartitionFacts[]> {
  const described = await pool.describe(topics);
  const places = described.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partition, leaderId }) => ({ topic: name, partition, leader: leaderId })),
  );
  const byLeader = Map.groupBy(places, ({ leader }) => leader);
  const told = [...byLeader].map(([leader, own]) => factsOfLeader(pool, leader, own, { from, passing }));
  return (await Promise.all(told)).flat().toSorted(inOrder);
}

type Place = { readonly topic: string; readonly partition: number; readonly leader: number | null };
type Asked = { readonly from: CopyFrom; readonly passing: Set<string> };

function inOrder(one: Place, other: Place): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1;
  return one.partition - other.partition;
}

async function factsOfLeader(
  pool: BrokerPool,
  leader: number | null,
  places: readonly Place[],
  asked: Asked,
): Promise<PartitionFacts[]> {
  if (leader === null) {
    for (const place of places) asked.passing.add(nameOf(place));
    return places.map((place) => ({ ...place, bounds: unknown('it has no leader') }));
  }
  const bounds = await readingOf(() => boundsOf(pool, leader, places, asked));
  const lacking = unknown('the broker did not answer');
  return places.map((place, index) => ({
    ...place,
    bounds: bounds.known ? (bounds.value[index] ?? lacking) : bounds,
  }));
}

async function boundsOf(
  pool: BrokerPool,
  leader: number,
  places: readonly Place[],
  { from, passing }: Asked,
): Promise<Reading<Bounds>[]> {
  const ask = (timestamp: number, isolation: Isolation = 'read_uncommitted') =>
    offsetsAt(pool, leader, places, { timestamp, isolation, passing });
  const starts = await ask(offsetAt.earliest);
  const atTime = from.kind === 'time' ? await ask(from.ms) : starts;
  const stable = await ask(offsetAt.latest, 'read_committed');
  const ends = await ask(offsetAt.latest);
  return places.map((_, index): Reading<Bounds> => {
    const [logStart, lastStable, highWatermark] = [starts[index], stable[index], ends[index]];
    const first = atTime[index];
    for (const one of [logStart, lastStable, highWatermark, first]) if (one?.known === false) return one;
    const end = offsetOf(highWatermark) ?? 0;
    const start = offsetOf(logStart) ?? 0;
    // Where no record is that young the copy begins at the end.
    const asked = from.kind === 'latest' ? end : (offsetOf(first) ?? end);
    const bounds = { logStart: start, from: asked, highWatermark: end, lastStable: offsetOf(lastStable) ?? end };
    return { known: true, value: bounds };
  });
}

function offsetOf(reading: Reading<number | null> | undefined): number | null {
  return reading?.known === true ? reading.value : null;
}

async function offsetsAt(
  pool: BrokerPool,
  leader: number,
  places: readonly Place[],
  {
    timestamp,
    isolation,
    passing,
  }: Omit<Asked, 'from'> & { readonly timestamp: number; readonly isolation: Isolation },
): Promise<Reading<number | null>[]> {
  const broker = await pool.broker(leader);
  const topics = [...Map.groupBy(places, ({ topic }) => topic)].map(([topic, own]) => ({
    topic,
    partitions: own.map(({ partition }) => ({ partition, currentLeaderEpoch: null, timestamp })),
  }));
  const response = await broker.call(listOffsets, { replicaId: askedAs.consumer, isolation, topics });
  const answers = new Map(
    response.topics.flatMap(({ topic, partitions }) =>
      partitions.map((answer) => [nameOf({ topic, partition: answer.partition }), answer] as const),
    ),
  );
  return places.map((place): Reading<number | null> => {
    const answer = answers.get(nameOf(place));
    const code = answer?.errorCode ?? codeOf('UNKNOWN_TOPIC_OR_PARTITION');
    if (code === noError) return { known: true, value: answer?.offset ?? null };
    const { remedy, meaning } = kafkaError(code);
    if (remedy === 'metadata' || remedy === 'again') passing.add(nameOf(place));
    return unknown(`${errorName(code)}: ${meaning}`);
  });
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}
