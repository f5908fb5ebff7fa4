import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { previewText } from '../../../../src/cli/kafka/copy-preview/words.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { openTransaction } from '../lab/kcat.ts';
import { alterConfig, createTopic } from '../lab/tools.ts';
import { consumeVerifiably, produceVerifiably } from '../lab/workloads.ts';
import { give, someRecords } from '../verify/give.ts';
import { previewOf } from './previewing.ts';

const dayMs = 86_400_000;
let old: Cluster;
let current: Cluster;

beforeAll(async () => {
  old = await startCluster({ version: '2.8.2', brokers: 1 });
  current = await startCluster({ version: '4.3.1', brokers: 1 });
});
afterAll(async () => {
  await old?.stop();
  await current?.stop();
});

describe('before a byte moves', () => {
  test('it is told what is there, what would be done, how long it takes, and nothing is changed', async () => {
    const [source, target] = [old, current];
    await createTopic(source, 'orders', { partitions: 2, configs: { 'retention.ms': `${40 * dayMs}` } });
    await createTopic(source, 'clicks', { configs: { 'cleanup.policy': 'compact' } });
    await createTopic(target, 'clicks', { configs: { 'cleanup.policy': 'compact', 'max.message.bytes': '4000' } });
    await createTopic(source, 'held');
    await createTopic(target, 'held');
    await give(source, { topic: 'orders', partition: 0 }, recordsOf(30 * dayMs), { codec: 'lz4' });
    await give(source, { topic: 'orders', partition: 1 }, recordsOf(1000), { codec: 'zstd' });
    await give(
      source,
      { topic: 'clicks', partition: 0 },
      someRecords(300).map((one) => ({ ...one, key: 'k' })),
    );
    await give(target, { topic: 'held', partition: 0 }, someRecords(250));
    const before = await Promise.all([source.metadata(), target.metadata()]);
    const preview = await previewOf({ cluster: source }, { cluster: target }, ['orders', 'clicks', 'held', 'absent']);
    expect(await Promise.all([source.metadata(), target.metadata()])).toEqual(before);
    expect(JSON.parse(JSON.stringify(preview))).toEqual(preview);
    const [clicks, held, orders] = ['clicks', 'held', 'orders'].map((name) =>
      preview.topics.find(({ plan }) => plan.topic === name),
    );
    expect(orders?.plan).toMatchObject({ kind: 'make', partitions: 2, settings: { 'retention.ms': `${40 * dayMs}` } });
    expect(orders?.batches?.codecs.toSorted((one, other) => (one < other ? -1 : 1))).toEqual(['lz4', 'zstd']);
    expect(clicks?.plan).toMatchObject({ kind: 'differs' });
    expect(clicks?.levers.map(({ key }) => key)).toContain('min.compaction.lag.ms');
    expect(held?.plan).toMatchObject({
      kind: 'refused',
      refusals: [
        {
          kind: 'holds-data',
          partitions: [
            {
              end: 250,
              first: { baseOffset: 0, lastOffset: 99, producerId: null },
              last: { baseOffset: 200, lastOffset: 249 },
            },
          ],
        },
      ],
    });
    const partition = (number: number) =>
      preview.partitions.find((one) => one.topic === 'orders' && one.partition === number);
    expect(partition(0)).toMatchObject({
      bounds: { known: true, value: { logStart: 0, highWatermark: 300 } },
      bytes: { known: true, value: { how: 'told by the broker' } },
      race: { kind: 'none', why: 'in time' },
    });
    expect(partition(0)?.newestMs).toBeLessThan(Date.now() - 29 * dayMs);
    expect(preview.oneInFlight).toMatchObject({
      memoryMs: { known: true, value: dayMs },
      roundTripMs: { known: true },
    });
    // Those of 30 days ago, and those of `clicks`, which are from 2023.
    expect(preview.oneInFlight.partitions).toBe(2);
    expect(preview.disks).toMatchObject([{ broker: 1, verdict: 'fits' }]);
    expect(preview.time?.ms).toBeGreaterThan(0);
    expect(preview.obstacles).toHaveLength(2);
    expect(preview.obstacles.join('\n')).toMatch(/absent: the source has no such topic.*\nheld: the target holds/s);
    const text = previewText(preview);
    expect(text).toContain('It cannot begin yet; nothing has been changed.');
    expect(text).toContain('one batch at a time');
    expect(text).toContain(
      `kafka-acls --bootstrap-server ${target.bootstrap()} --add --allow-principal User:ANONYMOUS`,
    );
  });

  test('what retention will take first is told with its time, and so is what is not copied at all', async () => {
    const [source, target] = [current, old];
    await createTopic(source, 'short', { configs: { 'retention.ms': '60000' } });
    await createTopic(source, 'paid', { partitions: 2 });
    await give(source, { topic: 'short', partition: 0 }, recordsOf(50_000));
    await produceVerifiably(source, 'paid', { records: 100 });
    await consumeVerifiably(source, 'paid', { records: 100, group: 'billing' });
    await alterConfig(source, { type: 'users', name: 'alice' }, { set: { producer_byte_rate: '1000000' } });
    await alterConfig(source, { type: 'users', name: 'bob' }, { set: { 'SCRAM-SHA-256': '[password=x]' } });
    const open = await openTransaction(source, 'paid', [{ key: 'a', value: 'b' }], { id: 'invoice-1', partition: 1 });
    // Slower than time passes: ten seconds are left, and the records span less than one.
    const preview = await previewOf({ cluster: source }, { cluster: target }, ['short', 'paid'], { rate: 100 });
    await open.abandon();
    const short = preview.partitions.find(({ topic }) => topic === 'short');
    expect(short?.race).toMatchObject({ kind: 'overtaken', by: 'time' });
    if (short?.race.kind === 'overtaken') expect(short.race.inMs).toBeLessThan(10_500);
    expect(preview.transactions).toMatchObject({
      known: true,
      value: [{ topic: 'paid', partition: 1, details: { known: true, value: { transactionalId: 'invoice-1' } } }],
    });
    expect(preview.notCopied).toEqual({
      groups: { known: true, value: 1 },
      quotas: { known: true, value: 1 },
      scramUsers: { known: true, value: 1 },
      schemaTopics: { known: true, value: 0 },
    });
    // 2.8.2 does not tell what is free, and that is no obstacle.
    expect(preview.disks).toMatchObject([{ verdict: 'unknown', usableBytes: null }]);
    expect(preview.obstacles).toEqual([]);
    const text = previewText(preview);
    expect(text).toContain('invoice-1');
    expect(text).toMatch(/short-0: the source's retention by time overtakes the copy/);
    expect(text).toContain('1 groups and what they have committed');
  });
});

function recordsOf(ageMs: number) {
  return someRecords(300).map((one, index) => ({ ...one, timeMs: Date.now() - ageMs + index }));
}
