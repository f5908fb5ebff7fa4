import type { Seen } from '../../../core/move/alignment.ts';
import { batchesIn } from '../bytes/batch.ts';
import { type BatchFacts, batchFacts } from '../bytes/batch-facts.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { recordContents } from '../bytes/rebuild.ts';
import type { BrokerPool } from './broker-pool.ts';
import { FetchAhead } from './fetch-ahead.ts';
import { PartitionFetch, type Wanted } from './partition-fetch.ts';
import type { RecordLimits } from './partition-records.ts';

export type RawPiece = {
  /** Nothing of a batch is decompressed unless somebody asks for its records; where its bytes make no sense that throws. */
  readonly batches: readonly (BatchFacts & { readonly contents: () => readonly Seen[] })[];
  /** Everything before it has come. */
  readonly next: number;
  /** As they came over the network. */
  readonly bytes: number;
  /** Not null: up to there it was deleted while it was read. */
  readonly goneTo: number | null;
};

/**
 * All batches of one partition as they lie on the leader's disk, markers and open transactions too, up to an end that was known before. The
 * checksum of each is computed anew over its bytes. One fetch is ahead of what was taken. Throws PortError.
 */
export class RawBatches {
  readonly #partition: PartitionFetch<RawPiece['batches']>;
  readonly #fetched: FetchAhead<RawPiece['batches']>;

  /** `ours`: the producer id that only this copy of this partition has. */
  constructor(pool: BrokerPool, wanted: Omit<Wanted, 'isolation'>, ours: bigint, limits: RecordLimits) {
    const { topic, partition, from: first, to } = wanted;
    const raw: Wanted = { ...wanted, isolation: 'read_uncommitted' };
    this.#partition = new PartitionFetch(pool, raw, limits, ({ bytes, from, to: end }, next) => {
      const found = batchesIn(bytes, from, end).at.flatMap((at) => {
        const batch = batchFacts(bytes, at, ours);
        if (batch.base + batch.count <= next || batch.base >= to) return [];
        const contents = () =>
          this.#contentsOf(bytes, at, `${topic}-${partition}, batch at offset ${batch.base}`, limits);
        return [{ ...batch, contents }];
      });
      const last = found.at(-1);
      return { taken: found, next: last === undefined ? next : last.base + last.count };
    });
    this.#fetched = new FetchAhead(this.#partition, first, to);
  }

  /** Null: the end. */
  async next(): Promise<RawPiece | null> {
    const fetched = await this.#fetched.next();
    if (fetched === null) return null;
    const { taken, ...rest } = fetched;
    return { batches: taken ?? [], ...rest };
  }

  #contentsOf(bytes: Uint8Array, at: number, where: string, { recordBytesMax }: RecordLimits): readonly Seen[] {
    try {
      return recordContents(bytes, at, recordBytesMax);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw this.#partition.malformed(error, where);
    }
  }
}
