import type { LedgerLine, Left, LeftLine, Position } from './ledger-lines.ts';
import { OffsetMap } from './offset-map.ts';

/** What an offset of one side is on the other. `next`: where somebody has to go on there who would read it next. */
export type Counterpart =
  | { readonly kind: 'there'; readonly offset: number; readonly isConfirmed: boolean }
  /** It has no record on the other side, and why. */
  | { readonly kind: 'left-out'; readonly why: Left; readonly next: number }
  /** Below where the copy has begun. */
  | { readonly kind: 'before'; readonly next: number }
  /** The copy has not got there. */
  | { readonly kind: 'not-yet'; readonly next: number };

/** Both ways between the offsets of source and target, by the lines of one ledger. */
export class Counterparts {
  readonly #begin: Position;
  readonly #map: OffsetMap;
  readonly #left: LeftLine[] = [];
  /** Where the last batches begin, oldest first. */
  readonly #last: Position[] = [];
  readonly #unsureMax: number;

  /** `unsureMax`: so many of the last batches may not stand on the target yet. */
  constructor(begin: Position, unsureMax: number) {
    this.#begin = begin;
    this.#map = new OffsetMap(begin);
    this.#unsureMax = unsureMax;
  }

  /** In the order of the source. */
  add(line: LedgerLine): void {
    this.#map.add(line);
    if (line.kind === 'left') {
      this.#left.push(line);
      return;
    }
    this.#last.push({ source: line.from, target: line.target });
    if (this.#last.length > this.#unsureMax) this.#last.shift();
  }

  targetOf(offset: number): Counterpart {
    const map = this.#map;
    if (offset < this.#begin.source) return { kind: 'before', next: map.targetOf(this.#begin.source) };
    if (offset >= map.end.source) return { kind: 'not-yet', next: map.end.target };
    const next = map.targetOf(offset);
    const line = this.#leftAt(offset);
    if (line !== null) return { kind: 'left-out', why: line.why, next };
    // Compaction has left a hole in the middle of a batch.
    if (next >= map.end.target || map.sourceOf(next) !== offset) return { kind: 'left-out', why: 'hole', next };
    return { kind: 'there', offset: next, isConfirmed: !this.#isUnsure(({ source }) => source, offset) };
  }

  sourceOf(offset: number): Counterpart {
    const map = this.#map;
    if (offset < this.#begin.target) return { kind: 'before', next: this.#begin.source };
    if (offset >= map.end.target) return { kind: 'not-yet', next: map.end.source };
    const isConfirmed = !this.#isUnsure(({ target }) => target, offset);
    return { kind: 'there', offset: map.sourceOf(offset), isConfirmed };
  }

  #isUnsure(of: (position: Position) => number, offset: number): boolean {
    const [first] = this.#last;
    return this.#unsureMax > 0 && first !== undefined && offset >= of(first);
  }

  #leftAt(offset: number): LeftLine | null {
    let [low, high] = [0, this.#left.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#left[middle]?.to ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    const line = this.#left[low];
    return line !== undefined && line.from <= offset ? line : null;
  }
}
