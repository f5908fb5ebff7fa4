/**
 * One line of a partition's ledger. Offsets are whole numbers; a range [from, to) of the source is accounted for by exactly one
 * line. A line is written before what it speaks of is sent, so the last `sent` lines may stand for batches that the target
 * never got; what was sent again in their place makes them void.
 */
export type LedgerLine = SentLine | LeftLine;

/** A batch as it was handed to the target: at `target` … `target + count`, or nowhere. */
export type SentLine = {
  readonly kind: 'sent';
  readonly from: number;
  readonly to: number;
  readonly target: number;
  readonly count: number;
  /** CRC32C of the records as sent: what follows the header of the batch. */
  readonly checksum: number;
  /** Which of the source's offsets in [from, to) are kept, one bit for each, lowest first; null: all of them. */
  readonly kept: Uint8Array | null;
  /** Made anew though none is left out: the checksum is of what was made, and says nothing of the source. Where some are left out it always is. */
  readonly isRebuilt?: true;
};

/** Offsets of the source that have no counterpart, and why. */
export type LeftLine = { readonly kind: 'left'; readonly from: number; readonly to: number; readonly why: Left };

export type Left = (typeof leftReasons)[number];

/** Compaction and markers that were removed look alike: both are holes. */
export const leftReasons = ['control', 'aborted', 'hole', 'below-log-start', 'not-asked'] as const;

/** Where a partition stands: the next offset to take from the source, and the next one that the target gives. */
export type Position = { readonly source: number; readonly target: number };

/** Whether its bytes are not the source's: then only its records can be compared. */
export function isMadeAnew({ kept, isRebuilt }: SentLine): boolean {
  return kept !== null || isRebuilt === true;
}

export function endOf(line: SentLine): Position {
  return { source: line.to, target: line.target + line.count };
}

/** Without the lines that `line` makes void, and with it. Lines are in the order of the source's offsets. */
export function withLine(lines: readonly LedgerLine[], line: LedgerLine): LedgerLine[] {
  const kept = lines.findLastIndex(({ to }) => to <= line.from);
  return [...lines.slice(0, kept + 1), line];
}
