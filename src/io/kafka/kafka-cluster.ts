import { BrokerFinder } from './broker-finder.ts';
import type { TopicMetadata } from './messages/metadata.ts';
import type { Cluster, Leader } from './mover/ports.ts';

/** A cluster as the mover has it: as many connections to each broker as it wants, and who leads now. */
export class KafkaCluster extends BrokerFinder implements Cluster {
  async leaders(topics: readonly string[]): Promise<ReadonlyMap<string, readonly Leader[]>> {
    const response = await this.describe(topics);
    return new Map(response.topics.map((topic) => [topic.name, leadersOf(topic)]));
  }
}

function leadersOf({ topicId, partitions }: TopicMetadata): Leader[] {
  return partitions.flatMap(({ partition, leaderId, leaderEpoch, replicas, inSyncReplicas }) =>
    leaderId === null
      ? []
      : [{ topicId, partition, nodeId: leaderId, epoch: leaderEpoch, replicas, inSync: inSyncReplicas }],
  );
}
