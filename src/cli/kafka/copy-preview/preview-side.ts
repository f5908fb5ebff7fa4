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

/** A cluster as the preview of a copy asks it; nothing is changed. Every method throws PortError. */
export type PreviewSide = {
  /** As whom it knows us; null: by a certificate. */
  readonly principal: string | null;
  cluster(): Promise<ClusterFacts>;
  topics(names: readonly string[] | null): Promise<readonly TopicFacts[]>;
  partitions(topics: readonly string[], from?: CopyFrom): Promise<readonly PartitionFacts[]>;
  sample(place: SamplePlace, bytesMax: number): Promise<Reading<readonly SampledBatch[]>>;
  held(topic: TopicFacts): Promise<Reading<readonly HeldPartition[]>>;
  disks(partitions: readonly Place[]): Promise<readonly DiskFacts[]>;
  openTransactions(
    places: readonly (Place & { readonly leader: number })[],
  ): Promise<Reading<readonly OpenTransaction[]>>;
  producerMemoryMs(): Promise<Reading<number>>;
  allowed(topics: readonly string[]): Promise<Allowed>;
  topicAcls(): Promise<Reading<readonly TopicAcl[] | 'none'>>;
  leftBehind(): Promise<LeftBehind>;
  newTopicSettings(topic: string): Promise<Reading<Settings>>;
  checkNewTopics(topics: readonly NewTopic[]): Promise<readonly Checked[]>;
  checkSettings(changes: readonly SettingChange[]): Promise<readonly Checked[]>;
};

export type Place = { readonly topic: string; readonly partition: number };
export type SamplePlace = Place & { readonly leader: number; readonly offset: number };
export type Checked = {
  readonly topic: string;
  readonly refused: { readonly error: string; readonly why: string } | null;
};

/** Where the copy of each partition begins; `time`: at its first record of that time or later. */
export type CopyFrom =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'time'; readonly ms: number };
