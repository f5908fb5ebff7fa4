import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaVersion } from '../../../../scripts/fetch/kafka.ts';
import { previewText } from '../../../../src/cli/kafka/copy-preview/words.ts';
import { leversWhileBehind } from '../../../../src/core/move/topic-levers.ts';
import { batchOf } from '../../../../src/io/kafka/bytes/encode-batch.ts';
import { connectBroker } from '../../../../src/io/kafka/connection.ts';
import { wholeOf } from '../../../../src/io/kafka/messages/byte-range.ts';
import { produceApi } from '../../../../src/io/kafka/messages/produce.ts';
import { poolSettings } from '../../../../src/io/kafka/reader/open-reader.ts';
import { aclCommand, guarded } from '../lab/acls.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { openTransaction } from '../lab/kcat.ts';
import { user } from '../lab/listeners.ts';
import { createTopic } from '../lab/tools.ts';
import { consumeVerifiably } from '../lab/workloads.ts';
import { give, someRecords } from '../verify/give.ts';
import { adminOf } from './admin-of.ts';
import { previewOf } from './previewing.ts';

const clusters = new Map<KafkaVersion, Cluster>();

beforeAll(async () => {
  for (const version of ['4.3.1', '2.8.2'] as const) {
    // `drover`, who comes by SASL, may do what he is given.
    const properties = guarded(version);
    clusters.set(version, await startCluster({ version, brokers: 1, listeners: ['sasl'], properties }));
  }
});
afterAll(async () => {
  for (const cluster of clusters.values()) await cluster.stop();
});

describe.each([
  ['4.3.1', '2.8.2'],
  ['2.8.2', '4.3.1'],
] as const)('a user who has no rights, from %s to %s', (from, to) => {
  const topic = `guarded-${from}`;
  const stranger = `User:somebody of ${from}`;
  const at = async (version: KafkaVersion) => {
    const cluster = clusterOf(version);
    return { cluster, bootstrap: cluster.bootstrap('sasl'), configFile: await cluster.clientConfig('sasl') };
  };
  const preview = async () => {
    const reach = {
      source: `--bootstrap-server ${clusterOf(from).bootstrap()}`,
      target: `--bootstrap-server ${clusterOf(to).bootstrap()}`,
    };
    return previewOf(await at(from), await at(to), [topic], { reach });
  };

  test('is told all that it lacks, by commands after which all of a copy works and nothing is lacking', async () => {
    const source = clusterOf(from);
    const target = clusterOf(to);
    await createTopic(source, topic, { configs: { 'message.timestamp.type': 'LogAppendTime' } });
    await give(source, { topic, partition: 0 }, someRecords(200));
    await runCommand(
      source,
      `kafka-acls --bootstrap-server ${source.bootstrap()} --add --allow-principal '${stranger}' --operation Read --topic guard --resource-pattern-type prefixed`,
    );
    const before = await preview();
    // Every question was answered, also those that this user may not ask.
    expect(JSON.stringify(before)).not.toContain('no answer');
    expect(before.access.source).toMatchObject({ authorizer: 'there', principal: `User:${user.name}` });
    expect(before.obstacles.join('\n')).toContain(`User:${user.name} lacks on the source: Read on ${topic}`);
    for (const command of before.access.source.commands) await runCommand(source, command);
    for (const command of before.access.target.commands) await runCommand(target, command);
    await expect.poll(async () => (await preview()).obstacles, { timeout: 30_000 }).toEqual([]);
    // Once it sees the ACLs of both sides, it is told what it takes to make some: until then somebody else is told how.
    const entry = expect.objectContaining({ name: 'guard', principal: stranger });
    const between = await preview();
    const lacking = between.access.target.rights.filter(({ allowed }) => allowed.known && !allowed.value);
    const [told, others] = lacking.length > 0 ? (['leave', 'make'] as const) : (['make', 'leave'] as const);
    expect(between.acls).toMatchObject({ value: { [told]: expect.arrayContaining([entry]), [others]: [] } });
    for (const command of between.access.target.commands) await runCommand(target, command);
    const made = async () => (await preview()).acls;
    await expect.poll(made, { timeout: 30_000 }).toMatchObject({ value: { make: expect.arrayContaining([entry]) } });
    const after = await preview();
    for (const access of [after.access.source, after.access.target]) {
      expect(access.authorizer).toBe('there');
      expect(access.rights.filter(({ allowed }) => allowed.known && !allowed.value)).toEqual([]);
    }
    expect(previewText(after)).toContain('It can begin');
    const open = await openTransaction(source, topic, [{ key: 'a', value: 'b' }], { id: `of-${topic}`, partition: 0 });
    const { transactions } = await preview();
    await open.abandon();
    const named = from === '2.8.2' ? { known: false } : { known: true, value: { transactionalId: `of-${topic}` } };
    expect(transactions).toMatchObject({ known: true, value: [{ topic, partition: 0, details: named }] });
    await copyAsUser(target, topic, await at(to));
    const acls = after.acls.known ? after.acls.value.make : [];
    for (const { command } of acls) await runCommand(target, command);
    await expect.poll(made, { timeout: 30_000 }).toMatchObject({ known: true, value: { make: [], leave: [] } });
  });

  test('and whose ACLs are made and taken away has that twice without an error, and nothing else is taken', async () => {
    const admin = adminOf(clusterOf(to));
    const acl = {
      name: topic,
      pattern: 'literal',
      principal: 'User:bob',
      host: '*',
      operation: 3,
      permission: 'allow',
    } as const;
    try {
      for (let time = 0; time < 2; time++) expect(await admin.makeAcls([acl])).toEqual([{ acl, refused: null }]);
      const told = async () => {
        const acls = await admin.topicAcls();
        return acls.known && acls.value !== 'none' ? acls.value : [];
      };
      // A broker learns of them a moment after the controller.
      await expect.poll(told, { timeout: 30_000 }).toContainEqual(acl);
      const like = { ...acl, operation: 4 };
      await admin.makeAcls([like]);
      await expect.poll(told, { timeout: 30_000 }).toContainEqual(like);
      for (let time = 0; time < 2; time++) expect(await admin.deleteAcls([acl])).toEqual([{ acl, refused: null }]);
      await expect.poll(told, { timeout: 30_000 }).not.toContainEqual(acl);
      expect(await told()).toContainEqual(like);
    } finally {
      await admin.close();
    }
  });
});

