import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaVersion } from '../../../../scripts/fetch/kafka.ts';
import { leversWhileBehind, restoring } from '../../../../src/core/move/topic-levers.ts';
import { planTopics, settingsOncePlanned } from '../../../../src/core/move/topics.ts';
import type { KafkaAdmin } from '../../../../src/io/kafka/admin/kafka-admin.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { openTransaction } from '../lab/kcat.ts';
import { alterConfig, configOf, createTopic } from '../lab/tools.ts';
import { consumeVerifiably, produceVerifiably } from '../lab/workloads.ts';
import { give } from '../verify/give.ts';
import { adminOf } from './admin-of.ts';

const everySetting = {
  'cleanup.policy': 'compact,delete',
  'compression.type': 'zstd',
  'delete.retention.ms': '1000',
  'max.compaction.lag.ms': '900000',
  'max.message.bytes': '2000000',
  'message.timestamp.type': 'LogAppendTime',
  'min.cleanable.dirty.ratio': '0.3',
  'min.compaction.lag.ms': '60000',
  'min.insync.replicas': '2',
  'retention.bytes': '1000000',
  'retention.ms': '3600000',
  'segment.bytes': '1048576',
  'segment.ms': '600000',
};

type Lab = { cluster: Cluster; admin: KafkaAdmin };

describe.each<KafkaVersion>(['4.3.1', '3.9.2', '2.8.2'])('topics of a broker of %s', (version) => {
  const lab = {} as Lab;
  beforeAll(async () => {
    lab.cluster = await startCluster({ version, brokers: 1 });
    lab.admin = adminOf(lab.cluster);
  });
  afterAll(async () => {
    await lab.admin?.close();
    await lab.cluster?.stop();
  });

  settings(lab);
  levers(version, lab);
  changes(lab);
  inUse(version, lab);
});

function settings(lab: Lab): void {
  test('are described, and one that is made like another has the same settings', async () => {
    await createTopic(lab.cluster, 'like', { partitions: 3, configs: everySetting });
    const source = await lab.admin.topics(['like', 'not-there']);
    expect(source).toMatchObject([{ name: 'like', partitions: 3, replicationFactor: 1, settings: { known: true } }]);
    const [facts] = source;
    if (facts === undefined) throw new Error('no facts');
    const copy = { ...facts, name: 'made' };
    const targetDefaults = await lab.admin.newTopicSettings('made');
    expect(targetDefaults).toMatchObject({ known: true });
    expect(await lab.admin.topics(['made'])).toEqual([]);
    const [plan] = planTopics({ source: [copy], target: [], targetDefaults, replicationFactor: null });
    if (plan?.kind !== 'make') throw new Error(JSON.stringify(plan));
    expect((await lab.admin.checkNewTopics([plan]))[0]).toMatchObject({ topic: 'made', refused: null });
    const [made] = await lab.admin.makeTopics([plan]);
    expect(made).toMatchObject({ topic: 'made', refused: null });
    expect(await configOf(lab.cluster, { type: 'topics', name: 'made' })).toMatchObject({
      ...everySetting,
      'min.insync.replicas': '1',
    });
    const [now] = await lab.admin.topics(['made']);
    expect(now?.topicId).toBe(made?.topicId);
    expect((await lab.admin.makeTopics([plan]))[0]?.refused).toMatchObject({ exists: true });
  });
}

