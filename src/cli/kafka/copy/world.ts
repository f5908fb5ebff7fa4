import type { LedgerLine, Position } from '../../../core/move/ledger-lines.ts';
import type { CopyPlan } from '../../../core/move/operation/plan.ts';
import type { TopicFacts } from '../../../core/move/topic-facts.ts';
import type { PreviewSide } from '../copy-preview/preview-side.ts';
import type { PartitionBounds, Reach } from '../side.ts';

/** A cluster as `kafka copy` has to know it before it begins. Every method throws PortError. */
export type CopySide = PreviewSide & {
  /** Things a person should know about how it is reached. */
  readonly notes: readonly string[];
  clusterId(): Promise<string>;
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

/** Null: the plan has no such topic. */
export function partitionKey(
  { source, target, topics }: CopyPlan,
  topic: string,
  partition: number,
  targetTopicId: string,
): PartitionKey | null {
  const sourceTopicId = topics.find(({ name }) => name === topic)?.sourceId;
  if (sourceTopicId === undefined) return null;
  return { sourceCluster: source.clusterId, sourceTopicId, targetCluster: target.clusterId, targetTopicId, partition };
}

export type LedgerRead = { readonly begin: Position; readonly lines: Iterable<LedgerLine> };

export type LedgerLook = { readonly begin: Position; readonly end: Position };

/** Up to which offset of the target the ledger of this partition knows what stands there; null: there is none. */
export type LedgerEnd = (topic: string, partition: number, topicId: string) => number | null;