/** All that a copy does on the target, beside what it reads there: as the user who was given rights. */
async function copyAsUser(
  cluster: Cluster,
  topic: string,
  at: { readonly bootstrap: string; readonly configFile: string },
) {
  const admin = adminOf(cluster, at);
  const producer = await producerOf(at);
  try {
    const wanted = { topic, partitions: 1, replicationFactor: 1, settings: { 'retention.ms': '1000' } };
    const [made] = await admin.makeTopics([wanted]);
    expect(made?.refused).toBeNull();
    const [facts] = await admin.topics([topic]);
    if (facts?.settings.known !== true) throw new Error(JSON.stringify(facts));
    const levers = leversWhileBehind(topic, facts.settings.value, 1000);
    const set = levers.map(({ key, whileCopying }) => ({ topic, key, value: whileCopying }));
    expect(await admin.changeSettings(set)).toEqual([{ topic, refused: null }]);
    expect(await producer.append(topic)).toBe(0);
    expect(await admin.held(facts)).toMatchObject({ known: true, value: [{ last: { producerId: `${2n ** 62n}` } }] });
    // As the plain user, who may do everything.
    await consumeVerifiably(cluster, topic, { records: 1, group: `readers-of-${topic}` });
    await expect.poll(() => admin.groupsCommittedOn([topic])).toEqual([{ group: `readers-of-${topic}`, topic }]);
    expect(await admin.deleteTopics([{ topic, topicId: made?.topicId ?? null }])).toEqual([{ topic, refused: null }]);
  } finally {
    await producer.close();
    await admin.close();
  }
}

/** Idempotent, by an id that no cluster has allocated. */
async function producerOf({ bootstrap, configFile }: { readonly bootstrap: string; readonly configFile: string }) {
  const [host = '', port = ''] = bootstrap.split(':');
  const { settings } = poolSettings({ side: 'target', bootstrap: [], configFile, version: '0' }, 'test');
  const connection = await connectBroker({ ...settings, host, port: Number(port) }, new AbortController().signal);
  const appender = { producerId: 2n ** 62n, producerEpoch: 0, baseSequence: 0 };
  const record = { key: null, value: Buffer.from('value'), headers: [], timestamp: Date.now() };
  const partitions = [{ partition: 0, records: wholeOf(batchOf([record], 'none', appender)) }];
  const append = async (topic: string): Promise<number> => {
    const request = { transactionalId: null, acks: 'all', timeoutMs: 30_000, topics: [{ topic, partitions }] } as const;
    const { topics } = await connection.call(produceApi, request);
    const code = topics[0]?.partitions[0]?.errorCode ?? -1;
    // A new topic has a leader a moment before it takes anything.
    return code === 6 || code === 3 ? await append(topic) : code;
  };
  return { append, close: () => connection.close() };
}

function clusterOf(version: KafkaVersion): Cluster {
  const cluster = clusters.get(version);
  if (cluster === undefined) throw new Error(`no cluster of ${version}`);
  return cluster;
}

/** As a shell would take it apart. */
async function runCommand(cluster: Cluster, command: string): Promise<void> {
  const words = [...command.matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(([, inQuotes, bare]) => bare ?? inQuotes ?? '');
  expect(words[0]).toBe('kafka-acls');
  await aclCommand(cluster, words.slice(1));
}
