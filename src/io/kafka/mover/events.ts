import type { SentLine } from '../../../core/move/ledger-lines.ts';
import type { Damage } from '../../../core/move/tail.ts';
import type { Refusal } from '../../../core/move/writer.ts';

/** What a mover tells of one partition, for the journal and for whoever looks on. `topic` is that of the source. */
export type MoverEvent = PartitionEvent & { readonly topic: string; readonly partition: number };

/** Offsets are the source's, `target…` are the target's. */
export type PartitionEvent =
  | Progress
  /** Batches that stand on the target, ours by id and number, which the source does not have any more. Told before they are in the ledger. */
  | { readonly kind: 'unproven'; readonly lines: readonly SentLine[] }
  /** Something stands on the target that may not. The partition is over until a person has decided. */
  | { readonly kind: 'damaged'; readonly damage: Damage }
  /** The partition waits for `remedied`. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The target had it and has lost it; nothing stands in its place, and it is copied once more. */
  | { readonly kind: 'lost'; readonly targetFrom: number; readonly targetTo: number }
  /**
   * Somebody leads the source whose log ends at `end`, or has nothing of the leaders after `epoch`. `handedTo`: so far it was handed to the
   * target. If that is beyond, the partition is over: what was copied is not there any more.
   */
  | {
      readonly kind: 'source-truncated';
      readonly end: number;
      readonly epoch: number | null;
      readonly handedTo: number;
    }
  /** Nothing more of the source can be copied as it is, and why. */
  | { readonly kind: 'source-stopped'; readonly why: string };

export type Progress = {
  readonly kind: 'progress';
  /** All before it is settled. */
  readonly source: number;
  readonly target: number;
  /** Settled since the copy began, by whichever mover. */
  readonly records: number;
  /** Settled since this mover began: batches as they stand on the target. */
  readonly bytes: number;
  /** What the source told last; null: nothing yet. */
  readonly highWatermark: number | null;
  readonly lastStable: number | null;
  readonly logStart: number | null;
  /** What keeps it from going on; null: nothing does. */
  readonly waiting: string | null;
};
