import type { Codec } from '../../io/kafka/bytes/codecs.ts';
import type { PlainRecord } from '../../io/kafka/bytes/encode-batch.ts';
import type { Random } from '../random.ts';
import { bytesOf, type Made, markerBytes, messageBytes } from './feed-batches.ts';
import { History, type Past } from './history.ts';
import type { SimPartition } from './world/partition.ts';
import { bits, type Marker, type Stored, transactionOf } from './world/stored.ts';

export type FeedPlan = {
  readonly codecs: readonly Codec[];
  /** How old the records are when they are written. */
  readonly ageMs: number;
  readonly isTransactional: boolean;
  readonly hasAppendTime: boolean;
  /** The log begins with so many messages of before v2. */
  readonly legacyMessages: number;
  /** All records are the same, and all batches. */
  readonly isMonotonous: boolean;
  readonly recordsMax: number;
  readonly valueBytesMax: number;
};

/** The producers of one partition of the source, its cleaner and its retention; and the books of all of it. */
export class Feed {
  readonly partition: SimPartition;
  readonly history: History;
  readonly #plan: FeedPlan;
  readonly #random: Random;
  readonly #wallMs: () => number;
  readonly #made = new Map<Uint8Array, Made>();
  readonly #open = new Map<bigint, number>();
  #count = 0;

