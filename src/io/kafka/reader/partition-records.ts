import { batchEnd, hasAppendTime, magicOf } from '../bytes/batch.ts';
import { legacyContents } from '../bytes/legacy.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { recordContents } from '../bytes/rebuild.ts';
import type { RecordContent } from '../bytes/records.ts';
import type { BrokerPool } from './broker-pool.ts';
import { type Fetched, type FetchLimits, PartitionFetch, type Wanted } from './partition-fetch.ts';
import { type BatchItem, itemsOf } from './source-items.ts';

/** Records one after the other, as many as came together; without any where offsets hold none. */
export type Piece = {
  readonly records: readonly RecordContent[];
  /** Everything before it is accounted for. */
  readonly next: number;
  /** As they came over the network. */
  readonly bytes: number;
  /** Whether times are those of the append; null: no records, or messages of before it could be told. */
  readonly hasAppendTime: boolean | null;
  /** Offsets that were deleted while they were read. */
  readonly goneTo: number | null;
};

export type RecordLimits = FetchLimits & {
  /** What a batch may become when it is decompressed. */
  readonly recordBytesMax: number;
};

type Batches = Fetched<BatchItem[]>;

/**
 * The records of one partition, in order, up to an end that was known before. One fetch is ahead of what was taken, so that
 * memory holds two answers at most. Lost connections and changes of leaders are got over; throws PortError.
 */
export class PartitionRecords {
  readonly #wanted: Wanted;
  readonly #limits: RecordLimits;
  readonly #partition: PartitionFetch<BatchItem[]>;
  #ahead: Promise<Batches> | null = null;
  #here: BatchItem[] = [];
  #fetched: Omit<Batches, 'taken'>;

  constructor(pool: BrokerPool, wanted: Wanted, limits: RecordLimits) {
    this.#wanted = wanted;
    this.#limits = limits;
    this.#partition = new PartitionFetch(pool, wanted, limits, (records, from, aborted) => {
      const items = itemsOf(records, { from, to: wanted.to }, aborted);
      const batches = items.flatMap((item) => (item.kind === 'batch' ? [item] : []));
      return { taken: batches, next: items.at(-1)?.to ?? from };
    });
    this.#fetched = { next: wanted.from, bytes: 0, goneTo: null };
  }

  /** Null: the end. */
  async next(): Promise<Piece | null> {
    const item = this.#here.shift();
    if (item !== undefined) return this.#pieceOf(item);
    if (this.#fetched.next >= this.#wanted.to) return null;
    const { taken, ...fetched } = await (this.#ahead ?? this.#partition.fetch(this.#fetched.next));
    this.#ahead = null;
    this.#fetched = fetched;
    this.#here = taken ?? [];
    if (fetched.next < this.#wanted.to) this.#fetchAhead();
    const { bytes, goneTo } = fetched;
    const next = this.#here[0]?.from ?? fetched.next;
    return { records: [], next, bytes, hasAppendTime: null, goneTo };
  }

  #fetchAhead(): void {
    this.#ahead = this.#partition.fetch(this.#fetched.next);
    // Whoever takes it gets its error; until then nobody has to.
    this.#ahead.catch(() => undefined);
  }

  #pieceOf(item: BatchItem): Piece {
    const { from, to, bytes, at, form } = item;
    const { topic, partition } = this.#wanted;
    try {
      const contents =
        form === 'legacy' ? messagesOf(item, this.#limits) : recordContents(bytes, at, this.#limits.recordBytesMax);
      const records = contents.filter(({ offset }) => offset >= from && offset < to);
      const isOfAppend = form === 'legacy' ? null : hasAppendTime(bytes, at);
      const next = this.#here[0]?.from ?? this.#fetched.next;
      return { records, next, bytes: 0, hasAppendTime: isOfAppend, goneTo: null };
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw this.#partition.malformed(error, `${topic}-${partition}, batch at offset ${from}`);
    }
  }
}

function messagesOf({ bytes, at, end }: BatchItem, { recordBytesMax }: RecordLimits): RecordContent[] {
  const contents: RecordContent[] = [];
  for (let place = at; place < end && magicOf(bytes, place) < 2; place = batchEnd(bytes, place))
    contents.push(...legacyContents(bytes, place, recordBytesMax));
  return contents;
}
