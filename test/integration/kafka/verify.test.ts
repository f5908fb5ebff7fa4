import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fetchKcat } from '../../../scripts/fetch/kcat.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { openTransaction, produce } from './lab/kcat.ts';
import { run } from './lab/running.ts';
import { createTopic, deleteRecords } from './lab/tools.ts';
import { copyInTransactions, produceVerifiably } from './lab/workloads.ts';
import { type Partition, verified, verifying } from './verify/drover.ts';
import { everyCodec, give, someRecords } from './verify/give.ts';

const none = { missing: 0, extra: 0, repeated: 0, reordered: 0, changed: 0, retimed: 0 };
let source: Cluster;
let target: Cluster;

beforeAll(async () => {
  source = await startCluster({ version: '4.3.1', brokers: 1, listeners: ['proxied', 'sasl', 'tls', 'sasl-tls'] });
  target = await startCluster({ version: '4.3.1', brokers: 1, listeners: ['sasl', 'tls', 'sasl-tls'] });
});
afterAll(async () => {
  await source?.stop();
  await target?.stop();
});

describe('what both sides were given', () => {
  test('is equal, whatever the codecs and the batches', async () => {
    await createBoth('equal', everyCodec.length);
    for (const [partition, codec] of everyCodec.entries()) {
      await give(source, { topic: 'equal', partition }, someRecords(400), { codec });
      await give(target, { topic: 'equal', partition }, someRecords(400), { batchRecords: 7 });
    }
    const { report, code } = await verified(source, target, 'equal');
    expect(report).toMatchObject({ verdict: 'equal', lacking: [], uneven: [] });
    expect(report.topics[0]?.partitions.map(({ equal }) => equal)).toEqual(everyCodec.map(() => 400));
    expect(code).toBe(0);
  });

  test.each([
    ['changed', replaced, [{ kind: 'changed', source: { from: 200, to: 200 }, target: { from: 200, to: 200 } }]],
    ['lost', lost, [{ kind: 'missing', source: { from: 200, to: 200 }, target: null }]],
    ['doubled', doubled, [{ kind: 'repeated', source: null, target: { from: 200, to: 200 } }]],
    ['swapped', swapped, [{ kind: 'reordered', count: 1 }]],
  ] as const)('one record %s on the way is told with its offsets', async (name, edit, runs) => {
    const topic = `one-${name}`;
    await createBoth(topic, 1);
    await give(source, { topic, partition: 0 }, someRecords(400));
    await give(target, { topic, partition: 0 }, edit(someRecords(400)), { codec: 'zstd' });
    const { report, code } = await verified(source, target, topic);
    expect(code).toBe(2);
    expect(report.topics[0]?.partitions[0]?.runs).toMatchObject(runs);
    const { text } = await verifying(source, target, topic).ended;
    expect(text).toContain(`${topic}-0: different`);
  });
});

describe('a copy by kcat', () => {
  test('has other times and nothing else, which is said once for a topic', async () => {
    await createBoth('piped', 2);
    for (const partition of [0, 1]) await produce(source, 'piped', plainRecords(500), { partition, codec: 'lz4' });
    await pipe('piped', [0, 1]);
    const { report, code } = await verified(source, target, 'piped');
    expect(report.topics[0]?.partitions.map(({ counts }) => counts)).toEqual([
      { ...none, retimed: 500 },
      { ...none, retimed: 500 },
    ]);
    expect(code).toBe(2);
    const { text } = await verifying(source, target, 'piped').ended;
    expect(text.split('\n').filter((line) => line.includes('other times'))).toHaveLength(1);
  });

  test('with times of the append on the target is told so', async () => {
    await createTopic(source, 'stamped');
    await createTopic(target, 'stamped', { configs: { 'message.timestamp.type': 'LogAppendTime' } });
    await produce(source, 'stamped', plainRecords(300), { partition: 0 });
    await pipe('stamped', [0]);
    const { text, code } = await verifying(source, target, 'stamped').ended;
    expect(text.split('LogAppendTime')).toHaveLength(2);
    expect(text).not.toContain('source offset');
    expect(code).toBe(2);
  });

  test('of transactions lacks neither what was aborted nor the markers', async () => {
    for (const topic of ['in', 'out']) await createTopic(source, topic);
    await createTopic(target, 'out');
    await produceVerifiably(source, 'in', { records: 400 });
    const how = {
      from: 'in',
      partition: 0,
      to: 'out',
      records: 400,
      transactionSize: 20,
      name: 'copier',
      aborts: true,
    };
    await copyInTransactions(source, how);
    await pipe('out', [0]);
    const { report } = await verified(source, target, 'out');
    expect(report.topics[0]?.partitions[0]?.counts).toEqual({ ...none, retimed: 400 });
  });
});

