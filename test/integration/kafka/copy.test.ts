import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyAccount } from '../../../src/core/move/account.ts';
import { copyOf } from './copying.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { codecs, digest, produce } from './lab/kcat.ts';
import { createTopic } from './lab/tools.ts';
import { copyInTransactions, produceVerifiably } from './lab/workloads.ts';

describe('a topic that is copied from one cluster to another', () => {
  let source: Cluster;
  let target: Cluster;

  beforeAll(async () => {
    [source, target] = await Promise.all([
      startCluster({ version: '4.3.1', brokers: 1 }),
      startCluster({ version: '4.3.1', brokers: 1 }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([source?.stop(), target?.stop()]);
  });

  test('has the same records with every codec', async () => {
    await createTopic(source, 'codecs', { partitions: 5 });
    await createTopic(target, 'codecs', { partitions: 5 });
    for (const [partition, codec] of codecs.entries()) {
      const records = Array.from({ length: 3000 }, (_, index) => ({
        key: index % 7 === 0 ? null : `key ${index}`,
        value: index % 11 === 0 ? null : `value ${index} `.repeat(1 + (index % 40)),
      }));
      await produce(source, 'codecs', records, { codec, partition, idempotent: true, headers: [['a', 'b']] });
    }
    const { mover, partitions, close } = await copyOf(source, target, 'codecs');
    await mover.run();
    expect(partitions.map(({ isDone, writer }) => ({ isDone, phase: writer.phase }))).toEqual(
      codecs.map(() => ({ isDone: true, phase: { kind: 'writing' } })),
    );
    for (const partition of codecs.keys())
      expect(await digest(target, 'codecs', partition)).toEqual(await digest(source, 'codecs', partition));
    await close();
  });

  test('leaves out markers and aborted transactions, and accounts for them', async () => {
    for (const topic of ['in', 'out']) await createTopic(source, topic);
    await createTopic(target, 'out');
    await produceVerifiably(source, 'in', { records: 3000 });
    await copyInTransactions(source, {
      from: 'in',
      partition: 0,
      to: 'out',
      records: 3000,
      name: 'copier',
      transactionSize: 50,
      aborts: true,
    });
    const { mover, partitions, close } = await copyOf(source, target, 'out');
    await mover.run();
    const expected = await digest(source, 'out', 0, { isolation: 'read_committed' });
    expect(await digest(target, 'out', 0)).toEqual(expected);
    const account = partitions[0]?.ledger.account;
    const { from, to, copied, control, aborted } = account ?? emptyAccount(0);
    expect(copied).toBe(3000);
    expect(control).toBeGreaterThan(0);
    expect(aborted).toBeGreaterThan(0);
    expect(copied + control + aborted).toBe(to - from);
    await close();
  });
});
