import { producerIdOf } from './child/ledger-place.ts';
import { CopySide } from './copy-side.ts';
import type { LedgerKey } from './ledger/segment.ts';
import { BrokerPool } from './reader/broker-pool.ts';
import { poolSettings, type ReaderOptions } from './reader/open-reader.ts';
import { Pace } from './reader/pace.ts';
import type { Wanted } from './reader/partition-fetch.ts';
import { PartitionRecords } from './reader/partition-records.ts';
import { RawBatches } from './reader/raw-batches.ts';
import { SourceBatches } from './reader/source-batches.ts';

export type ProofReach = ReaderOptions & {
  /** Bytes per second of each broker; null: as fast as they answer. */
  readonly rate: number | null;
};

type Range = Omit<Wanted, 'isolation'>;

/** A cluster that is read to prove a copy: what it is and has, and its batches as they lie there. Writes nothing. */
export class ProofSide extends CopySide {
  readonly #pool: BrokerPool;
  readonly #limits: ConstructorParameters<typeof PartitionRecords>[2];

  /** Nothing is connected yet. Throws a PortError that tells every problem of the file, and has no secret in it. */
  constructor({ rate, ...options }: ProofReach) {
    super(options);
    this.#pool = new BrokerPool(poolSettings(options, 'drover-prove').settings);
    const fetchBytesMax = rate === null ? 4 * mebibyte : Math.min(4 * mebibyte, Math.max(mebibyte / 16, rate / 4));
    const limits = { fetchBytesMax: Math.round(fetchBytesMax), recordBytesMax: 256 * mebibyte, patienceMs: 60_000 };
    this.#limits = rate === null ? limits : { ...limits, pace: new Pace(rate, () => performance.now()) };
  }

  /** Raw, and which of them are of the copy of this partition by their producer id. */
  batches(range: Range, key: LedgerKey): RawBatches {
    return new RawBatches(this.#pool, range, producerIdOf(key), this.#limits);
  }

  /** As a copy would take them. `range.to`: not behind the last stable offset. */
  items(range: Range): SourceBatches {
    return new SourceBatches(this.#pool, range, this.#limits);
  }

  /** Records of all transactions, whatever became of them. */
  records(range: Range): PartitionRecords {
    return new PartitionRecords(this.#pool, { ...range, isolation: 'read_uncommitted' }, this.#limits);
  }

  override async close(): Promise<void> {
    await Promise.all([super.close(), this.#pool.close()]);
  }
}

const mebibyte = 1024 * 1024;