describe('what cannot be compared any more', () => {
  test('is undecidable where the source has deleted what the target has', async () => {
    await createBoth('shortened', 1);
    for (const side of [source, target]) await give(side, { topic: 'shortened', partition: 0 }, someRecords(400));
    await deleteRecords(source, [{ topic: 'shortened', partition: 0, offset: 150 }]);
    const { report, code } = await verified(source, target, 'shortened');
    expect(report.topics[0]?.partitions[0]).toMatchObject({
      verdict: 'undecidable',
      equal: 250,
      counts: none,
      before: { side: 'target', offsets: { from: 0, to: 149 }, count: 150 },
    });
    expect(code).toBe(3);
    const back = await verified(target, source, 'shortened');
    expect(back.report.topics[0]?.partitions[0]).toMatchObject({ verdict: 'different', before: { side: 'source' } });
    expect(back.code).toBe(2);
    await deleteRecords(source, [{ topic: 'shortened', partition: 0, offset: -1 }]);
    expect((await verified(source, target, 'shortened')).code).toBe(3);
  });

  test('is undecidable where a side is compacted', async () => {
    const configs = { ...kept, 'cleanup.policy': 'compact' };
    await createTopic(source, 'compact', { configs });
    await createTopic(target, 'compact', { configs });
    const keyed = someRecords(300).map((one, at) => ({ ...one, key: `key-${at % 5}` }));
    await give(source, { topic: 'compact', partition: 0 }, keyed);
    await give(target, { topic: 'compact', partition: 0 }, keyed);
    expect((await verified(source, target, 'compact')).code).toBe(0);
    await createTopic(target, 'compacted-more', { configs });
    await createTopic(source, 'compacted-more', { configs });
    await give(source, { topic: 'compacted-more', partition: 0 }, keyed);
    await give(target, { topic: 'compacted-more', partition: 0 }, keyed.slice(-20));
    const { report, code } = await verified(source, target, 'compacted-more');
    expect(report.topics[0]?.verdict).toBe('undecidable');
    expect(code).toBe(3);
  });

  test('an open transaction is held back and said', async () => {
    await createBoth('open', 1);
    for (const side of [source, target]) await give(side, { topic: 'open', partition: 0 }, someRecords(10));
    const open = await openTransaction(source, 'open', [{ key: 'a', value: 'b' }], { id: 'left-open', partition: 0 });
    const { report, code } = await verified(source, target, 'open');
    expect(code).toBe(0);
    expect(partitionOf(report).notes.join()).toContain('wait for an open transaction');
    await open.commit();
    expect((await verified(source, target, 'open')).code).toBe(2);
  });
});

describe('topics', () => {
  test('that one side lacks, and other numbers of partitions, are differences', async () => {
    await createTopic(source, 'only-here');
    await createTopic(source, 'grown', { partitions: 3 });
    await createTopic(target, 'grown', { partitions: 2 });
    const { report, code } = await verified(source, target, 'only-here|grown');
    expect(report.lacking).toEqual([{ topic: 'only-here', side: 'target' }]);
    expect(report.uneven).toEqual([{ topic: 'grown', source: 3, target: 2 }]);
    expect(code).toBe(2);
    expect((await verified(source, target, 'only-here|grown', '--exclude', 'only.*')).report.lacking).toEqual([]);
  });

  test('that nobody has are an error, and the expression holds for whole names', async () => {
    const { code, errors } = await verifying(source, target, 'equa').ended;
    expect(code).toBe(1);
    expect(errors).toContain('no topic of either side');
    expect((await verifying(source, target, '__.*').ended).code).toBe(1);
  });
});

