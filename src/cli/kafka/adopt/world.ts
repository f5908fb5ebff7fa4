import type { ProvenLine, SourceItem, StandingBatch } from '../../../core/move/adoption.ts';
import type { Position } from '../../../core/move/ledger-lines.ts';
import type { TopicFacts } from '../../../core/move/topic-facts.ts';
import type { PartitionKey } from '../copy/world.ts';
import type { Isolation, PartitionBounds } from '../side.ts';

/** A cluster as an adoption reads it. Every method throws PortError. */
export type AdoptionSide = {
  topics(names: readonly string[]): Promise<readonly TopicFacts[]>;
  /** Of all their partitions; `end` is the last stable offset for `read_committed`. */
  bounds(topics: readonly TopicFacts[], isolation: Isolation): Promise<readonly PartitionBounds[]>;
  /** As they lie there, and which of them are of the copy with this key. */
  batches(
    range: Range,
    key: PartitionKey,
  ): { next(): Promise<Piece<{ readonly batches: readonly StandingBatch[] }> | null> };
  /** Groups that have committed offsets on any of these. */
  groupsCommittedOn(topics: readonly string[]): Promise<readonly { readonly group: string }[]>;
  /** As a copy would take them, up to the last stable offset at most. */
  items(range: Range): { next(): Promise<Piece<{ readonly items: readonly SourceItem[] }> | null> };
  close(): Promise<void>;
};

type Range = { readonly topic: string; readonly partition: number; readonly from: number; readonly to: number };

/** Of what was read: everything before `next`; `goneTo` not null: up to there it was deleted meanwhile. */
type Piece<Content> = Content & { readonly next: number; readonly bytes: number; readonly goneTo: number | null };

/** A ledger that is being made, beside its place. */
export type AdoptedLedger = {
  append(proven: ProvenLine, begin: Position): void;
  /** It is whole, and on the disk. `epoch`: above all in which the target was written. */
  finish(epoch: number): void;
  discard(): void;
};
