import type { LedgerLine, SentLine } from '../../../core/move/ledger-lines.ts';
import { decodeSegment, linesOf } from '../../../io/kafka/ledger/segment.ts';
import type { SegmentFiles } from '../../../io/kafka/ledger/segment-files.ts';

export type LinesOn = { readonly lines: readonly LedgerLine[]; readonly unproven: readonly SentLine[] };

/** All lines that are not void, in order, and which of them are unproven: read from the disk alone. Throws MalformedBytes. */
export function linesOn(files: SegmentFiles): LinesOn {
  let lines: LedgerLine[] = [];
  let unproven: SentLine[] = [];
  for (const name of files.names()) {
    const segment = decodeSegment(files.read(name));
    if (segment.torn !== null) throw new Error(`${name} is torn at byte ${segment.torn.at}: ${segment.torn.why}`);
    const content = linesOf(segment);
    const stands = ({ to }: LedgerLine) => to <= segment.head.at.source;
    lines = [...lines.filter(stands), ...content.lines];
    unproven = [...unproven.filter(stands), ...content.unproven];
  }
  return { lines, unproven };
}

/** The newest line, void or not, that speaks of such a batch; `target`: at this offset. */
export function lineOf(files: SegmentFiles, count: number, checksum: number, target?: number): SentLine | null {
  for (const name of [...files.names()].reverse()) {
    const bytes = files.read(name);
    if (!bytes.includes(0x0a)) continue;
    const line = decodeSegment(bytes).entries.findLast(
      (entry) =>
        entry.kind === 'sent' &&
        entry.count === count &&
        entry.checksum === checksum &&
        (target === undefined || entry.target === target),
    );
    if (line?.kind === 'sent') return line;
  }
  return null;
}
