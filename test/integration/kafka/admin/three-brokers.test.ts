import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { previewText } from '../../../../src/cli/kafka/copy-preview/words.ts';
import type { KafkaAdmin } from '../../../../src/io/kafka/admin/kafka-admin.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { openTransaction } from '../lab/kcat.ts';
import { createTopic } from '../lab/tools.ts';
import { consumeVerifiably, produceVerifiably } from '../lab/workloads.ts';
import { adminOf } from './admin-of.ts';
import { previewOf } from './previewing.ts';

let cluster: Cluster;
let admin: KafkaAdmin;

beforeAll(async () => {
  cluster = await startCluster({ version: '4.3.1', brokers: 3 });
  admin = adminOf(cluster, { side: 'source' });
  await createTopic(cluster, 'spread', { partitions: 6 });
});
afterAll(async () => {
  await admin?.close();
  await cluster?.stop();
});

describe('a cluster whose brokers each know a part', () => {
  test('tells who has a transaction open and which groups have committed, whoever coordinates them', async () => {
    await produceVerifiably(cluster, 'spread', { records: 60 });
    const groups = ['a', 'b', 'c', 'd', 'e'].map((name) => `group-${name}`);
    for (const group of groups) await consumeVerifiably(cluster, 'spread', { records: 60, group });
    const open = [];
    for (const partition of [0, 1, 2])
      open.push(
        await openTransaction(cluster, 'spread', [{ key: 'k', value: 'v' }], { id: `tx-${partition}`, partition }),
      );
    const facts = await admin.partitions(['spread']);
    expect(new Set(facts.map(({ leader }) => leader))).toEqual(new Set([1, 2, 3]));
    const held = facts.flatMap(({ topic, partition, leader, bounds }) =>
      bounds.known && bounds.value.lastStable < bounds.value.highWatermark
        ? [{ topic, partition, leader: leader ?? -1 }]
        : [],
    );
    const transactions = await admin.openTransactions(held);
    for (const one of open) await one.abandon();
    const named = transactions.known ? transactions.value : [];
    expect(named.map(({ partition, details }) => [partition, details.known && details.value.transactionalId])).toEqual([
      [0, 'tx-0'],
      [1, 'tx-1'],
      [2, 'tx-2'],
    ]);
    const committed = await admin.groupsCommittedOn(['spread']);
    expect(new Set(committed.map(({ group }) => group))).toEqual(new Set(groups));
    expect((await admin.leftBehind()).groups).toEqual({ known: true, value: groups.length });
  });

  test('tells the disks of all of them, and the rate is that of each', async () => {
    const preview = await previewOf({ cluster }, { cluster }, ['spread'], { isOurs: () => true, rate: 1000 });
    expect(preview.obstacles).toEqual([]);
    expect(preview.topics[0]?.plan.kind).toBe('fits');
    // Nothing comes where all of it lies already.
    expect(preview.disks.map(({ broker, verdict, neededBytes }) => [broker, verdict, neededBytes])).toEqual([
      [1, 'fits', 0],
      [2, 'fits', 0],
      [3, 'fits', 0],
    ]);
    const bytes = preview.partitions.reduce((sum, one) => sum + (one.bytes.known ? one.bytes.value.bytes : 0), 0);
    expect(preview.bytes).toBe(bytes);
    expect(preview.time?.ms).toBeGreaterThanOrEqual((bytes / 3 / 1000) * 1000 - 1);
    expect(preview.time?.ms).toBeLessThan((bytes / 1000) * 1000);
  });

  test('that has made many partitions just now tells the bounds of all of them, once they have their leaders', async () => {
    const names = Array.from({ length: 4 }, (_, index) => `many-${index}`);
    const wanted = names.map((topic) => ({ topic, partitions: 50, replicationFactor: 3, settings: {} }));
    expect((await admin.makeTopics(wanted)).filter(({ refused }) => refused !== null)).toEqual([]);
    await expect.poll(async () => (await admin.topics(names)).length).toBe(4);
    const facts = await admin.partitions(names);
    expect(facts).toHaveLength(200);
    expect(facts.filter(({ bounds }) => !bounds.known)).toEqual([]);
  });

  test('of which one is dead is told without it, and what needs more brokers than there ever were is refused before', async () => {
    await cluster.broker(3).kill();
    // Until its session ends it is in the metadata, and nobody can reach it.
    const early = await admin.cluster();
    const listed = early.brokers.find(({ id }) => id === 3);
    expect(listed?.roundTripMs.known ?? false).toBe(false);
    const brokers = async () => (await admin.cluster()).brokers.map(({ id }) => id);
    await expect.poll(brokers, { timeout: 60_000 }).toEqual([1, 2]);
    await cluster.untilWhole();
    const preview = await previewOf({ cluster }, { cluster }, ['spread'], { isOurs: () => true });
    expect(preview.obstacles).toEqual([]);
    // A replica may be given to a broker that is away.
    const checked = await admin.checkNewTopics([
      { topic: 'three', partitions: 1, replicationFactor: 3, settings: {} },
      { topic: 'four', partitions: 1, replicationFactor: 4, settings: {} },
    ]);
    expect(checked.find(({ topic }) => topic === 'three')?.refused).toBeNull();
    expect(checked.find(({ topic }) => topic === 'four')?.refused).toMatchObject({
      error: 'INVALID_REPLICATION_FACTOR (38)',
    });
    expect(previewText(preview)).toContain('source 2 at');
  });
});
