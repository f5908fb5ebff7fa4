import { type BrokerConnection, type ConnectionSettings, connectBroker } from './connection.ts';
import { type MetadataResponse, metadata, type TopicMetadata } from './messages/metadata.ts';
import type { Cluster, Leader } from './mover/ports.ts';

export type Address = { readonly host: string; readonly port: number };

export type ClusterSettings = Omit<ConnectionSettings, 'host' | 'port'> & {
  /** Asked in turns until one answers; only where nothing else is known. */
  readonly bootstrap: readonly Address[];
};

/** A cluster of Kafka brokers, found through some of its addresses. */
export class KafkaCluster implements Cluster {
  readonly #settings: ClusterSettings;
  readonly #closing = new AbortController();
  #asking: BrokerConnection | null = null;
  #addresses: ReadonlyMap<number, Address> = new Map();

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
  }

  async connect(nodeId: number): Promise<BrokerConnection> {
    if (!this.#addresses.has(nodeId)) await this.describe([]);
    const address = this.#addresses.get(nodeId);
    if (address === undefined) throw new Error(`broker ${nodeId} is not in the cluster's metadata`);
    return await this.#open(address);
  }

  async leaders(topics: readonly string[]): Promise<ReadonlyMap<string, readonly Leader[]>> {
    const response = await this.describe(topics);
    return new Map(response.topics.map((topic) => [topic.name, leadersOf(topic)]));
  }

  /** Brokers, and the topics named; null: all. Never makes a topic. */
  async describe(topics: readonly string[] | null): Promise<MetadataResponse> {
    const broker = await this.#anyBroker();
    const response = await broker.call(metadata, {
      topics,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    this.#addresses = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    return response;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#asking?.close();
  }

  async #anyBroker(): Promise<BrokerConnection> {
    if (this.#asking !== null && !this.#asking.ended) return this.#asking;
    const failures: string[] = [];
    for (const address of [...this.#addresses.values(), ...this.#settings.bootstrap]) {
      try {
        this.#asking = await this.#open(address);
        return this.#asking;
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new Error(`no broker of the cluster can be reached: ${failures.join('; ')}`);
  }

  async #open(address: Address): Promise<BrokerConnection> {
    return await connectBroker({ ...this.#settings, ...address }, this.#closing.signal);
  }
}

function leadersOf({ topicId, partitions }: TopicMetadata): Leader[] {
  return partitions.flatMap(({ partition, leaderId, leaderEpoch, replicas, inSyncReplicas }) =>
    leaderId === null
      ? []
      : [{ topicId, partition, nodeId: leaderId, epoch: leaderEpoch, replicas, inSync: inSyncReplicas }],
  );
}
