import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';
import { codecs, consume, digest, endOffset, openTransaction, produce, type TextRecord } from './kcat.ts';
import { addPartitions, alterConfig, configOf, createTopic, deleteRecords, deleteTopic, dumpLog } from './tools.ts';
import { consumeVerifiably, copyInTransactions, produceVerifiably } from './workloads.ts';

describe('one broker of Kafka 4.3.1', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ version: '4.3.1', brokers: 1, listeners: ['proxied', 'sasl', 'tls', 'sasl-tls'] });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  test('keeps what kcat produces with each codec, and the codec is in the files', async () => {
    await createTopic(cluster, 'codecs', { partitions: codecs.length });
    const records = someRecords(300);
    const headers = [
      ['source', 'kcat'],
      ['empty', ''],
    ] as const;
    for (const [partition, codec] of codecs.entries())
      await produce(cluster, 'codecs', records, { partition, codec, headers, idempotent: partition % 2 === 0 });
    for (const [partition, codec] of codecs.entries()) {
      const found = await consume(cluster, 'codecs', partition);
      expect(found.map(({ key, value }) => ({ key, value }))).toEqual(records);
      expect(found.map(({ offset }) => offset)).toEqual(records.map((_, at) => at));
      expect(found.every((record) => JSON.stringify(record.headers) === JSON.stringify(headers))).toBe(true);
      const batches = await dumpLog(cluster, cluster.broker(1), { topic: 'codecs', partition });
      expect(batches.length).toBeGreaterThan(0);
      for (const batch of batches) expect(batch).toMatch(new RegExp(`compresscodec: ${codec}.* isvalid: true`));
      expect(batches.every((batch) => batch.includes('producerId: -1'))).toBe(partition % 2 !== 0);
    }
  });

  test('null is not empty, in keys and in values, and a digest tells them apart', async () => {
    await createTopic(cluster, 'nulls', { partitions: 2 });
    const nulls = [
      { key: null, value: 'a' },
      { key: 'k', value: null },
    ];
    const empties = nulls.map(({ key, value }) => ({ key: key ?? '', value: value ?? '' }));
    await produce(cluster, 'nulls', nulls, { partition: 0 });
    await produce(cluster, 'nulls', empties, { partition: 1 });
    expect((await consume(cluster, 'nulls', 0)).map(({ key, value }) => ({ key, value }))).toEqual(nulls);
    expect((await consume(cluster, 'nulls', 1)).map(({ key, value }) => ({ key, value }))).toEqual(empties);
    const digests = [await digest(cluster, 'nulls', 0), await digest(cluster, 'nulls', 1)];
    expect(digests.map(({ records }) => records)).toEqual([2, 2]);
    expect(digests[0]?.md5).not.toBe(digests[1]?.md5);
    await expect(produce(cluster, 'nulls', [{ key: '', value: null }])).rejects.toThrow('produce them apart');
  });

  test('records that are 30 days old, copied in transactions of which some are aborted, are there once', async () => {
    for (const topic of ['old', 'copied']) await createTopic(cluster, topic, { configs: { 'retention.ms': '-1' } });
    const createdAtMs = Date.now() - 30 * 24 * 3600 * 1000;
    await produceVerifiably(cluster, 'old', { records: 400, createdAtMs });
    const times = (await consume(cluster, 'old', 0)).map(({ timestampMs }) => timestampMs);
    expect(Math.min(...times)).toBe(createdAtMs);
    const how = { from: 'old', partition: 0, to: 'copied', transactionSize: 20, aborts: true, name: 'copier' };
    expect(await copyInTransactions(cluster, { ...how, records: 400 })).toEqual({ records: 400 });
    const values = (await consume(cluster, 'copied', 0)).map(({ value }) => Number(value));
    expect(values.sort((one, other) => one - other)).toEqual(Array.from({ length: 400 }, (_, at) => at));
    // Aborted records and markers take offsets: with aborts drawn for 20 transactions there are more than the 20 markers.
    expect(await endOffset(cluster, 'copied', 0)).toBeGreaterThanOrEqual(420);
    const read = await consumeVerifiably(cluster, 'copied', { records: 400, group: 'reader' });
    expect(read).toHaveLength(400);
  });

  test('a transaction that is left open holds the last stable offset back until it is committed', async () => {
    await createTopic(cluster, 'open');
    await produce(cluster, 'open', [{ key: null, value: 'before' }]);
    const ends = async () => [
      await endOffset(cluster, 'open', 0, 'last stable'),
      await endOffset(cluster, 'open', 0, 'high watermark'),
    ];
    const transaction = await openTransaction(cluster, 'open', someRecords(3), { id: 'left-open', partition: 0 });
    expect(await ends()).toEqual([1, 4]);
    await transaction.commit();
    expect(await ends()).toEqual([5, 5]);
    expect(await consume(cluster, 'open', 0)).toHaveLength(4);
    const abandoned = await openTransaction(cluster, 'open', someRecords(2), { id: 'abandoned', partition: 0 });
    await abandoned.abandon();
    expect(await ends()).toEqual([5, 7]);
    expect(await consume(cluster, 'open', 0)).toHaveLength(4);
    expect(await consume(cluster, 'open', 0, { isolation: 'read_uncommitted' })).toHaveLength(6);
  });

  test('tools change and tell configuration, and delete records and topics', async () => {
    await createTopic(cluster, 'changed', { configs: { 'retention.ms': '1000000' } });
    const topic = { type: 'topics', name: 'changed' } as const;
    await alterConfig(cluster, topic, { set: { 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' } });
    expect(await configOf(cluster, topic)).toEqual({ 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' });
    await alterConfig(cluster, topic, { set: { 'cleanup.policy': 'delete' }, remove: ['retention.ms'] });
    expect(await configOf(cluster, topic)).toEqual({ 'cleanup.policy': 'delete' });
    await produce(cluster, 'changed', someRecords(10));
    await deleteRecords(cluster, [{ topic: 'changed', partition: 0, offset: 4 }]);
    expect(await endOffset(cluster, 'changed', 0, 'log start')).toBe(4);
    expect((await consume(cluster, 'changed', 0)).map(({ offset }) => offset)).toEqual([4, 5, 6, 7, 8, 9]);
    await addPartitions(cluster, 'changed', 3);
    expect((await cluster.metadata()).partitions.filter((one) => one.topic === 'changed')).toHaveLength(3);
    await deleteTopic(cluster, 'changed');
    expect((await cluster.metadata()).partitions.filter((one) => one.topic === 'changed')).toEqual([]);
  });

  test('is reached through every listener, and refuses who does not know the secret', async () => {
    await createTopic(cluster, 'reached');
    for (const listener of ['proxied', 'sasl', 'tls', 'sasl-tls'] as const)
      await produce(cluster, 'reached', [{ key: null, value: listener }], { listener });
    const tls = { listener: 'sasl-tls', mechanism: 'SCRAM-SHA-512' } as const;
    await produceVerifiably(cluster, 'reached', { records: 3, ...tls });
    const plain = { listener: 'sasl', mechanism: 'SCRAM-SHA-256' } as const;
    const read = await consumeVerifiably(cluster, 'reached', { records: 7, group: 'reached', ...plain });
    expect(read).toEqual(['proxied', 'sasl', 'tls', 'sasl-tls', '0', '1', '2']);
    const wrong = { 'sasl.password': 'a guess' };
    await expect(produce(cluster, 'reached', someRecords(1), { listener: 'sasl', properties: wrong })).rejects.toThrow(
      'Authentication failed',
    );
    await expect(produce(cluster, 'reached', someRecords(1), { ...plain })).rejects.toThrow('librdkafka before 2.6.1');
    expect(await endOffset(cluster, 'reached', 0)).toBe(7);
  });

  test('what goes through the proxy is cut by it, and arrives all the same', async () => {
    await createTopic(cluster, 'cut');
    const proxy = cluster.broker(1).proxy;
    if (proxy === null) throw new Error('no proxy');
    const before = proxy.passed('to-server');
    const blown = proxy.cutAfter('to-server', 20_000);
    await produceVerifiably(cluster, 'cut', { records: 5000, listener: 'proxied' });
    await blown;
    expect(proxy.passed('to-server') - before).toBeGreaterThan(20_000);
    expect((await consume(cluster, 'cut', 0)).map(({ value }) => Number(value))).toEqual(
      Array.from({ length: 5000 }, (_, at) => at),
    );
  });

  test('killed, it comes back with all that it had acknowledged', async () => {
    await createTopic(cluster, 'kept');
    await produce(cluster, 'kept', someRecords(100));
    const before = await digest(cluster, 'kept', 0);
    expect(before.records).toBe(100);
    const broker = cluster.broker(1);
    await broker.kill();
    expect(broker.pid()).toBe(null);
    await expect(cluster.metadata()).rejects.toThrow('kcat');
    await broker.start();
    await cluster.untilWhole();
    expect(await digest(cluster, 'kept', 0)).toEqual(before);
  });

  test('stopped with SIGSTOP it is there and does not answer', async () => {
    const broker = cluster.broker(1);
    broker.pause();
    await expect(cluster.metadata()).rejects.toThrow('kcat');
    expect(broker.pid()).not.toBe(null);
    broker.resume();
    await vi.waitFor(() => cluster.metadata(), { timeout: 30_000 });
  });
});

function someRecords(count: number): TextRecord[] {
  return Array.from({ length: count }, (_, at) => ({
    key: `key-${at % 7}`,
    value: `${at}: ${'value '.repeat(at % 50)}`,
  }));
}
