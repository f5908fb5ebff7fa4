import type { Account } from '../account.ts';
import type { Position } from '../ledger-lines.ts';
import type { Damage } from '../tail.ts';

/** What the process that moves the data has told of itself. */
export type MoverTold =
  /** There is none, or it has ended as it was told to. */
  | { readonly kind: 'none' }
  | { readonly kind: 'starting' }
  | ({ readonly kind: 'running' } & MoverFigures)
  /** Nothing is left to do for it, and it has ended. */
  | ({ readonly kind: 'done' } & MoverFigures)
  /** It has ended by itself; `count` tells one end from the next. */
  | { readonly kind: 'failed'; readonly count: number; readonly lastWords: string };

export type MoverFigures = {
  /** All requests are settled, and none is sent. */
  readonly isHeld: boolean;
  /** Sent by this process, as they lie on the target. */
  readonly bytes: number;
  readonly partitions: readonly PartitionTold[];
  /** How many each topic of the source has by now; missing: not told. */
  readonly sourcePartitions?: Readonly<Record<string, number>>;
};

export type PartitionTold = {
  readonly topic: string;
  readonly partition: number;
  /** Everything before it is known to stand on the target. */
  readonly settled: Position;
  /** Of everything since the copy of this partition began; what is in flight counts already. */
  readonly account: Account;
  /** The last segment of its ledger, and the SHA-256 of all before it. */
  readonly segment: { readonly ordinal: number; readonly previous: string | null };
  /** What the source told last; null: nothing yet. */
  readonly source: SourceEnds | null;
  readonly condition: Condition;
  /** What stands on the target and could not be compared, because the source does not have it any more. */
  readonly unproven: readonly TargetRange[];
  /** What the target had and has lost; it is copied once more. */
  readonly lost: readonly TargetRange[];
};

/** `lastStable` is below `highWatermark` while a transaction is open. */
export type SourceEnds = {
  readonly logStart: number;
  readonly lastStable: number;
  readonly highWatermark: number;
};

export type Condition =
  | { readonly kind: 'copying' }
  | { readonly kind: 'waiting'; readonly why: string; readonly sinceMs: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'damaged'; readonly damage: Damage }
  /** The target takes nothing from us, or the source has what cannot be copied. */
  | { readonly kind: 'stopped'; readonly why: string };

/** Offsets of the target [from, to). */
export type TargetRange = { readonly from: number; readonly to: number };
