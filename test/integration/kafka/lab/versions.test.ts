import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';
import { codecs, consume, digest, endOffset, produce } from './kcat.ts';
import { createTopic, dumpLog } from './tools.ts';
import { copyInTransactions, produceVerifiably } from './workloads.ts';

describe('a broker of 3.9.2 and one of 2.8.2 with ZooKeeper, side by side', () => {
  let clusters: readonly Cluster[] = [];

  beforeAll(async () => {
    const started = await Promise.allSettled([
      startCluster({ version: '3.9.2', brokers: 1, listeners: ['sasl', 'tls'] }),
      startCluster({ version: '2.8.2', brokers: 1, listeners: ['sasl', 'tls'] }),
    ]);
    clusters = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
  });
  afterAll(async () => {
    for (const cluster of clusters) await cluster.stop();
  });

  test('both serve what kcat produces, and neither has what the other was given', async () => {
    expect(clusters.map(({ version }) => version)).toEqual(['3.9.2', '2.8.2']);
    for (const cluster of clusters) {
      await createTopic(cluster, 'given', { partitions: codecs.length });
      for (const [partition, codec] of codecs.entries())
        await produce(cluster, 'given', [{ key: 'version', value: cluster.version }], { partition, codec });
    }
    for (const cluster of clusters)
      for (const partition of codecs.keys())
        expect((await consume(cluster, 'given', partition)).map(({ value }) => value)).toEqual([cluster.version]);
  });

  test('both are reached with SCRAM, and with TLS', async () => {
    for (const cluster of clusters) {
      await createTopic(cluster, 'reached');
      await produceVerifiably(cluster, 'reached', { records: 5, listener: 'sasl', mechanism: 'SCRAM-SHA-512' });
      await produce(cluster, 'reached', [{ key: null, value: 'tls' }], { listener: 'tls' });
      const scram = { listener: 'sasl', mechanism: 'SCRAM-SHA-256' } as const;
      expect((await consume(cluster, 'reached', 0, scram)).map(({ value }) => value)).toEqual([
        ...['0', '1', '2', '3', '4'],
        'tls',
      ]);
    }
  });

  test('both carry transactions', async () => {
    for (const cluster of clusters) {
      for (const topic of ['from', 'to']) await createTopic(cluster, topic);
      await produceVerifiably(cluster, 'from', { records: 60 });
      const how = { from: 'from', partition: 0, to: 'to', records: 60, transactionSize: 20, aborts: false };
      expect(await copyInTransactions(cluster, { ...how, name: 'plain' })).toEqual({ records: 60 });
      expect((await digest(cluster, 'to', 0)).records).toBe(60);
      expect(await endOffset(cluster, 'to', 0)).toBe(63);
    }
  });

  test('2.8.2 keeps message sets of version 0 and 1 for a topic that is told to', async () => {
    const cluster = clusters.find(({ version }) => version === '2.8.2');
    if (cluster === undefined) throw new Error('no 2.8.2');
    for (const [version, format] of [
      [0, '0.9.0'],
      [1, '0.10.0'],
    ] as const) {
      const topic = `version-${version}`;
      await createTopic(cluster, topic, { configs: { 'message.format.version': format } });
      // One alone would not get smaller, and librdkafka would leave it as it is.
      const records = Array.from({ length: 50 }, (_, at) => ({ key: 'k', value: `${'v'.repeat(100)}${at}` }));
      await produce(cluster, topic, records, { codec: 'gzip' });
      expect((await consume(cluster, topic, 0)).map(({ key, value }) => ({ key, value }))).toEqual(records);
      const batches = await dumpLog(cluster, cluster.broker(1), { topic, partition: 0 });
      expect(batches.length).toBeGreaterThan(0);
      for (const batch of batches) expect(batch).toContain(`magic: ${version} compresscodec: `);
      expect(batches.some((batch) => batch.includes('compresscodec: GZIP'))).toBe(true);
    }
  });
});
