import { fetchKcat } from '../../../../scripts/fetch/kcat.ts';
import { run } from './running.ts';

/** What a broker answers about the cluster, as kcat tells it. */
export type Metadata = { readonly brokers: readonly number[]; readonly partitions: readonly PartitionState[] };

export type PartitionState = {
  readonly topic: string;
  readonly partition: number;
  /** -1: none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
};

export async function readMetadata(
  bootstrap: string,
  environment: Readonly<Record<string, string>>,
): Promise<Metadata> {
  const args = ['-L', '-J', '-m', '4', '-b', bootstrap];
  const { stdout } = await run({ name: 'kcat', path: await fetchKcat(), args, environment }, { timeLimitMs: 10_000 });
  const answer: Answer = JSON.parse(stdout);
  return {
    brokers: answer.brokers.map(({ id }) => id),
    partitions: answer.topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, leader, replicas, isrs }) => ({
        topic,
        partition,
        leader,
        replicas: replicas.map(({ id }) => id),
        inSync: isrs.map(({ id }) => id),
      })),
    ),
  };
}

/** Whether these brokers are there, and follow all that they have replicas of. */
export function isWhole({ brokers, partitions }: Metadata, running: readonly number[]): boolean {
  const follows = ({ leader, replicas, inSync }: PartitionState) =>
    leader !== -1 && running.every((id) => !replicas.includes(id) || inSync.includes(id));
  return running.every((id) => brokers.includes(id)) && partitions.every(follows);
}

type Answer = {
  readonly brokers: readonly { readonly id: number }[];
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly leader: number;
      readonly replicas: readonly { readonly id: number }[];
      readonly isrs: readonly { readonly id: number }[];
    }[];
  }[];
};
