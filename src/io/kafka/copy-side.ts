import type { Settings, TopicFacts } from '../../core/move/topic-facts.ts';
import type { Reading } from '../../core/observed/reading.ts';
import { PortError } from '../../engine/ports.ts';
import { KafkaAdmin } from './admin/kafka-admin.ts';
import { BrokerPool } from './reader/broker-pool.ts';
import { KafkaReader, type PartitionBounds } from './reader/kafka-reader.ts';
import { poolSettings, type ReaderOptions } from './reader/open-reader.ts';

/** What has to be known of a cluster before topics are copied from it or to it. Every method throws PortError, which names the side. */
export class CopySide {
  readonly notes: readonly string[];
  readonly #pool: BrokerPool;
  readonly #reader: KafkaReader;
  readonly #admin: KafkaAdmin;

  /** Nothing is connected yet. Throws a PortError that tells every problem of the file, and has no secret in it. */
  constructor(options: ReaderOptions) {
    const { settings, notes } = poolSettings(options, 'drover-copy');
    this.notes = notes;
    this.#pool = new BrokerPool(settings);
    this.#admin = new KafkaAdmin(settings);
    const mebibyte = 1024 * 1024;
    const limits = { fetchBytesMax: mebibyte, recordBytesMax: 256 * mebibyte, patienceMs: 60_000 };
    this.#reader = new KafkaReader(settings, limits);
  }

  async clusterId(): Promise<string> {
    const { clusterId } = await this.#pool.describe([]);
    if (clusterId !== null) return clusterId;
    const { side } = this.#pool.settings;
    const message = `the ${side} tells no cluster id, and without one nobody knows which cluster a ledger is about`;
    throw new PortError('refused', message, { retriable: false });
  }

  /** Those of these names that are there; null: all that may be seen and are not Kafka's own. */
  topics(names: readonly string[] | null): Promise<readonly TopicFacts[]> {
    return this.#admin.topics(names);
  }

  /** What a topic of this name would have that is made without settings. */
  newTopicSettings(topic: string): Promise<Reading<Settings>> {
    return this.#admin.newTopicSettings(topic);
  }

  /** All partitions of these topics, to their high watermarks. */
  bounds(topics: readonly TopicFacts[]): Promise<readonly PartitionBounds[]> {
    const wanted = topics.map(({ name, partitions }) => ({ name, partitions: [...Array(partitions).keys()] }));
    return this.#reader.bounds(wanted, 'read_uncommitted');
  }

  /** The first offsets that are not older than that, in the order of `bounds`. */
  offsetsAt(bounds: readonly PartitionBounds[], timeMs: number): Promise<readonly number[]> {
    return this.#reader.offsetsAt(bounds, timeMs);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#reader.close(), this.#admin.close()]);
  }
}