describe('a cluster', () => {
  test.each(['sasl', 'tls', 'sasl-tls'] as const)(
    'is reached through the listener %s by the file of its tools',
    async (listener) => {
      for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
        const file = await source.clientConfig(listener, mechanism, { 'request.timeout.ms': '5000' });
        const { report, code } = await verified(source.bootstrap(listener), target, 'equal', '--source-config', file);
        expect(report.topics[0]?.partitions.map(({ equal }) => equal)).toEqual(everyCodec.map(() => 400));
        expect(code).toBe(0);
        if (listener === 'tls') break;
      }
    },
  );

  test('that does not let us in says why, and has no secret in it', async () => {
    const jaas =
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="drover" password="a guess";';
    const file = await source.clientConfig('sasl', 'SCRAM-SHA-512', { 'sasl.jaas.config': jaas });
    const wrong = await verifying(source.bootstrap('sasl'), target, 'equal', '--source-config', file).ended;
    expect(wrong.code).toBe(1);
    expect(wrong.errors).toContain('is not let in');
    expect(wrong.errors).not.toContain('a guess');
    const without = await verifying(source.bootstrap('sasl'), target, 'equal').ended;
    expect(without.errors).toContain('--source-config');
    const untrusted = await source.clientConfig('tls', 'PLAIN', {
      'ssl.truststore.location': source.certificates?.client ?? '',
    });
    const stranger = await verifying(source.bootstrap('tls'), target, 'equal', '--source-config', untrusted).ended;
    expect(stranger.errors).toContain('TLS failed');
    const plain = await verifying(source.bootstrap('tls'), target, 'equal').ended;
    expect(plain.errors).toContain('TLS');
    expect([without.code, stranger.code, plain.code]).toEqual([1, 1, 1]);
  });

  test('that is not there, or whose advertised address is not, is named', async () => {
    const nobody = await verifying('127.0.0.1:1', target, 'equal').ended;
    expect(nobody.code).toBe(1);
    expect(nobody.errors).toContain('127.0.0.1:1');
  });

  test('whose broker is killed in the middle is waited for, and Ctrl-C ends that at once', async () => {
    await createBoth('long', 1);
    for (const side of [source, target])
      await give(side, { topic: 'long', partition: 0 }, someRecords(60_000), { batchRecords: 1000 });
    const broker = source.broker(1);
    const proxy = broker.proxy;
    if (proxy === null) throw new Error('no proxy');
    const cut = proxy.cutAfter('to-client', 2_000_000);
    const going = verifying(source.bootstrap('proxied'), target, 'long', '--json');
    await cut;
    proxy.refuse();
    await broker.kill();
    await broker.start();
    await source.untilWhole();
    proxy.accept();
    const { code, text } = await going.ended;
    expect(JSON.parse(text)).toMatchObject({ verdict: 'equal' });
    expect(code).toBe(0);
    proxy.hold();
    const stuck = verifying(source.bootstrap('proxied'), target, 'long');
    await vi.waitFor(() => expect(proxy.connections()).toBeGreaterThan(0), { timeout: 30_000 });
    stuck.child.kill('SIGINT');
    expect((await stuck.ended).code).toBe(1);
    proxy.release();
  });
});

/** Records of a fixed time are older than what brokers keep by themselves. */
const kept = { 'retention.ms': '-1' };

async function createBoth(topic: string, partitions: number): Promise<void> {
  for (const cluster of [source, target]) await createTopic(cluster, topic, { partitions, configs: kept });
}

function plainRecords(count: number) {
  return someRecords(count).map((_, at) => ({ key: `key-${at % 7}`, value: `value ${at}` }));
}

/** kcat reads the source, and kcat writes what it has read into the target. */
async function pipe(topic: string, partitions: readonly number[]): Promise<void> {
  const path = await fetchKcat();
  for (const partition of partitions) {
    const place = ['-t', topic, '-p', String(partition), '-K', '\u001f', '-D', '\u001e', '-X'];
    const { environment } = source;
    const read = ['-C', '-q', '-e', '-b', source.bootstrap(), ...place, 'isolation.level=read_committed'];
    const { stdout } = await run({ name: 'kcat', path, args: read, environment }, { timeLimitMs: 60_000 });
    const write = ['-P', '-Z', '-b', target.bootstrap(), ...place, 'acks=all'];
    await run(
      { name: 'kcat', path, args: write, environment: target.environment },
      { timeLimitMs: 60_000, input: stdout },
    );
  }
}

function partitionOf({
  topics,
}: {
  readonly topics: readonly { readonly partitions: readonly Partition[] }[];
}): Partition {
  const partition = topics[0]?.partitions[0];
  if (partition === undefined) throw new Error('no partition');
  return partition;
}

type Records = ReturnType<typeof someRecords>;

function replaced(records: Records): Records {
  return records.map((one, at) => (at === 200 ? { ...one, value: 'another one' } : one));
}
function lost(records: Records): Records {
  return records.filter((_, at) => at !== 200);
}
function doubled(records: Records): Records {
  return [...records.slice(0, 200), ...records.slice(199)];
}
function swapped(records: Records): Records {
  const [one, other] = [records[200], records[201]];
  return [
    ...records.slice(0, 200),
    ...(other === undefined ? [] : [other]),
    ...(one === undefined ? [] : [one]),
    ...records.slice(202),
  ];
}
