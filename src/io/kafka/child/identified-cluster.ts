import type { Broker, Cluster, Leader } from '../mover/ports.ts';

/** Told of a topic that has the name of the one that is meant, and is another one. */
export type OnStranger = (topic: string, topicId: string) => void;

/**
 * A cluster in which only those topics have leaders that are meant: one that was deleted and made anew under its name has another id, and
 * nothing is fetched from it or sent to it.
 */
export class IdentifiedCluster implements Cluster {
  readonly #cluster: Cluster;
  /** By name. A broker that has no ids has the names in their place, and tells none. */
  readonly #ids: ReadonlyMap<string, string>;
  readonly #onStranger: OnStranger;
  readonly #counts = new Map<string, number>();

  constructor(cluster: Cluster, ids: ReadonlyMap<string, string>, onStranger: OnStranger) {
    this.#cluster = cluster;
    this.#ids = ids;
    this.#onStranger = onStranger;
  }

  /** How many partitions each topic has, as far as they have had leaders. */
  get partitions(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  async connect(nodeId: number): Promise<Broker> {
    return await this.#cluster.connect(nodeId);
  }

  async leaders(topics: readonly string[]): Promise<ReadonlyMap<string, readonly Leader[]>> {
    const found = await this.#cluster.leaders(topics);
    return new Map([...found].map(([topic, leaders]) => [topic, this.#meant(topic, leaders)]));
  }

  #meant(topic: string, leaders: readonly Leader[]): readonly Leader[] {
    const stranger = leaders.find(({ topicId }) => topicId !== null && topicId !== this.#ids.get(topic));
    const count = Math.max(this.#counts.get(topic) ?? 0, ...leaders.map(({ partition }) => partition + 1));
    if (stranger === undefined) this.#counts.set(topic, count);
    if (stranger === undefined) return leaders;
    this.#onStranger(topic, stranger.topicId ?? '');
    return [];
  }
}
