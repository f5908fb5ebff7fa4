import type { MovedPartition } from './moved-partition.ts';
import type { Cluster, Leader, MoverClock } from './ports.ts';

/** Who leads the partitions in one cluster, as it was told last. */
export class Leaders {
  readonly #cluster: Cluster;
  readonly #clock: MoverClock;
  readonly #topicOf: (partition: MovedPartition) => string;
  readonly #partitions: readonly MovedPartition[];
  #leaders: ReadonlyMap<string, readonly Leader[]> = new Map();
  #asking: Promise<void> | null = null;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(
    cluster: Cluster,
    clock: MoverClock,
    partitions: readonly MovedPartition[],
    topicOf: (partition: MovedPartition) => string,
  ) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#topicOf = topicOf;
    this.#partitions = partitions;
  }

  of(partition: MovedPartition): Leader | null {
    const leaders = this.#leaders.get(this.#topicOf(partition)) ?? [];
    return leaders.find((leader) => leader.partition === partition.plan.partition) ?? null;
  }

  get nodeIds(): ReadonlySet<number> {
    const leaders = this.#partitions.map((partition) => this.of(partition));
    return new Set(leaders.flatMap((leader) => (leader === null ? [] : [leader.nodeId])));
  }

  /** Asks the cluster now; whoever asks meanwhile gets the same answer, and not more often than `againMs`. */
  async refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    await this.#clock.sleep(Math.max(0, this.#askedMs + againMs - this.#clock.monotonic()));
    this.#askedMs = this.#clock.monotonic();
    const topics = [...new Set(this.#partitions.map(this.#topicOf))];
    this.#leaders = await this.#cluster.leaders(topics);
  }
}

const againMs = 100;
