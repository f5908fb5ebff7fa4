import { PortError } from '../../../engine/ports.ts';
import type { FinderSettings } from '../broker-finder.ts';
import { describeConfigs, resourceType } from '../messages/describe-configs.ts';
import { codeOf, errorName, kafkaError, noError } from '../messages/error-codes.ts';
import type { Isolation } from '../messages/isolation.ts';
import { askedAs, listOffsets, offsetAt } from '../messages/list-offsets.ts';
import type { TopicMetadata } from '../messages/metadata.ts';
import { BrokerPool, leaderIn } from './broker-pool.ts';
import { readRemedy, type Wanted } from './partition-fetch.ts';
import { PartitionRecords, type RecordLimits } from './partition-records.ts';

export type TopicFacts = { readonly name: string; readonly partitions: readonly number[] };

/** Null: nobody would say. */
export type TopicSettings = { readonly cleanupPolicy: string; readonly timestampType: string } | null;

export type PartitionBounds = {
  readonly topic: string;
  readonly partition: number;
  readonly logStart: number;
  /** Where a reader of this isolation ends. */
  readonly end: number;
  readonly highWatermark: number;
};

/** Reads a cluster, and writes nothing. Every method throws PortError, which names the side. */
export class KafkaReader {
  readonly #pool: BrokerPool;
  readonly #limits: RecordLimits;

  constructor(settings: FinderSettings, limits: RecordLimits) {
    this.#pool = new BrokerPool(settings);
    this.#limits = limits;
  }

