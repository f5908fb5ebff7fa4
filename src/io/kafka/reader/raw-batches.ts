import type { Seen } from '../../../core/move/alignment.ts';
import type { ProofBatch } from '../../../core/move/proof/read-back.ts';
import {
  baseOffset,
  batchEnd,
  batchesIn,
  crcIsRight,
  hasAppendTime,
  isControl,
  lastOffset,
  magicOf,
  producerId,
  recordCount,
  recordsCrcOf,
} from '../bytes/batch.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { recordContents } from '../bytes/rebuild.ts';
import type { BrokerPool } from './broker-pool.ts';
import { type Fetched, PartitionFetch, type Wanted } from './partition-fetch.ts';
import type { RecordLimits } from './partition-records.ts';

export type RawPiece = {
  /** Nothing of a batch is decompressed unless somebody asks for its records; where its bytes make no sense that throws. */
  readonly batches: readonly (ProofBatch & { readonly contents: () => readonly Seen[] })[];
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
  readonly #wanted: Wanted;
  readonly #partition: PartitionFetch<RawPiece['batches']>;
  #next: number;
  #ahead: Promise<Fetched<RawPiece['batches']>> | null = null;

  /** `ours`: the producer id that only this copy of this partition has. */
  constructor(pool: BrokerPool, wanted: Omit<Wanted, 'isolation'>, ours: bigint, limits: RecordLimits) {
    this.#wanted = { ...wanted, isolation: 'read_uncommitted' };
    this.#next = wanted.from;
    const { topic, partition, to } = wanted;
    this.#partition = new PartitionFetch(pool, this.#wanted, limits, ({ bytes, from, to: end }, next) => {
      const found = batchesIn(bytes, from, end).at.flatMap((at) => {
        const batch = factsOf(bytes, at, ours);
        if (batch.base + batch.count <= next || batch.base >= to) return [];
        const contents = () =>
          this.#contentsOf(bytes, at, `${topic}-${partition}, batch at offset ${batch.base}`, limits);
        return [{ ...batch, contents }];
      });
      const last = found.at(-1);
      return { taken: found, next: last === undefined ? next : last.base + last.count };
    });
  }

  /** Null: the end. */
  async next(): Promise<RawPiece | null> {
    if (this.#next >= this.#wanted.to) return null;
    const { taken, next, bytes, goneTo } = await (this.#ahead ?? this.#partition.fetch(this.#next));
    this.#next = next;
    this.#ahead = null;
    if (next < this.#wanted.to) {
      this.#ahead = this.#partition.fetch(next);
      // Whoever takes it gets its error; until then nobody has to.
      this.#ahead.catch(() => undefined);
    }
    return { batches: taken ?? [], next, bytes, goneTo };
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

function factsOf(bytes: Uint8Array, at: number, ours: bigint): ProofBatch {
  const size = batchEnd(bytes, at) - at;
  const base = baseOffset(bytes, at);
  if (magicOf(bytes, at) < 2) {
    const told = { base, count: 1, records: 1, checksum: 0, producer: null, isOurs: false };
    return { ...told, isIntact: true, hasAppendTime: false, bytes: size };
  }
  const id = producerId(bytes, at);
  return {
    base,
    count: lastOffset(bytes, at) - base + 1,
    records: recordCount(bytes, at),
    checksum: recordsCrcOf(bytes, at),
    producer: id.toString(),
    isOurs: id === ours && !isControl(bytes, at),
    isIntact: crcIsRight(bytes, at),
    hasAppendTime: hasAppendTime(bytes, at),
    bytes: size,
  };
}
