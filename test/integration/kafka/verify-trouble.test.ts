import { glob, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { tool } from './lab/java.ts';
import { portOf, user } from './lab/listeners.ts';
import { run } from './lab/running.ts';
import { createTopic } from './lab/tools.ts';
import { verified, verifying } from './verify/drover.ts';
import { give, someRecords } from './verify/give.ts';

const kept = { 'retention.ms': '-1' };
let source: Cluster;
let target: Cluster;

beforeAll(async () => {
  source = await startCluster({
    version: '4.3.1',
    brokers: 1,
    listeners: ['sasl', 'proxied'],
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // The plain listener and the broker itself may do everything; `drover`, who comes by SASL, what he is given.
      'super.users': 'User:ANONYMOUS',
    },
  });
  target = await startCluster({ version: '2.8.2', brokers: 1 });
});
afterAll(async () => {
  await source?.stop();
  await target?.stop();
});

describe('a target of Kafka 2.8.2', () => {
  test('is compared with a source of 4.3.1, also in messages of before v2', async () => {
    const old = { 'message.format.version': '0.10.2' };
    await createTopic(source, 'versions', { configs: kept });
    await createTopic(target, 'versions', { configs: { ...kept, ...old } });
    const records = plain(300);
    await give(source, { topic: 'versions', partition: 0 }, records, { codec: 'lz4' });
    await give(target, { topic: 'versions', partition: 0 }, records, { codec: 'gzip' });
    const { report, code } = await verified(source, target, 'versions');
    expect(report.topics[0]?.partitions[0]?.equal).toBe(300);
    expect(code).toBe(0);
  });
});

describe('what a user may not do', () => {
  const asDrover = async () => {
    const file = await source.clientConfig('sasl', 'SCRAM-SHA-512');
    return verifying(source.bootstrap('sasl'), target, 'guarded', '--source-config', file).ended;
  };

  test('is told with the command that allows it', async () => {
    for (const cluster of [source, target]) {
      await createTopic(cluster, 'guarded', { configs: kept });
      await give(cluster, { topic: 'guarded', partition: 0 }, plain(50));
    }
    const unseen = await asDrover();
    expect(unseen.code).toBe(1);
    expect(unseen.errors).toContain('guarded of the source: TOPIC_AUTHORIZATION_FAILED');
    expect(unseen.errors).toContain(`kafka-acls --add --allow-principal User:${user.name}`);
    await allow('Describe');
    const unread = await asDrover();
    expect(unread.code).toBe(1);
    expect(unread.errors).toContain('guarded-0 of the source');
    expect(unread.errors).toContain(`--operation Read`);
    await allow('Read');
    const read = await asDrover();
    expect(read.errors).toBe('');
    expect(read.code).toBe(0);
  });
});

describe('a record that is damaged on the disk of a broker', () => {
  test('is told with side, topic, partition, offset and byte', async () => {
    for (const cluster of [source, target]) {
      await createTopic(cluster, 'damaged', { configs: kept });
      await give(cluster, { topic: 'damaged', partition: 0 }, plain(300));
    }
    const broker = source.broker(1);
    await broker.stop();
    for await (const name of glob('damaged-0/*.log', { cwd: broker.data })) await damage(join(broker.data, name));
    await broker.start();
    await source.untilWhole();
    const { code, errors } = await verifying(source, target, 'damaged').ended;
    expect(code).toBe(1);
    expect(errors).toMatch(/source, damaged-0, batch at offset 200: checksum of a batch at byte \d+/);
  });
});

describe('a listener that is advertised at an address where nobody is', () => {
  test('is named with the broker that advertises it', async () => {
    const proxy = source.broker(1).proxy;
    if (proxy === null) throw new Error('no proxy');
    proxy.refuse();
    // The listener itself answers, and tells of the proxy's address.
    const advertised = source.bootstrap('proxied');
    const [host = ''] = advertised.split(':');
    const { code, errors } = await verifying(`${host}:${portOf('proxied', 1)}`, target, 'versions').ended;
    expect(code).toBe(1);
    expect(errors).toContain('broker 1 of the source cannot be reached where its listener is advertised');
    expect(errors).toContain(advertised);
    proxy.accept();
  });
});

/** Headers came with v2. */
function plain(count: number) {
  return someRecords(count).map((one) => ({ ...one, headers: [] as const }));
}

async function allow(operation: string): Promise<void> {
  const who = ['--allow-principal', `User:${user.name}`, '--operation', operation, '--topic', 'guarded'];
  const args = ['--bootstrap-server', source.bootstrap(), '--add', ...who];
  await run(tool(source, 'org.apache.kafka.tools.AclCommand', args), { timeLimitMs: 60_000 });
}

/** One bit in the records of the third of three batches. */
async function damage(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, size - 50);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.write(byte, 0, 1, size - 50);
  } finally {
    await file.close();
  }
}