  /** All that may be seen, without those that are Kafka's own. */
  async topics(): Promise<TopicFacts[]> {
    const { topics } = await this.#pool.describe(null);
    return topics.filter(({ isInternal }) => !isInternal).map((topic) => this.#factsOf(topic));
  }

  /** Of these names: those that are not there. One that exists and may not be seen is an error. */
  async missing(names: readonly string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const { topics } = await this.#pool.describe(names);
    const absent = codeOf('UNKNOWN_TOPIC_OR_PARTITION');
    const there = topics.filter(({ errorCode }) => errorCode !== absent);
    for (const topic of there) this.#factsOf(topic);
    return names.filter((name) => !there.some((topic) => topic.name === name));
  }

  async settings(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
    const broker = await this.#pool.anyBroker();
    const keys = ['cleanup.policy', 'message.timestamp.type'];
    const resources = topics.map((name) => ({ type: resourceType.topic, name, keys }));
    const response = await broker.call(describeConfigs, { resources });
    return new Map(
      response.resources.map(({ name, errorCode, configs }) => {
        const settingOf = (key: string) => configs.find((config) => config.name === key)?.value ?? '';
        const [cleanupPolicy, timestampType] = [settingOf('cleanup.policy'), settingOf('message.timestamp.type')];
        return [name, errorCode === noError ? { cleanupPolicy, timestampType } : null];
      }),
    );
  }

  /** Connects to every leader, so that one that cannot be reached is found at once. */
  async bounds(topics: readonly TopicFacts[], isolation: Isolation): Promise<PartitionBounds[]> {
    if (topics.length === 0) return [];
    const described = await this.#pool.describe(topics.map(({ name }) => name));
    const byLeader = new Map<number, Place[]>();
    for (const { name, partitions } of topics)
      for (const partition of partitions) {
        const leader = leaderIn(described.topics, name, partition);
        if (leader === null) throw this.#noLeader(name, partition);
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), { topic: name, partition }]);
      }
    const found = await Promise.all([...byLeader].map(([leader, places]) => this.#boundsAt(leader, places, isolation)));
    return found.flat();
  }

  /** The first offset of each partition whose record is not older than that; where there is none, what `bounds` has as its end. */
  async offsetsAt(bounds: readonly PartitionBounds[], timeMs: number): Promise<number[]> {
    if (bounds.length === 0) return [];
    const { topics } = await this.#pool.describe([...new Set(bounds.map(({ topic }) => topic))]);
    const byLeader = Map.groupBy(bounds, ({ topic, partition }) => {
      const leader = leaderIn(topics, topic, partition);
      if (leader === null) throw this.#noLeader(topic, partition);
      return leader;
    });
    const found = new Map<PartitionBounds, number>();
    for (const [leader, places] of byLeader) {
      const offsets = await this.#offsetsOrNull(leader, places, timeMs, 'read_uncommitted');
      for (const [index, place] of places.entries()) found.set(place, offsets[index] ?? place.highWatermark);
    }
    return bounds.map((place) => found.get(place) ?? place.highWatermark);
  }

  records(wanted: Wanted): PartitionRecords {
    return new PartitionRecords(this.#pool, wanted, this.#limits);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #boundsAt(leader: number, places: readonly Place[], isolation: Isolation): Promise<PartitionBounds[]> {
    const starts = await this.#offsets(leader, places, offsetAt.earliest, 'read_uncommitted');
    const ends = await this.#offsets(leader, places, offsetAt.latest, isolation);
    const marks = await this.#offsets(leader, places, offsetAt.latest, 'read_uncommitted');
    return places.map((place, index) => ({
      ...place,
      logStart: starts[index] ?? 0,
      end: ends[index] ?? 0,
      highWatermark: marks[index] ?? 0,
    }));
  }

  async #offsets(leader: number, places: readonly Place[], at: number, isolation: Isolation): Promise<number[]> {
    const offsets = await this.#offsetsOrNull(leader, places, at, isolation);
    return offsets.map((offset, index) => {
      const place = places[index];
      if (offset !== null || place === undefined) return offset ?? 0;
      throw this.#refused(`${place.topic}-${place.partition}`, place.topic, codeOf('UNKNOWN_TOPIC_OR_PARTITION'));
    });
  }

  /** Null: there is none at that time. */
  async #offsetsOrNull(
    leader: number,
    places: readonly Place[],
    at: number,
    isolation: Isolation,
  ): Promise<(number | null)[]> {
    const broker = await this.#pool.broker(leader);
    const topics = [...Map.groupBy(places, ({ topic }) => topic)].map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, currentLeaderEpoch: null, timestamp: at })),
    }));
    const response = await broker.call(listOffsets, { replicaId: askedAs.consumer, isolation, topics });
    return places.map(({ topic, partition }) => {
      const answers = response.topics.find((one) => one.topic === topic)?.partitions ?? [];
      const answer = answers.find((one) => one.partition === partition);
      const code = answer?.errorCode ?? codeOf('UNKNOWN_TOPIC_OR_PARTITION');
      if (code !== noError || answer === undefined) throw this.#refused(`${topic}-${partition}`, topic, code);
      return answer.offset;
    });
  }

  #factsOf({ name, errorCode, partitions }: TopicMetadata): TopicFacts {
    // While a leader is elected the topic is there all the same.
    const passing = kafkaError(errorCode).remedy === 'metadata' && errorCode !== codeOf('UNKNOWN_TOPIC_OR_PARTITION');
    if (errorCode !== noError && !passing) throw this.#refused(name, name, errorCode);
    return { name, partitions: partitions.map(({ partition }) => partition).sort((one, other) => one - other) };
  }

  #refused(what: string, topic: string, code: number): PortError {
    const { meaning } = kafkaError(code);
    const isDenied = code === codeOf('TOPIC_AUTHORIZATION_FAILED');
    const remedy = isDenied ? `. ${readRemedy(this.#pool, topic)}` : '';
    const message = `${what} of the ${this.#pool.settings.side}: ${errorName(code)}: ${meaning}${remedy}`;
    return new PortError(isDenied ? 'denied' : 'refused', message, { retriable: !isDenied });
  }

  #noLeader(topic: string, partition: number): PortError {
    const message = `${topic}-${partition} of the ${this.#pool.settings.side} has no leader: are its brokers up?`;
    return new PortError('unreachable', message, { retriable: true });
  }
}

type Place = { readonly topic: string; readonly partition: number };
