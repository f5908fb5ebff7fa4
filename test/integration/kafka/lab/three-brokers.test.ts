import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';
import { consume, digest, endOffset, produce } from './kcat.ts';
import { createTopic, electPreferred, electUnclean, moveLeader, reassign } from './tools.ts';
import { produceVerifiably } from './workloads.ts';

const waiting = { timeout: 60_000, interval: 200 };

describe('three brokers of Kafka 4.3.1', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ version: '4.3.1', brokers: 3, properties: { 'replica.lag.time.max.ms': '3000' } });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  test('kill -9 of a leader: another one leads and serves all that was acknowledged, and the killed one follows again', async () => {
    await createTopic(cluster, 'led');
    await moveLeader(cluster, { topic: 'led', partition: 0 }, 2);
    expect(await leaderOf('led')).toBe(2);
    await produceVerifiably(cluster, 'led', { records: 500 });
    const before = await digest(cluster, 'led', 0);
    expect(before.records).toBe(500);
    await cluster.broker(2).kill();
    await vi.waitFor(async () => expect([1, 3]).toContain(await leaderOf('led')), waiting);
    expect(await digest(cluster, 'led', 0)).toEqual(before);
    await cluster.broker(2).start();
    await cluster.untilWhole();
    expect(await inSyncOf('led')).toEqual([1, 2, 3]);
  });

  test('the lead moves from A to B and back without a restart, and nothing is lost', async () => {
    await createTopic(cluster, 'moved');
    for (const leader of [3, 2, 3]) {
      await moveLeader(cluster, { topic: 'moved', partition: 0 }, leader);
      expect(await leaderOf('moved')).toBe(leader);
      await produce(cluster, 'moved', [{ key: null, value: `under ${leader}` }]);
    }
    const values = (await consume(cluster, 'moved', 0)).map(({ value }) => value);
    expect(values).toEqual(['under 3', 'under 2', 'under 3']);
  });

  test('a follower that is stopped leaves the ISR, and comes back into it', async () => {
    await createTopic(cluster, 'followed');
    await moveLeader(cluster, { topic: 'followed', partition: 0 }, 2);
    cluster.broker(3).pause();
    // Kafka's own clients may ask the stopped one first, and wait 30 s for it; librdkafka asks all.
    await produce(
      cluster,
      'followed',
      Array.from({ length: 50 }, (_, at) => ({ key: null, value: String(at) })),
    );
    await vi.waitFor(async () => expect(await inSyncOf('followed')).toEqual([1, 2]), {
      timeout: 60_000,
      interval: 200,
    });
    expect(await endOffset(cluster, 'followed', 0)).toBe(50);
    cluster.broker(3).resume();
    await vi.waitFor(async () => expect(await inSyncOf('followed')).toEqual([1, 2, 3]), waiting);
  });

  test('an unclean election loses what only the dead leader had', async () => {
    const lost = { topic: 'lost', partition: 0 };
    await createTopic(cluster, 'lost', { configs: { 'min.insync.replicas': '1' } });
    await reassign(cluster, lost, [2, 3]);
    await electPreferred(cluster, lost);
    await produceVerifiably(cluster, 'lost', { records: 10 });
    await cluster.broker(3).kill();
    await vi.waitFor(async () => expect(await inSyncOf('lost')).toEqual([2]), waiting);
    await produceVerifiably(cluster, 'lost', { records: 20 });
    expect(await endOffset(cluster, 'lost', 0)).toBe(30);
    await cluster.broker(2).kill();
    await cluster.broker(3).start();
    await vi.waitFor(async () => expect((await cluster.metadata()).brokers.toSorted()).toEqual([1, 3]), waiting);
    expect(await leaderOf('lost')).toBe(-1);
    await electUnclean(cluster, lost);
    expect(await leaderOf('lost')).toBe(3);
    expect(await endOffset(cluster, 'lost', 0)).toBe(10);
    await cluster.broker(2).start();
    await cluster.untilWhole();
    expect(await endOffset(cluster, 'lost', 0)).toBe(10);
  });

  async function leaderOf(topic: string): Promise<number | undefined> {
    return (await cluster.metadata()).partitions.find((one) => one.topic === topic)?.leader;
  }

  async function inSyncOf(topic: string): Promise<number[]> {
    const partition = (await cluster.metadata()).partitions.find((one) => one.topic === topic);
    return [...(partition?.inSync ?? [])].sort((one, other) => one - other);
  }
});