function levers(version: KafkaVersion, lab: Lab): void {
  test('have levers that are set together and restored, but for what a person has changed', async () => {
    await createTopic(lab.cluster, 'behind', { configs: everySetting });
    const settings = await settingsOf(lab.admin, 'behind');
    const levers = leversWhileBehind('behind', settings, 3_000_000);
    expect(levers.length).toBeGreaterThan(6);
    const set = levers.map(({ topic, key, whileCopying }) => ({ topic, key, value: whileCopying }));
    expect(await lab.admin.checkSettings(set)).toEqual([{ topic: 'behind', refused: null }]);
    expect(await lab.admin.changeSettings(set)).toEqual([{ topic: 'behind', refused: null }]);
    // A broker tells what was changed once its own metadata has it.
    const soon = { timeout: 10_000 };
    const left = async () => leversWhileBehind('behind', await settingsOf(lab.admin, 'behind'), 3_000_000);
    await expect.poll(left, soon).toEqual([]);
    await alterConfig(lab.cluster, { type: 'topics', name: 'behind' }, { set: { 'retention.ms': '7200000' } });
    await expect.poll(async () => (await settingsOf(lab.admin, 'behind'))['retention.ms']?.value, soon).toBe('7200000');
    const now = await settingsOf(lab.admin, 'behind');
    const restored = levers.map((lever) => ({ lever, restoring: restoring(lever, now) }));
    const kept = restored.filter((one) => one.restoring.kind === 'left');
    expect(kept.map(({ lever }) => lever.key)).toEqual(['retention.ms']);
    const changes = restored.flatMap((one) => (one.restoring.kind === 'change' ? [one.restoring.change] : []));
    expect(await lab.admin.changeSettings(changes)).toEqual([{ topic: 'behind', refused: null }]);
    await expect
      .poll(() => configOf(lab.cluster, { type: 'topics', name: 'behind' }), soon)
      .toEqual({ ...everySetting, 'retention.ms': '7200000' });
  });

  test('take under their levers what they refused, as it was: old records, large batches, times and bytes', async () => {
    const bound = '3600000';
    const bounds =
      version === '4.3.1'
        ? { 'message.timestamp.before.max.ms': bound, 'message.timestamp.after.max.ms': bound }
        : { 'message.timestamp.difference.max.ms': bound };
    const configs = { ...bounds, 'max.message.bytes': '2000', 'compression.type': 'gzip', 'retention.ms': '1' };
    await createTopic(lab.cluster, 'strict', { configs });
    const at = { topic: 'strict', partition: 0 };
    await expect(give(lab.cluster, at, [{ ...record, timeMs: longAgo }])).rejects.toThrow('INVALID_TIMESTAMP');
    await expect(give(lab.cluster, at, large)).rejects.toThrow('MESSAGE_TOO_LARGE');
    const settings = await settingsOf(lab.admin, 'strict');
    const set = leversWhileBehind('strict', settings, 1_000_000).map(({ topic, key, whileCopying }) => ({
      ...{ topic, key, value: whileCopying },
    }));
    expect(await lab.admin.changeSettings(set)).toEqual([{ topic: 'strict', refused: null }]);
    // The broker takes a moment to go by it.
    await expect
      .poll(() => give(lab.cluster, at, large).then(() => 'taken', String), { timeout: 30_000 })
      .toBe('taken');
    await give(lab.cluster, at, [{ ...record, timeMs: longAgo }], { codec: 'lz4' });
    const [facts] = await lab.admin.partitions(['strict']);
    const end = facts?.bounds.known === true ? facts.bounds.value.highWatermark : 0;
    const told = await lab.admin.sample({ ...at, leader: 1, offset: end - 1 }, 1000);
    expect(told).toMatchObject({ known: true, value: [{ newestMs: longAgo, codec: 'lz4', baseOffset: end - 1 }] });
  });
}

function changes(lab: Lab): void {
  test('get more partitions, and are deleted by their id, which another topic of the same name has not', async () => {
    await createTopic(lab.cluster, 'again', { partitions: 2 });
    expect(await lab.admin.makePartitions([{ topic: 'again', partitions: 3 }])).toEqual([
      { topic: 'again', refused: null },
    ]);
    await expect.poll(async () => (await lab.admin.topics(['again']))[0]?.partitions).toBe(3);
    expect((await lab.admin.makePartitions([{ topic: 'again', partitions: 2 }]))[0]?.refused).toMatchObject({
      error: 'INVALID_PARTITIONS (37)',
    });
    const [first] = await lab.admin.topics(['again']);
    const it = { topic: 'again', topicId: first?.topicId ?? null };
    expect(it.topicId).not.toBeNull();
    expect(await lab.admin.deleteTopics([it])).toEqual([{ topic: 'again', refused: null }]);
    await expect.poll(() => lab.admin.topics(['again'])).toEqual([]);
    await createTopic(lab.cluster, 'again');
    // Late, twice: the new one stays.
    expect(await lab.admin.deleteTopics([it])).toEqual([{ topic: 'again', refused: null }]);
    const [second] = await lab.admin.topics(['again']);
    expect(second?.partitions).toBe(1);
    expect(second?.topicId).not.toBe(it.topicId);
    await createTopic(lab.cluster, 'named');
    expect(await lab.admin.deleteTopics([{ topic: 'named', topicId: null }])).toEqual([
      { topic: 'named', refused: null },
    ]);
    await expect.poll(() => lab.admin.topics(['named'])).toEqual([]);
  });

  test('are refused with the words of the broker', async () => {
    const wanted = { topic: 'refused', partitions: 1, replicationFactor: 5, settings: {} };
    expect((await lab.admin.checkNewTopics([wanted]))[0]?.refused).toMatchObject({
      error: 'INVALID_REPLICATION_FACTOR (38)',
      exists: false,
      retriable: false,
    });
    const change = { topic: 'like', key: 'retention.ms', value: 'soon' };
    expect((await lab.admin.changeSettings([change]))[0]?.refused).toMatchObject({ retriable: false });
  });
}

