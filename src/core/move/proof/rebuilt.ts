import type { Seen } from '../alignment.ts';
import type { SentLine } from '../ledger-lines.ts';

/** What the records of a batch that was made anew are, beside those of the source that it stands for. */
export type RecordsCompared = {
  readonly equal: number;
  /** Of them the source has no record any more. */
  readonly gone: number;
  /** The first that differs; null: none does. */
  readonly different: { readonly source: number; readonly target: number; readonly why: string } | null;
};

/**
 * Record by record: those of the source that the line keeps, in order, against those of the batch. `source`: all that the source has
 * in the line's range now, which may be fewer than it had.
 */
export function compareRecords(line: SentLine, source: readonly Seen[], target: readonly Seen[]): RecordsCompared {
  const there = new Map(source.map((record) => [record.offset, record]));
  const places = keptOffsets(line);
  let equal = 0;
  let gone = 0;
  let different: RecordsCompared['different'] = null;
  for (const [index, offset] of places.entries()) {
    const copy = target[index];
    const original = there.get(offset);
    const place = { source: offset, target: line.target + index };
    if (copy === undefined) different ??= { ...place, why: 'the batch has no such record' };
    else if (copy.offset !== place.target) different ??= { ...place, why: `it stands at ${copy.offset}` };
    else if (original === undefined) gone += 1;
    else if (copy.content !== original.content)
      different ??= { ...place, why: 'its key, its value or its headers are others' };
    else if (copy.timeMs !== original.timeMs)
      different ??= { ...place, why: `its time is ${copy.timeMs}, on the source ${original.timeMs}` };
    else equal += 1;
  }
  if (target.length > places.length)
    different ??= { source: line.to - 1, target: line.target + places.length, why: 'the batch has more records' };
  return { equal, gone, different };
}

function keptOffsets({ from, to, kept }: SentLine): number[] {
  const all = Array.from({ length: to - from }, (_, index) => index);
  const those = kept === null ? all : all.filter((index) => (((kept[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1);
  return those.map((index) => from + index);
}
