import type { Account } from '../account.ts';
import type { LedgerLine, Position } from '../ledger-lines.ts';

/** A partition's ledger as it is read for a proof, in order: whatever is wrong with it is told and not thrown. */
export type TrailItem =
  | SegmentBegun
  /** `isProven`: false for a batch that was not compared with the source, which had deleted it. */
  | { readonly kind: 'line'; readonly line: LedgerLine; readonly isProven: boolean }
  /** Something is there that is no entry. `isLast`: at the end of all, where a write may have been cut off. */
  | { readonly kind: 'torn'; readonly segment: string; readonly why: string; readonly isLast: boolean };

export type SegmentBegun = {
  readonly kind: 'segment';
  readonly segment: string;
  /** What its head says: where it goes on, and what was accounted for until then. */
  readonly at: Position;
  readonly account: Account;
  /** Why it does not belong behind the one before; null: it does. */
  readonly broken: string | null;
  /** A later one goes on before it begins: nothing of it counts. */
  readonly isVoid: boolean;
};
