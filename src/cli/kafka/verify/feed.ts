import type { Offsets, Seen } from '../../../core/move/alignment.ts';
import type { KafkaRecords, PartitionBounds, Piece } from '../side.ts';

/** Told of what is read, as it comes. */
export type Watch = (read: { readonly offsets: number; readonly records: number; readonly bytes: number }) => void;

/** One side of one partition: its records, and what was found out about it on the way. */
export class Feed {
  readonly bounds: PartitionBounds;
  readonly #records: KafkaRecords;
  readonly #watch: Watch;
  readonly #signal: AbortSignal;
  #peeked: Seen[] = [];
  #next: number;
  #isOver = false;
  records = 0;
  /** Whether any record had the time of its append. */
  hasAppendTime = false;
  hasCreateTime = false;
  /** Deleted while it was read. */
  readonly gone: Offsets[] = [];

  constructor(bounds: PartitionBounds, records: KafkaRecords, watch: Watch, signal: AbortSignal) {
    this.bounds = bounds;
    this.#records = records;
    this.#watch = watch;
    this.#signal = signal;
    this.#next = bounds.logStart;
  }

  /** At least one record; null: there are no more. */
  async next(): Promise<readonly Seen[] | null> {
    if (this.#peeked.length > 0) return this.#peeked.splice(0);
    while (!this.#isOver) {
      // What is in memory already would keep everything else waiting, and Ctrl-C too.
      await new Promise((resolve) => setImmediate(resolve));
      this.#signal.throwIfAborted();
      const piece = await this.#records.next();
      if (piece === null) this.#isOver = true;
      else this.#note(piece);
      if (piece !== null && piece.records.length > 0) return piece.records;
    }
    return null;
  }

  /** The next records without taking them; fewer where there are no more. */
  async peek(count: number): Promise<readonly Seen[]> {
    const held: Seen[] = [];
    while (held.length < count) {
      const more = await this.next();
      if (more === null) break;
      for (const record of more) held.push(record);
    }
    this.#peeked = held;
    return held.slice(0, count);
  }

  /** Puts back what was taken and is needed after all. */
  putBack(records: readonly Seen[]): void {
    this.#peeked = [...records, ...this.#peeked];
  }

  /** It is read from the beginning again, by another one. */
  abandon(): void {
    this.#watch({ offsets: this.bounds.logStart - this.#next, records: -this.records, bytes: 0 });
  }

  #note({ records, next, bytes, hasAppendTime, goneTo }: Piece): void {
    if (goneTo !== null) this.gone.push({ from: this.#next, to: goneTo - 1 });
    if (hasAppendTime === true) this.hasAppendTime = true;
    if (hasAppendTime === false) this.hasCreateTime = true;
    this.records += records.length;
    this.#watch({ offsets: Math.max(0, next - this.#next), records: records.length, bytes });
    this.#next = Math.max(this.#next, next);
  }
}
