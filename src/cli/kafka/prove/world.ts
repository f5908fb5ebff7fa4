import type { Seen } from '../../../core/move/alignment.ts';
import type { Position } from '../../../core/move/ledger-lines.ts';
import type { ProofBatch } from '../../../core/move/proof/read-back.ts';
import type { TrailItem } from '../../../core/move/proof/trail.ts';
import type { TopicFacts } from '../../../core/move/topic-facts.ts';
import type { PartitionKey } from '../copy/world.ts';
import type { KafkaRecords, PartitionBounds, Reach } from '../side.ts';

/** A cluster as `kafka prove` reads it. Every method throws PortError. */
export type ProofSide = {
  /** Things a person should know about how it is reached. */
  readonly notes: readonly string[];
  clusterId(): Promise<string>;
  topics(names: readonly string[]): Promise<readonly TopicFacts[]>;
  /** Of all their partitions, up to the high watermarks. */
  bounds(topics: readonly TopicFacts[]): Promise<readonly PartitionBounds[]>;
  /** As they lie there, and which of them are of the copy with this key. */
  batches(range: Range, key: PartitionKey): RawBatches;
  /** Of all transactions, whatever became of them. */
  records(range: Range): KafkaRecords;
  close(): Promise<void>;
};

/** `rate`: bytes per second of each broker; null: as fast as they answer. */
export type ProofReach = Reach & { readonly rate: number | null };

type Range = { readonly topic: string; readonly partition: number; readonly from: number; readonly to: number };

export type RawBatches = {
  /** Null: the end. */
  next(): Promise<RawPiece | null>;
};

export type RawPiece = {
  /** `contents`: decompresses it. */
  readonly batches: readonly (ProofBatch & { readonly contents: () => readonly Seen[] })[];
  /** Everything before it has come. */
  readonly next: number;
  readonly bytes: number;
  /** Not null: up to there it was deleted while it was read. */
  readonly goneTo: number | null;
};

/** A ledger as it was when it was opened, beside whoever writes it. */
export type LedgerTrail = {
  readonly begin: Position;
  readonly end: Position;
  readonly segments: number;
  items(): Iterable<TrailItem>;
  /** Once all items were taken. */
  told(): { readonly bytes: number; readonly lastSegment: string; readonly lastHash: string };
};
