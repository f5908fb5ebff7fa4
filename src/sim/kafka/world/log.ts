import type { AbortedTransaction, EpochEnd } from '../../../io/kafka/messages/fetch-response.ts';
import { type Stored, transactionOf } from './stored.ts';

/** What one replica of a partition has. */
export class Log {
  #batches: Stored[] = [];
  /** Where each leader's epoch began; outlives the batches themselves. */
  #epochs: { readonly epoch: number; readonly start: number }[] = [];
  #start: number;
  #end: number;

  constructor(start: number) {
    this.#start = start;
    this.#end = start;
  }

  get batches(): readonly Stored[] {
    return this.#batches;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  append(batch: Stored): void {
    // The first one may begin below the log start.
    const end = (this.#batches.at(-1)?.last ?? -1) + 1;
    if (batch.base < end) throw new RangeError(`offset ${batch.base} is appended behind ${end}`);
    this.begin(batch.epoch, batch.base);
    this.#batches.push(batch);
    this.#end = batch.last + 1;
  }

  /** As a new leader does before it appends. */
  begin(epoch: number, start = this.#end): void {
    if (epoch > (this.#epochs.at(-1)?.epoch ?? -1)) this.#epochs.push({ epoch, start });
  }

  truncate(end: number): void {
    if (end >= this.#end) return;
    this.#batches = this.#batches.filter(({ last }) => last < end);
    this.#end = Math.max(this.#start, end);
    this.#epochs = this.#epochs.filter(({ start }) => start < this.#end);
  }

  /** As retention and DeleteRecords do; a batch that holds the offset stays whole. */
  startAt(offset: number): void {
    this.#batches = this.#batches.filter(({ last }) => last >= offset);
    this.#start = Math.max(this.#start, offset);
    this.#end = Math.max(this.#end, this.#start);
  }

  /** As compaction does: other bytes for the same offsets; null: the batch is gone. */
  replace(change: (batch: Stored) => Stored | null): void {
    this.#batches = this.#batches.flatMap((batch) => change(batch) ?? []);
  }

  /**
   * Bytes from the batch that holds `offset` on, below `upTo`, cut after `bytesMax` wherever that is; `isWhole`: the first batch is
   * there whole, however long it is.
   */
  read(offset: number, upTo: number, bytesMax: number, isWhole: boolean): Uint8Array {
    const found = this.#batches.filter(({ base, last }) => last >= offset && base < upTo);
    const all = Buffer.concat(found.map(({ bytes }) => bytes));
    const least = isWhole ? (found[0]?.bytes.length ?? 0) : 0;
    return Uint8Array.from(all.subarray(0, Math.max(least, bytesMax)));
  }

  /** Where the largest epoch that is not above `epoch` ends; null: none is known above it, or none at all. */
  endOfEpoch(epoch: number): EpochEnd | null {
    if (this.#epochs.at(-1)?.epoch === epoch) return { epoch, endOffset: this.#end };
    const higher = this.#epochs.find((one) => one.epoch > epoch);
    if (higher === undefined) return null;
    return { epoch: this.#epochs.findLast((one) => one.epoch <= epoch)?.epoch ?? epoch, endOffset: higher.start };
  }

  /** Of all transactions, open or not, by their order of ending. */
  transactions(): readonly Transaction[] {
    const open = new Map<bigint, Transaction>();
    const ended: Transaction[] = [];
    for (const batch of this.#batches) {
      const of = transactionOf(batch);
      if (of === null) continue;
      const { producerId, marker } = of;
      const transaction = open.get(producerId) ?? { producerId, first: batch.base, end: null, isAborted: false };
      if (marker === null) open.set(producerId, transaction);
      else {
        open.delete(producerId);
        ended.push({ ...transaction, end: batch.base, isAborted: marker === 'abort' });
      }
    }
    return [...ended, ...open.values()];
  }

  lastStable(highWatermark: number): number {
    const open = this.transactions().filter(({ end }) => end === null || end >= highWatermark);
    return Math.min(highWatermark, ...open.map(({ first }) => first));
  }

  aborted(from: number, to: number): AbortedTransaction[] {
    return this.transactions()
      .filter(({ isAborted, first, end }) => isAborted && first < to && (end ?? 0) >= from)
      .map(({ producerId, first }) => ({ producerId, firstOffset: first }));
  }
}

export type Transaction = {
  readonly producerId: bigint;
  readonly first: number;
  /** The offset of its marker; null: it is open. */
  readonly end: number | null;
  readonly isAborted: boolean;
};
