import type { SourceItem } from '../../../core/move/adoption.ts';
import { adoptionItemsIn } from '../mover/adoption-items.ts';
import type { BrokerPool } from './broker-pool.ts';
import { FetchAhead } from './fetch-ahead.ts';
import { PartitionFetch, type Wanted } from './partition-fetch.ts';
import type { RecordLimits } from './partition-records.ts';

export type SourcePiece = {
  readonly items: readonly SourceItem[];
  /** Everything before it has come. */
  readonly next: number;
  /** As they came over the network. */
  readonly bytes: number;
  /** Not null: up to there it was deleted while it was read. */
  readonly goneTo: number | null;
};

/**
 * One partition as a copy would take it, up to an end that was known before and is not behind the last stable offset. Throws
 * PortError.
 */
export class SourceBatches {
  readonly #fetched: FetchAhead<SourceItem[]>;

  constructor(pool: BrokerPool, wanted: Omit<Wanted, 'isolation'>, limits: RecordLimits) {
    const { from, to } = wanted;
    const committed: Wanted = { ...wanted, isolation: 'read_committed' };
    const partition = new PartitionFetch<SourceItem[]>(pool, committed, limits, (records, at, aborted) => {
      const taken = adoptionItemsIn(records, { from: at, to }, aborted, limits.recordBytesMax);
      return { taken, next: taken.at(-1)?.to ?? at };
    });
    this.#fetched = new FetchAhead(partition, from, to);
  }

  /** Null: the end. */
  async next(): Promise<SourcePiece | null> {
    const fetched = await this.#fetched.next();
    if (fetched === null) return null;
    const { taken, ...rest } = fetched;
    return { items: taken ?? [], ...rest };
  }
}
