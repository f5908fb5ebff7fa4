import { endOf, type LedgerLine, type Position } from './ledger-lines.ts';

export type Run = {
  readonly source: number;
  readonly target: number;
  /** Offsets of the source. */
  readonly length: number;
  /** Where not all of them have a record: one bit for each, lowest first. */
  readonly kept: Uint8Array | null;
};

/** Where the source's offsets are on the target: runs of equal distance. Grows by one line at a time, in the order of the source. */
export class OffsetMap {
  readonly #runs: Run[] = [];
  /** Behind the last offset of the source that is accounted for, and behind the last of the target. */
  #end: Position;

  constructor(begin: Position) {
    this.#end = begin;
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  get end(): Position {
    return this.#end;
  }

  /** A batch behind a batch, without a gap, lengthens the last run. */
  add(line: LedgerLine): void {
    if (line.kind === 'left') {
      this.#end = { ...this.#end, source: line.to };
      return;
    }
    const { from, to, target, kept } = line;
    this.#end = endOf(line);
    const last = this.#runs.at(-1);
    const isNext = last !== undefined && last.source + last.length === from && last.target + last.length === target;
    if (isNext && last.kept === null && kept === null)
      this.#runs[this.#runs.length - 1] = { ...last, length: last.length + to - from };
    else this.#runs.push({ source: from, target, length: to - from, kept });
  }

  /**
   * The target's offset of the first record at or behind `offset` of the source: where a consumer that would read `offset` next
   * has to go on. At or behind the end it is the target's end; before the first it is the first.
   */
  targetOf(offset: number): number {
    const run = this.#runs[firstIndex(this.#runs, ({ source, length }) => source + length > offset)];
    if (run === undefined) return this.#end.target;
    const within = Math.max(0, offset - run.source);
    return run.target + (run.kept === null ? within : countBefore(run.kept, within));
  }

  /** The source's offset of the record that stands at `offset` of the target; at or behind the end: the source's end. */
  sourceOf(offset: number): number {
    const run = this.#runs[firstIndex(this.#runs, (one) => one.target + countOf(one) > offset)];
    if (run === undefined) return this.#end.source;
    const within = Math.max(0, offset - run.target);
    return run.source + (run.kept === null ? within : positionOf(run.kept, within));
  }
}

/** Records in the run. */
function countOf({ length, kept }: Run): number {
  return kept === null ? length : countBefore(kept, length);
}

/** Of the first that passes, where all behind it pass too; the length if none does. */
function firstIndex<T>(items: readonly T[], passes: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && passes(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isKept(kept: Uint8Array, index: number): boolean {
  return (((kept[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1;
}

function countBefore(kept: Uint8Array, end: number): number {
  let count = 0;
  for (let index = 0; index < end; index += 1) if (isKept(kept, index)) count += 1;
  return count;
}

/** Of the record with so many before it. */
function positionOf(kept: Uint8Array, before: number): number {
  let left = before;
  let index = 0;
  for (; index < kept.length * 8; index += 1) {
    if (!isKept(kept, index)) continue;
    if (left === 0) return index;
    left -= 1;
  }
  return index;
}

/** One bit for each of `length` offsets; `offsets` are those that are kept, counted from the first. */
export function keptBits(length: number, offsets: Iterable<number>): Uint8Array {
  const kept = new Uint8Array(Math.ceil(length / 8));
  for (const offset of offsets) {
    const byte = offset >>> 3;
    kept[byte] = (kept[byte] ?? 0) | (1 << (offset & 7));
  }
  return kept;
}
