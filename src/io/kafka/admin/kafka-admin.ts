import type { TopicAcl } from '../../../core/move/acl-facts.ts';
import type {
  ClusterFacts,
  DiskFacts,
  LeftBehind,
  OpenTransaction,
  PartitionFacts,
  SampledBatch,
} from '../../../core/move/cluster-facts.ts';
import type { Allowed } from '../../../core/move/rights.ts';
import type { HeldPartition, NewTopic, SettingChange, Settings, TopicFacts } from '../../../core/move/topic-facts.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import type { FinderSettings } from '../broker-finder.ts';
import { BrokerPool } from '../reader/broker-pool.ts';
import { heldPartitions, type SamplePlace, sampleBatches } from './batches.ts';
import { describeCluster, producerMemoryMs } from './brokers.ts';
import { describeDisks } from './disks.ts';
import { countLeftBehind, type GroupCommit, groupsCommittedOn } from './left-behind.ts';
import { openTransactions } from './open-transactions.ts';
import { type CopyFrom, partitionFacts } from './partitions.ts';
import { readingOf } from './reading-of.ts';
import { type AclChanged, allowedOperations, deleteAcls, makeAcls, principalOf, topicAcls } from './rights.ts';
import { changeSettings, type SettingsChanged } from './topic-settings.ts';
import {
  deleteTopics,
  describeTopics,
  makePartitions,
  makeTopics,
  settingsOfNewTopic,
  type TopicChanged,
  type TopicMade,
} from './topics.ts';

/**
 * What a copy asks of a cluster, and what it changes in it beside records. Every method throws PortError, which names the side; what
 * the cluster refuses of one topic among several is a value, and so is what is not known and can be done without.
 */
export class KafkaAdmin {
  readonly #pool: BrokerPool;

  constructor(settings: FinderSettings) {
    this.#pool = new BrokerPool(settings);
  }

  /** As whom the cluster knows us; null: by a certificate. */
  get principal(): string | null {
    return principalOf(this.#pool);
  }

  /** Every broker is connected to, where its listener is advertised. */
  cluster(): Promise<ClusterFacts> {
    return describeCluster(this.#pool);
  }

  /** Those of these names that are there; null: all that may be seen and are not Kafka's own. */
  topics(names: readonly string[] | null): Promise<TopicFacts[]> {
    return describeTopics(this.#pool, names);
  }

  partitions(topics: readonly string[], from: CopyFrom = { kind: 'earliest' }): Promise<PartitionFacts[]> {
    return partitionFacts(this.#pool, topics, from);
  }

  /** Whole batches from an offset on, at least one where there is any. */
  sample(place: SamplePlace, bytesMax: number): Promise<Reading<SampledBatch[]>> {
    return readingOf(() => sampleBatches(this.#pool, place, bytesMax));
  }

  /** The partitions of a topic that hold records. */
  held(topic: TopicFacts): Promise<Reading<HeldPartition[]>> {
    return readingOf(() => heldPartitions(this.#pool, topic));
  }

  disks(partitions: readonly { readonly topic: string; readonly partition: number }[]): Promise<DiskFacts[]> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, own]) => ({
      topic,
      partitions: own.map(({ partition }) => partition),
    }));
    return describeDisks(this.#pool, topics);
  }

  openTransactions(
    places: readonly { readonly topic: string; readonly partition: number; readonly leader: number }[],
  ): Promise<Reading<OpenTransaction[]>> {
    return readingOf(() => openTransactions(this.#pool, places));
  }

  /** After so long without a record a broker has forgotten the sequence numbers of a producer. */
  producerMemoryMs(): Promise<Reading<number>> {
    return readingOf(() => producerMemoryMs(this.#pool));
  }

  allowed(topics: readonly string[]): Promise<Allowed> {
    return allowedOperations(this.#pool, topics);
  }

  topicAcls(): Promise<Reading<readonly TopicAcl[] | 'none'>> {
    return topicAcls(this.#pool);
  }

  leftBehind(): Promise<LeftBehind> {
    return countLeftBehind(this.#pool);
  }

  groupsCommittedOn(topics: readonly string[]): Promise<GroupCommit[]> {
    return groupsCommittedOn(this.#pool, topics);
  }

  /** What a topic of this name would have that is made without settings. */
  newTopicSettings(topic: string): Promise<Reading<Settings>> {
    return settingsOfNewTopic(this.#pool, topic);
  }

  checkNewTopics(topics: readonly NewTopic[]): Promise<TopicMade[]> {
    return makeTopics(this.#pool, topics, 'only-check');
  }

  makeTopics(topics: readonly NewTopic[]): Promise<TopicMade[]> {
    return makeTopics(this.#pool, topics, 'make');
  }

  makePartitions(wanted: readonly { readonly topic: string; readonly partitions: number }[]): Promise<TopicChanged[]> {
    return makePartitions(this.#pool, wanted);
  }

  /** By id: one that was made anew under the same name stays. */
  deleteTopics(
    topics: readonly { readonly topic: string; readonly topicId: string | null }[],
  ): Promise<TopicChanged[]> {
    return deleteTopics(this.#pool, topics);
  }

  checkSettings(changes: readonly SettingChange[]): Promise<SettingsChanged[]> {
    return changeSettings(this.#pool, changes, 'only-check');
  }

  changeSettings(changes: readonly SettingChange[]): Promise<SettingsChanged[]> {
    return changeSettings(this.#pool, changes, 'change');
  }

  makeAcls(acls: readonly TopicAcl[]): Promise<AclChanged[]> {
    return makeAcls(this.#pool, acls);
  }

  /** Each as it is, and nothing that is like it. */
  deleteAcls(acls: readonly TopicAcl[]): Promise<AclChanged[]> {
    return deleteAcls(this.#pool, acls);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
