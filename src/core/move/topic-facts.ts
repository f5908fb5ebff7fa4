import type { Reading } from '../observed/reading.ts';

/** A topic as a cluster tells of it. */
export type TopicFacts = {
  readonly name: string;
  /** Null: a cluster before 2.8 has none. */
  readonly topicId: string | null;
  /** 0: it may not be seen. */
  readonly partitions: number;
  /** Of its first partition; a reassignment may be on its way. */
  readonly replicationFactor: number;
  readonly settings: Reading<Settings>;
};

/** By name, all that the cluster knows for a topic: effective values, and which level they come from. */
export type Settings = Readonly<Record<string, Setting>>;
export type Setting = {
  /** Null: none, or it is not told. */
  readonly value: string | null;
  readonly level: 'topic' | 'broker' | 'default';
};

/** What is wanted of a cluster that does not have the topic. */
export type NewTopic = {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** At the level of the topic. */
  readonly settings: Readonly<Record<string, string>>;
};

/** One setting at the level of a topic; a value of null: taken away, so that the broker's holds. */
export type SettingChange = { readonly topic: string; readonly key: string; readonly value: string | null };

/** A batch of somebody in a partition of the target. */
export type BatchFacts = {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly newestMs: number;
  /** In decimal digits; null: a producer without one. */
  readonly producerId: string | null;
};

/** A partition that holds records. */
export type HeldPartition = {
  readonly partition: number;
  readonly logStart: number;
  readonly end: number;
  /** Null: it could not be read. */
  readonly first: BatchFacts | null;
  readonly last: BatchFacts | null;
};

/** What a topic of the target is to this copy. */
export type TargetTopic = TopicFacts & {
  /** Whether a ledger of ours is about this topic, by its id. */
  readonly isOurs: boolean;
  /** Its partitions that are not empty. */
  readonly held: Reading<readonly HeldPartition[]>;
};
