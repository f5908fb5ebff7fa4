import { expect, test } from 'vitest';
import { IdentifiedCluster } from '../../../src/io/kafka/child/identified-cluster.ts';
import type { Cluster, Leader } from '../../../src/io/kafka/mover/ports.ts';

test('a topic that was made anew has no leader, and is told; others are not touched, nor those of a broker without ids', async () => {
  const told: string[] = [];
  const meant = new Map([
    ['kept', 'id-1'],
    ['anew', 'id-2'],
    ['old', 'old'],
  ]);
  const found = { kept: [leader('id-1')], anew: [leader('id-9')], old: [leader(null)], leaderless: [] };
  const cluster: Cluster = {
    connect: () => Promise.reject(new Error('nobody connects here')),
    leaders: async () => new Map<string, readonly Leader[]>(Object.entries(found)),
  };
  const identified = new IdentifiedCluster(cluster, meant, (topic, id) => told.push(`${topic} ${id}`));
  const leaders = await identified.leaders([...meant.keys(), 'leaderless']);
  expect(Object.fromEntries(leaders)).toEqual({ ...found, anew: [] });
  expect(told).toEqual(['anew id-9']);
});

function leader(topicId: string | null): Leader {
  return { topicId, partition: 0, nodeId: 1, epoch: 3, replicas: [1], inSync: [1] };
}