  constructor(partition: SimPartition, plan: FeedPlan, random: Random, wallMs: () => number) {
    this.partition = partition;
    [this.#plan, this.#random, this.#wallMs] = [plan, random, wallMs];
    this.history = new History(partition.plan.start);
    for (let left = plan.legacyMessages; left > 0; left -= 1) this.#appendMessage();
  }

  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** One batch, or the end of a transaction. Nothing where nobody leads. */
  append(): void {
    const { leader } = this.partition;
    if (leader === null || leader.leads === null) return;
    if (this.#open.size > 0 && this.#random.chance(0.3)) {
      this.end(this.#random.pick([...this.#open.keys()]));
      return;
    }
    const inTransaction = this.#plan.isTransactional && this.#random.chance(0.7);
    const producerId = inTransaction ? BigInt(this.#random.integer(1000, 1002)) : -1n;
    const made = this.#make(producerId, inTransaction);
    const stored = this.partition.append(leader, bytesOf(made));
    this.#made.set(stored.bytes, made);
    this.history.appended(stored, inTransaction ? 'open' : 'none', this.#wallMs());
    if (inTransaction && !this.#open.has(producerId)) this.#open.set(producerId, stored.base);
  }

  /** Of a transaction. */
  end(producerId: bigint, marker: Marker = this.#random.chance(0.4) ? 'abort' : 'commit'): void {
    const { leader } = this.partition;
    if (leader === null || leader.leads === null) return;
    const stored = this.partition.append(leader, markerBytes(producerId, marker, this.#timeMs()));
    const first = this.#open.get(producerId) ?? stored.base;
    this.#open.delete(producerId);
    this.history.marked(stored);
    this.#changeAll(producerId, first, stored.base, marker === 'abort' ? 'aborted' : 'committed');
  }

  endAll(): void {
    for (const producerId of this.#open.keys()) this.end(producerId);
  }

  /** Takes records out of what is committed and in no open transaction. */
  compact(): void {
    const { leader } = this.partition;
    if (leader === null) return;
    const upTo = leader.log.lastStable(leader.highWatermark);
    const changed = new Map<Stored, Stored | null>();
    for (const batch of leader.log.batches.slice(0, -1)) {
      const made = this.#made.get(batch.bytes);
      if (made === undefined || batch.last >= upTo || !this.#random.chance(0.4)) continue;
      changed.set(batch, this.#cleaned(batch, made));
    }
    this.partition.everywhere((log) =>
      log.replace((batch) => (changed.has(batch) ? (changed.get(batch) ?? null) : batch)),
    );
  }

  /** Deletes about a third of what is committed, in whole batches. */
  retain(): void {
    const { leader } = this.partition;
    if (leader === null) return;
    const committed = leader.log.batches.filter(({ last }) => last < leader.log.lastStable(leader.highWatermark));
    const border = committed[Math.floor(committed.length / 3)];
    if (border === undefined) return;
    for (let offset = leader.log.start; offset < border.base; offset += 1)
      this.history.change(offset, { isGone: true });
    this.partition.everywhere((log) => log.startAt(border.base));
  }

  /** Somebody else leads: what it does not have was never there. */
  elected(): void {
    const { leader } = this.partition;
    if (leader === null) return;
    this.history.rewrite(leader.log);
    this.#open.clear();
    for (const { producerId, first, end, isAborted } of leader.log.transactions()) {
      if (end === null) this.#open.set(producerId, first);
      const transaction = end === null ? 'open' : isAborted ? 'aborted' : 'committed';
      this.#changeAll(producerId, first, end ?? leader.log.end, transaction);
    }
  }

  #changeAll(producerId: bigint, from: number, to: number, transaction: Past['transaction']): void {
    for (const batch of this.partition.truth.log.batches)
      if (batch.base >= from && batch.base < to && transactionOf(batch)?.producerId === producerId)
        for (let offset = batch.base; offset <= batch.last; offset += 1) this.history.change(offset, { transaction });
  }

  #make(producerId: bigint, inTransaction: boolean): Made {
    const { codecs, recordsMax, hasAppendTime, isMonotonous } = this.#plan;
    const length = isMonotonous ? 3 : this.#random.integer(1, recordsMax);
    const baseMs = this.#timeMs();
    return {
      records: Array.from({ length }, (_, index) => this.#record(baseMs + index)),
      codec: this.#random.pick(codecs),
      producerId,
      sequence: producerId < 0n ? -1 : 0,
      bits: (inTransaction ? bits.transactional : 0) | (hasAppendTime ? bits.appendTime : 0),
      appendTimeMs: hasAppendTime ? this.#timeMs() : null,
    };
  }

  #record(timestamp: number): PlainRecord {
    if (this.#plan.isMonotonous) return { timestamp: 1, key: null, value: Uint8Array.from([7]), headers: [] };
    this.#count += 1;
    const { topic, number } = this.partition.plan;
    const padding = '.'.repeat(Math.floor(this.#random.unit() ** 4 * this.#plan.valueBytesMax));
    const value = Buffer.from(`${topic}-${number} record ${this.#count}${padding}`);
    const key = this.#random.chance(0.5) ? Buffer.from(`key ${this.#count % 7}`) : null;
    return { timestamp, key, value, headers: [] };
  }

  #appendMessage(): void {
    const { leader } = this.partition;
    if (leader === null) return;
    this.#count += 1;
    const bytes = messageBytes(leader.log.end, this.#timeMs(), Buffer.from(`message ${this.#count}`));
    this.history.appended(this.partition.append(leader, bytes), 'none', this.#wallMs());
  }

  /** null: nothing of it is left. Now and then a header is left of what has no records. */
  #cleaned(batch: Stored, made: Made): Stored | null {
    const isWhole = this.#random.chance(0.2);
    const records = made.records.map((record) => (isWhole || this.#random.chance(0.4) ? null : record));
    for (const [index, record] of records.entries())
      if (record === null) this.history.change(batch.base + index, { isGone: true });
    if (records.every((record) => record === null) && this.#random.chance(0.5)) return null;
    const left = { ...made, records };
    const bytes = Uint8Array.from(bytesOf(left));
    bytes.set(batch.bytes.subarray(0, 8));
    bytes.set(batch.bytes.subarray(12, 16), 12);
    this.#made.set(bytes, left);
    return { ...batch, bytes };
  }

  #timeMs(): number {
    return Math.floor(this.#wallMs() - this.#plan.ageMs);
  }
}