function inUse(version: KafkaVersion, lab: Lab): void {
  test('are known to have been committed on by a group', async () => {
    await createTopic(lab.cluster, 'committed');
    await createTopic(lab.cluster, 'untouched');
    expect(await lab.admin.groupsCommittedOn(['committed', 'untouched'])).toEqual([]);
    await produceVerifiably(lab.cluster, 'committed', { records: 10 });
    await consumeVerifiably(lab.cluster, 'committed', { records: 10, group: 'readers' });
    const committed = () => lab.admin.groupsCommittedOn(['committed', 'untouched']);
    await expect.poll(committed).toEqual([{ group: 'readers', topic: 'committed' }]);
  });

  test('that hold a transaction open are named with who holds it, as far as the broker can tell', async () => {
    await createTopic(lab.cluster, 'held-back');
    const open = await openTransaction(lab.cluster, 'held-back', [{ key: 'a', value: 'b' }], {
      id: 'invoice',
      partition: 0,
    });
    const [facts] = await lab.admin.partitions(['held-back']);
    expect(facts?.bounds).toMatchObject({ known: true, value: { logStart: 0, lastStable: 0, highWatermark: 1 } });
    const told = await lab.admin.openTransactions([{ topic: 'held-back', partition: 0, leader: facts?.leader ?? -1 }]);
    await open.abandon();
    const details =
      version === '2.8.2'
        ? { known: false, why: expect.stringContaining('ListTransactions') }
        : { known: true, value: { transactionalId: 'invoice', state: 'Ongoing', timeoutMs: 600_000 } };
    expect(told).toMatchObject({ known: true, value: [{ startOffset: 0, details }] });
  });

  test('are told with the sizes of their replicas, and with the room on the disk by the versions that know it', async () => {
    await createTopic(lab.cluster, 'sized', { partitions: 2 });
    await produceVerifiably(lab.cluster, 'sized', { records: 100 });
    const places = [0, 1].map((partition) => ({ topic: 'sized', partition }));
    const [disk] = await lab.admin.disks(places);
    expect(disk).toMatchObject({ broker: 1, told: { known: true } });
    if (disk?.told.known !== true) return;
    const { replicas, directories } = disk.told.value;
    expect(replicas.map(({ partition }) => partition).toSorted((one, other) => one - other)).toEqual([0, 1]);
    expect(replicas.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(100);
    expect(directories.every(({ usableBytes }) => (usableBytes === null) === (version === '2.8.2'))).toBe(true);
    // As long as a transactional id before 3.4, which is a week.
    const memoryMs = version === '2.8.2' ? 604_800_000 : 86_400_000;
    expect(await lab.admin.producerMemoryMs()).toEqual({ known: true, value: memoryMs });
  });
}

const record = { key: 'key', value: 'value', timeMs: Date.now() };
const longAgo = Date.now() - 30 * 86_400_000;
const large = [{ ...record, value: 'x'.repeat(5000) }];

async function settingsOf(admin: KafkaAdmin, topic: string) {
  const [facts] = await admin.topics([topic]);
  if (facts?.settings.known !== true) throw new Error(`${topic}: ${JSON.stringify(facts)}`);
  return settingsOncePlanned({ kind: 'fits', topic, notes: [] }, facts.settings.value);
}
