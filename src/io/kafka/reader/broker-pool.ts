import { PortError } from '../../../engine/ports.ts';
import { BrokerFinder } from '../broker-finder.ts';
import type { BrokerConnection } from '../connection.ts';
import type { TopicMetadata } from '../messages/metadata.ts';

/** One connection to each broker of a cluster, made when it is needed and made anew after it has ended. */
export class BrokerPool extends BrokerFinder {
  readonly #connections = new Map<number, Promise<BrokerConnection>>();

  async leader(topic: string, partition: number): Promise<number | null> {
    const { topics } = await this.describe([topic]);
    return leaderIn(topics, topic, partition);
  }

  async broker(nodeId: number): Promise<BrokerConnection> {
    const known = this.#connections.get(nodeId);
    if (known !== undefined) {
      const connection = await known;
      if (!connection.ended) return connection;
    }
    if (this.#connections.get(nodeId) === known) this.#connections.set(nodeId, this.#open(nodeId));
    return await (this.#connections.get(nodeId) ?? this.#open(nodeId));
  }

  /**
   * Who is asked for changes of the cluster. With KRaft metadata names any broker, and any of them passes a request on: where the
   * one that is named cannot be reached, another one is asked, which at worst answers that it is not the controller.
   */
  async controller(): Promise<BrokerConnection> {
    const { controllerId } = await this.describe([]);
    if (controllerId === null) return await this.anyBroker();
    try {
      return await this.broker(controllerId);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      return await this.anyBroker();
    }
  }

  override async close(): Promise<void> {
    const closing = super.close();
    const open = await Promise.allSettled(this.#connections.values());
    await Promise.all([closing, ...open.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : []))]);
  }

  async #open(nodeId: number): Promise<BrokerConnection> {
    try {
      return await this.connect(nodeId);
    } catch (error) {
      this.#connections.delete(nodeId);
      throw error;
    }
  }
}

export function leaderIn(topics: readonly TopicMetadata[], topic: string, partition: number): number | null {
  const found = topics.find(({ name }) => name === topic)?.partitions.find((one) => one.partition === partition);
  return found?.leaderId ?? null;
}
