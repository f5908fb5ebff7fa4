import { PortError } from '../../engine/ports.ts';
import { type BrokerConnection, type ConnectionSettings, connectBroker } from './connection.ts';
import { type MetadataResponse, metadata } from './messages/metadata.ts';

export type Address = { readonly host: string; readonly port: number };

export type FinderSettings = Omit<ConnectionSettings, 'host' | 'port'> & {
  /** `source` or `target`: whose it is, for messages. */
  readonly side: string;
  /** Asked in turns until one answers. */
  readonly bootstrap: readonly Address[];
};

/** The brokers of a cluster, found through some of its addresses. Every method throws PortError, which names the side. */
export class BrokerFinder {
  readonly settings: FinderSettings;
  readonly #closing = new AbortController();
  #asking: BrokerConnection | null = null;
  #looking: Promise<BrokerConnection> | null = null;
  #addresses: ReadonlyMap<number, Address> = new Map();

  constructor(settings: FinderSettings) {
    this.settings = settings;
  }

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Brokers, and the topics named; null: all. Never makes a topic. */
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

  /** The one that answers questions about the cluster. Whoever asks while it is looked for gets the same, so that none is left open. */
  async anyBroker(): Promise<BrokerConnection> {
    if (this.#asking !== null && !this.#asking.ended) return this.#asking;
    this.#looking ??= this.#firstThatAnswers().finally(() => {
      this.#looking = null;
    });
    return await this.#looking;
  }

  /** A connection of its own to a broker, where its listener is advertised. */
  async connect(nodeId: number): Promise<BrokerConnection> {
    const { side } = this.settings;
    if (!this.#addresses.has(nodeId)) await this.describe([]);
    const address = this.#addresses.get(nodeId);
    if (address === undefined)
      throw new PortError('not-found', `broker ${nodeId} of the ${side} is not in its metadata`, { retriable: true });
    try {
      return await connectBroker({ ...this.settings, ...address }, this.signal);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      const message = `broker ${nodeId} of the ${side} cannot be reached where its listener is advertised: ${error.message}`;
      throw new PortError(error.code, message, { retriable: error.retriable, cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking?.catch(() => undefined);
    await this.#asking?.close();
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
}

function saslRemedy(side: string): string {
  return `If this listener expects SASL: --${side}-config FILE says with what`;
}
