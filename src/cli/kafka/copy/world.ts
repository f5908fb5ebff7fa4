import type { Position } from '../../../core/move/ledger-lines.ts';
import type { Settings, TopicFacts } from '../../../core/move/topic-facts.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import type { PartitionBounds, Reach } from '../side.ts';

/** A cluster as `kafka copy` has to know it before it begins. Every method throws PortError. */
export type CopySide = {
  /** Things a person should know about how it is reached. */
  readonly notes: readonly string[];
  clusterId(): Promise<string>;
  /** Those of these names that are there; null: all that may be seen and are not Kafka's own. */
  topics(names: readonly string[] | null): Promise<readonly TopicFacts[]>;
  /** What a topic of this name would have that is made without settings. */
  newTopicSettings(topic: string): Promise<Reading<Settings>>;
  /** Of all their partitions, up to the high watermarks. */
  bounds(topics: readonly TopicFacts[]): Promise<readonly PartitionBounds[]>;
  /** The first offsets that are not older than that, in the order of `bounds`. */
  offsetsAt(bounds: readonly PartitionBounds[], timeMs: number): Promise<readonly number[]>;
  close(): Promise<void>;
};

export type MoverPlace = {
  readonly source: Reach;
  readonly target: Reach;
  readonly stateDirectory: string;
  readonly operation: string;
};

/** By what a ledger is found. */
export type PartitionKey = {
  readonly sourceCluster: string;
  readonly sourceTopicId: string;
  readonly targetCluster: string;
  readonly targetTopicId: string;
  readonly partition: number;
};

export type LedgerLook = { readonly begin: Position; readonly end: Position };
