import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaVersion } from '../../../../scripts/fetch/kafka.ts';
import { leversWhileBehind, restoring } from '../../../../src/core/move/topic-levers.ts';
import { planTopics, settingsOncePlanned } from '../../../../src/core/move/topics.ts';
import type { KafkaAdmin } from '../../../../src/io/kafka/admin/kafka-admin.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { alterConfig, configOf, createTopic } from '../lab/tools.ts';
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

describe.each<KafkaVersion>(['4.3.1', '3.9.2', '2.8.2'])('topics of a broker of %s', (version) => {
  let cluster: Cluster;
  let admin: KafkaAdmin;
  beforeAll(async () => {
    cluster = await startCluster({ version, brokers: 1 });
    admin = adminOf(cluster);
  });
  afterAll(async () => {
    await admin?.close();
    await cluster?.stop();
  });

  test('are described, and one that is made like another has the same settings', async () => {
    await createTopic(cluster, 'like', { partitions: 3, configs: everySetting });
    const source = await admin.topics(['like', 'not-there']);
    expect(source).toMatchObject([{ name: 'like', partitions: 3, replicationFactor: 1, settings: { known: true } }]);
    const [facts] = source;
    if (facts === undefined) throw new Error('no facts');
    const copy = { ...facts, name: 'made' };
    const targetDefaults = await admin.newTopicSettings('made');
    expect(targetDefaults).toMatchObject({ known: true });
    expect(await admin.topics(['made'])).toEqual([]);
    const [plan] = planTopics({ source: [copy], target: [], targetDefaults, replicationFactor: null });
    if (plan?.kind !== 'make') throw new Error(JSON.stringify(plan));
    expect((await admin.checkNewTopics([plan]))[0]).toMatchObject({ topic: 'made', refused: null });
    const [made] = await admin.makeTopics([plan]);
    expect(made).toMatchObject({ topic: 'made', refused: null });
    expect(await configOf(cluster, { type: 'topics', name: 'made' })).toMatchObject({
      ...everySetting,
      'min.insync.replicas': '1',
    });
    const [now] = await admin.topics(['made']);
    expect(now?.topicId).toBe(made?.topicId);
    expect((await admin.makeTopics([plan]))[0]?.refused).toMatchObject({ exists: true });
  });

  test('have levers that are set together and restored, but for what a person has changed', async () => {
    await createTopic(cluster, 'behind', { configs: everySetting });
    const settings = await settingsOf(admin, 'behind');
    const levers = leversWhileBehind('behind', settings, 3_000_000);
    expect(levers.length).toBeGreaterThan(6);
    const set = levers.map(({ topic, key, whileCopying }) => ({ topic, key, value: whileCopying }));
    expect(await admin.checkSettings(set)).toEqual([{ topic: 'behind', refused: null }]);
    expect(await admin.changeSettings(set)).toEqual([{ topic: 'behind', refused: null }]);
    expect(leversWhileBehind('behind', await settingsOf(admin, 'behind'), 3_000_000)).toEqual([]);
    await alterConfig(cluster, { type: 'topics', name: 'behind' }, { set: { 'retention.ms': '7200000' } });
    const now = await settingsOf(admin, 'behind');
    const restored = levers.map((lever) => ({ lever, restoring: restoring(lever, now) }));
    const left = restored.filter((one) => one.restoring.kind === 'left');
    expect(left.map(({ lever }) => lever.key)).toEqual(['retention.ms']);
    const changes = restored.flatMap((one) => (one.restoring.kind === 'change' ? [one.restoring.change] : []));
    expect(await admin.changeSettings(changes)).toEqual([{ topic: 'behind', refused: null }]);
    const after = await configOf(cluster, { type: 'topics', name: 'behind' });
    expect(after).toMatchObject({ ...everySetting, 'retention.ms': '7200000' });
    expect(new Set(Object.keys(after))).toEqual(new Set(Object.keys(everySetting)));
  });

  test('are refused with the words of the broker', async () => {
    const wanted = { topic: 'refused', partitions: 1, replicationFactor: 5, settings: {} };
    expect((await admin.checkNewTopics([wanted]))[0]?.refused).toMatchObject({
      error: 'INVALID_REPLICATION_FACTOR (38)',
      exists: false,
      retriable: false,
    });
    const change = { topic: 'like', key: 'retention.ms', value: 'soon' };
    expect((await admin.changeSettings([change]))[0]?.refused).toMatchObject({ retriable: false });
  });
});

async function settingsOf(admin: KafkaAdmin, topic: string) {
  const [facts] = await admin.topics([topic]);
  if (facts?.settings.known !== true) throw new Error(`${topic}: ${JSON.stringify(facts)}`);
  return settingsOncePlanned({ kind: 'fits', topic, notes: [] }, facts.settings.value);
}
