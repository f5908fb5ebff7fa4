import { PortError } from '../../../engine/ports.ts';
import { type BrokerConnection, type ConnectionSettings, connectBroker } from '../connection.ts';
import { type MetadataResponse, metadata, type TopicMetadata } from '../messages/metadata.ts';

export type Address = { readonly host: string; readonly port: number };

export type PoolSettings = Omit<ConnectionSettings, 'host' | 'port'> & {
  /** `source` or `target`: whose it is, for messages. */
  readonly side: string;
  readonly bootstrap: readonly Address[];
};

/** One connection to each broker of a cluster, made when it is needed and made anew after it has ended. */
export class BrokerPool {
  readonly settings: PoolSettings;
  readonly #closing = new AbortController();
  readonly #connections = new Map<number, Promise<BrokerConnection>>();
  #asking: BrokerConnection | null = null;
  #looking: Promise<BrokerConnection> | null = null;
  #addresses: ReadonlyMap<number, Address> = new Map();

  constructor(settings: PoolSettings) {
    this.settings = settings;
  }

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Brokers, and the topics named; null: all. Never makes a topic. Throws PortError. */
  async describe(topics: readonly string[] | null): Promise<MetadataResponse> {
    const broker = await this.anyBroker();
    const question = {
      topics,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    };
    try {
      const response = await broker.call(metadata, question);
      this.#addresses = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
      return response;
    } catch (error) {
      if (!(error instanceof PortError) || this.settings.sasl !== null || !error.message.includes('closed'))
        throw error;
      // Without SASL a listener that expects it answers what it speaks, and closes at the next question.
      const message = `${this.settings.side}: ${error.message}. ${saslRemedy(this.settings.side)}`;
      throw new PortError('denied', message, { retriable: error.retriable, cause: error });
    }
  }

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

  /** The one that answers questions about the cluster. Whoever asks while it is looked for gets the same, so that none is left open. */
  async anyBroker(): Promise<BrokerConnection> {
    if (this.#asking !== null && !this.#asking.ended) return this.#asking;
    this.#looking ??= this.#firstThatAnswers().finally(() => {
      this.#looking = null;
    });
    return await this.#looking;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking?.catch(() => undefined);
    const open = await Promise.allSettled(this.#connections.values());
    const closing = open.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : []));
    await Promise.all([...closing, this.#asking?.close()]);
  }

  async #firstThatAnswers(): Promise<BrokerConnection> {
    const { side, bootstrap } = this.settings;
    const failures: PortError[] = [];
    const addresses = [...bootstrap, ...this.#addresses.values()];
    const seen = new Set<string>();
    for (const address of addresses) {
      const name = `${address.host}:${address.port}`;
      if (seen.has(name)) continue;
      seen.add(name);
      try {
        this.#asking = await connectBroker({ ...this.settings, ...address }, this.signal);
        return this.#asking;
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        failures.push(error);
      }
    }
    const told = failures.map(({ message }) => message).join('; ');
    throw new PortError(failures[0]?.code ?? 'unreachable', `the ${side} cannot be reached: ${told}`, {
      retriable: failures.some(({ retriable }) => retriable),
    });
  }

  async #open(nodeId: number): Promise<BrokerConnection> {
    const { side } = this.settings;
    const opening = (async () => {
      const address = this.#addresses.get(nodeId);
      if (address === undefined)
        throw new PortError('not-found', `broker ${nodeId} of the ${side} is not in its metadata`, { retriable: true });
      return await connectBroker({ ...this.settings, ...address }, this.signal);
    })();
    try {
      return await opening;
    } catch (error) {
      this.#connections.delete(nodeId);
      if (!(error instanceof PortError) || error.code === 'not-found') throw error;
      const message = `broker ${nodeId} of the ${side} cannot be reached where its listener is advertised: ${error.message}`;
      throw new PortError(error.code, message, { retriable: error.retriable, cause: error });
    }
  }
}

export function leaderIn(topics: readonly TopicMetadata[], topic: string, partition: number): number | null {
  const found = topics.find(({ name }) => name === topic)?.partitions.find((one) => one.partition === partition);
  return found?.leaderId ?? null;
}

function saslRemedy(side: string): string {
  return `If this listener expects SASL: --${side}-config FILE says with what`;
}
