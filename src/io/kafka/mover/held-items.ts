import { lengthOf } from '../messages/byte-range.ts';
import type { Item } from '../reader/source-items.ts';
import type { Lease } from './lease.ts';
import type { Prepared } from './prepared.ts';

/** `lease`: of the bytes of a batch; null: it has none. */
export type Held = { item: Item; prepared: Prepared | null; lease: Lease | null };

/**
 * What a partition has of the source in memory: what was not sent, and behind it in time what was sent and is not settled. The latter is
 * sent again byte for byte where it has to be: a request that was given up may still arrive, and a broker that remembers us
 * takes only one of two that are the same. Fetched once more it may be another one, as the source may have been cleaned.
 */
export class HeldItems {
  #unsent: Held[] = [];
  #sent: Held[] = [];
  /** Of the batches that were not sent. */
  unsentBytes = 0;

  get first(): Held | null {
    return this.#unsent[0] ?? null;
  }

  get unsent(): readonly Held[] {
    return this.#unsent;
  }

  get sent(): readonly Held[] {
    return this.#sent;
  }

  add(item: Item, lease: Lease | null): void {
    const isOf = item.kind === 'batch' ? lease : null;
    isOf?.keep();
    this.#unsent.push({ item, prepared: null, lease: isOf });
    this.unsentBytes += bytesOf(item);
  }

  /** The first one is handed to the target, or written down as left out. */
  handOn(): void {
    const first = this.#shift();
    if (first !== null) this.#sent.push(first);
  }

  /** The first one stands on the target already. */
  drop(): void {
    const first = this.#shift();
    if (first !== null) release(first);
  }

  /** Nothing is left of a batch: it is a hole by now. */
  makeHole(held: Held): void {
    const { from, to, epoch } = held.item;
    this.unsentBytes -= bytesOf(held.item);
    release(held);
    held.item = { kind: 'left', from, to, why: 'hole', epoch, transaction: null };
  }

  /** What ends there, or before, is settled. Comes back with its bytes. */
  settle(source: number): number {
    const first = this.#sent.findIndex(({ item }) => item.to > source);
    if (first === 0) return 0;
    const settled = this.#sent.splice(0, first === -1 ? this.#sent.length : first);
    settled.forEach(release);
    return settled.reduce((sum, { prepared }) => sum + (prepared === null ? 0 : lengthOf(prepared.range)), 0);
  }

  /** What was sent from there on is to be sent again. `end`: where all that is held ends. false: what is held does not begin there. */
  takeBack(source: number, end: number): boolean {
    const back = this.#sent.filter(({ item }) => item.from >= source);
    const next = back[0] ?? this.#unsent[0];
    if ((next?.item.from ?? end) !== source) return false;
    for (const held of this.#sent) if (!back.includes(held)) release(held);
    this.#unsent = [...back, ...this.#unsent];
    this.unsentBytes += back.reduce((sum, { item }) => sum + bytesOf(item), 0);
    this.#sent = [];
    return true;
  }

  /** What ends there, or before, was not sent and never will be. */
  dropTo(source: number): void {
    while (this.first !== null && this.first.item.to <= source) this.drop();
  }

  clear(): void {
    this.#sent.forEach(release);
    this.#sent = [];
    this.clearUnsent();
  }

  clearUnsent(): void {
    this.#unsent.forEach(release);
    this.#unsent = [];
    this.unsentBytes = 0;
  }

  #shift(): Held | null {
    const first = this.#unsent.shift() ?? null;
    if (first !== null) this.unsentBytes -= bytesOf(first.item);
    return first;
  }
}

function release(held: Held): void {
  held.lease?.end();
  held.lease = null;
}

function bytesOf(item: Item): number {
  return item.kind === 'batch' ? item.end - item.at : 0;
}
