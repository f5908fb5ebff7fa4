import { batchesIn, lastOffset } from '../../src/io/kafka/bytes/batch.ts';
import type { BrokerConnection } from '../../src/io/kafka/connection.ts';
import { errorName, noError } from '../../src/io/kafka/messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../../src/io/kafka/messages/fetch.ts';
import { brokerAt } from './client.ts';

/** A consumer that notes when it got each record, by this process's clock. */
export class Tail {
  /** By partition and offset, milliseconds. */
  readonly arrivals: number[][];
  readonly #topic: string;
  readonly #broker: BrokerConnection;
  readonly #ended: Promise<void>;
  #isOver = false;

  private constructor(broker: BrokerConnection, topic: string, partitions: number) {
    this.#topic = topic;
    this.#broker = broker;
    this.arrivals = Array.from({ length: partitions }, () => []);
    this.#ended = this.#follow();
    // Whoever closes it gets to know.
    this.#ended.catch(() => undefined);
  }

  static async open(bootstrap: string, topic: string, partitions: number): Promise<Tail> {
    return new Tail(await brokerAt(bootstrap), topic, partitions);
  }

  get records(): number {
    return this.arrivals.reduce((sum, { length }) => sum + length, 0);
  }

  /** Rejects where it could not read on. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#ended.finally(() => this.#broker.close());
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const partitions = this.arrivals.map(({ length }, partition) => ({
        partition,
        currentLeaderEpoch: null,
        offset: length,
        lastFetchedEpoch: null,
        logStartOffset: null,
        bytesMax: 1024 * 1024,
      }));
      const response = await this.#broker.call(fetchApi, {
        ...wholeFetch,
        maxWaitMs: 200,
        bytesMin: 1,
        bytesMax: 16 * 1024 * 1024,
        isolation: 'read_uncommitted',
        topics: [{ topic: this.#topic, partitions }],
      });
      const nowMs = performance.now();
      for (const { partition, errorCode, records } of response.topics[0]?.partitions ?? []) {
        if (errorCode !== noError) throw new Error(`${this.#topic}-${partition}: ${errorName(errorCode)}`);
        if (records === null) continue;
        const arrivals = this.arrivals[partition] ?? [];
        for (const at of batchesIn(records.bytes, records.from, records.to).at)
          while (arrivals.length <= lastOffset(records.bytes, at)) arrivals.push(nowMs);
      }
    }
  }
}
