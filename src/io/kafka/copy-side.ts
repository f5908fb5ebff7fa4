import type { TopicFacts } from '../../core/move/topic-facts.ts';
import { PortError } from '../../engine/ports.ts';
import { KafkaAdmin } from './admin/kafka-admin.ts';
import type { Isolation } from './messages/isolation.ts';
import { BrokerPool } from './reader/broker-pool.ts';
import { KafkaReader, type PartitionBounds } from './reader/kafka-reader.ts';
import { poolSettings, type ReaderOptions } from './reader/open-reader.ts';

/** What has to be known of a cluster before topics are copied from it or to it. Every method throws PortError, which names the side. */
export class CopySide extends KafkaAdmin {
  readonly notes: readonly string[];
  readonly #questions: BrokerPool;
  readonly #reader: KafkaReader;

  /** Nothing is connected yet. Throws a PortError that tells every problem of the file, and has no secret in it. */
  constructor(options: ReaderOptions) {
    const { settings, notes } = poolSettings(options, 'drover-copy');
    super(settings);
    this.notes = notes;
    this.#questions = new BrokerPool(settings);
    const mebibyte = 1024 * 1024;
    const limits = { fetchBytesMax: mebibyte, recordBytesMax: 256 * mebibyte, patienceMs: 60_000 };
    this.#reader = new KafkaReader(settings, limits);
  }

  async clusterId(): Promise<string> {
    const { clusterId } = await this.#questions.describe([]);
    if (clusterId !== null) return clusterId;
    const { side } = this.#questions.settings;
    const message = `the ${side} tells no cluster id, and without one nobody knows which cluster a ledger is about`;
    throw new PortError('refused', message, { retriable: false });
  }

  /** All partitions of these topics; `end` is the high watermark, or for `read_committed` the last stable offset. */
  bounds(
    topics: readonly TopicFacts[],
    isolation: Isolation = 'read_uncommitted',
  ): Promise<readonly PartitionBounds[]> {
    const wanted = topics.map(({ name, partitions }) => ({ name, partitions: [...Array(partitions).keys()] }));
    return this.#reader.bounds(wanted, isolation);
  }

  /** The first offsets that are not older than that, in the order of `bounds`. */
  offsetsAt(bounds: readonly PartitionBounds[], timeMs: number): Promise<readonly number[]> {
    return this.#reader.offsetsAt(bounds, timeMs);
  }

  override async close(): Promise<void> {
    await Promise.all([super.close(), this.#questions.close(), this.#reader.close()]);
  }
}
