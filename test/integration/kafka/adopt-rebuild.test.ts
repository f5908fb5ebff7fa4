import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Desk, openDesk } from './copy-command.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { codecs, digest, endOffset, produce } from './lab/kcat.ts';
import { configOf, createTopic } from './lab/tools.ts';
import { consumeVerifiably, copyInTransactions, produceVerifiably } from './lab/workloads.ts';

/** Both wait half a minute for what may be on its way. */
const slow = { timeout: 300_000 };

let source: Cluster;
let target: Cluster;
const desks: Desk[] = [];

beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '4.3.1', brokers: 1 }),
    startCluster({ version: '4.3.1', brokers: 1 }),
  ]);
});
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.close();
});
afterAll(() => Promise.all([source?.stop(), target?.stop()]));

/** Of somebody who knows nothing of any other. */
function desk(): Desk {
  const opened = openDesk(source, target);
  desks.push(opened);
  return opened;
}

describe('a copy whose state directory is lost', () => {
  test(
    'goes on from what is proven, in every codec, over transactions, and where batches were made anew',
    slow,
    async () => {
      await createTopic(source, 'lost-codecs', { partitions: codecs.length });
      for (const [partition, codec] of codecs.entries()) await give(source, 'lost-codecs', 500, { partition, codec });
      await createTopic(source, 'lost-times', { configs: { 'message.timestamp.type': 'LogAppendTime' } });
      await give(source, 'lost-times', 300, { codec: 'zstd' });
      for (const topic of ['before', 'lost-transactions']) await createTopic(source, topic);
      await produceVerifiably(source, 'before', { records: 200 });
      await copyInTransactions(source, {
        ...{ from: 'before', partition: 0, to: 'lost-transactions', records: 200, name: 'mapper' },
        ...{ transactionSize: 10, aborts: true },
      });
      expect((await desk().copy('lost-.*', '--yes').ended).code).toBe(0);
      for (const [partition, codec] of codecs.entries()) await give(source, 'lost-codecs', 100, { partition, codec });
      await give(source, 'lost-times', 100);
      const other = desk();
      const refused = await other.copy('lost-.*', '--yes').ended;
      expect(refused.code).toBe(1);
      expect(refused.errors).toContain('--adopt proves that');
      const { code, text, errors } = await other.copy('lost-.*', '--yes', '--adopt').ended;
      expect(code, errors).toBe(0);
      expect(text).toMatch(/lost-codecs-4: proven: offsets 0 to 499 of the target are 0 to 499 of the source/);
      expect(text).toMatch(/lost-times-0: proven: .* of them made anew/);
      for (const partition of codecs.keys())
        expect(await digest(target, 'lost-codecs', partition)).toEqual(await digest(source, 'lost-codecs', partition));
      expect((await other.verify('lost-.*')).text).toContain('equal');
      const proof = await other.drover('kafka', 'prove').ended;
      expect(proof.code, proof.text).toBe(0);
      expect((await other.drover('journal', 'verify').ended).code).toBe(0);
    },
  );

  test('is refused by offset where somebody else has written, and nothing is written or made', async () => {
    await createTopic(source, 'strange');
    await give(source, 'strange', 100);
    expect((await desk().copy('strange', '--yes').ended).code).toBe(0);
    await give(target, 'strange', 5);
    const other = desk();
    const { code, text, errors } = await other.copy('strange', '--yes', '--adopt').ended;
    expect(code).toBe(1);
    expect(text).toMatch(/strange-0: NOT proven: offset 100 of the target: the target's batch at 100 .* by somebody/);
    expect(errors).toContain('is not proven, and nothing was written');
    expect(await endOffset(target, 'strange', 0)).toBe(105);
    expect(segments(other)).toEqual([]);
  });
});

describe('a topic of the target that is made anew', () => {
  test('is shown, deleted and copied once more, also where its controller is killed in the middle', slow, async () => {
    await createTopic(source, 'anew', { partitions: 2, configs: { 'retention.ms': '3600000' } });
    for (const partition of [0, 1]) await give(source, 'anew', 200, { partition });
    const own = desk();
    expect((await own.copy('anew', '--yes').ended).code).toBe(0);
    const before = await idOf(own, 'anew');
    const shown = await own.copy('anew', '--rebuild', 'anew').ended;
    expect(shown.code).toBe(2);
    expect(shown.text).toContain('anew is deleted on the target and made anew');
    const killed = own.copy('anew', '--yes', '--rebuild', 'anew');
    await vi.waitFor(() => expect(killed.text()).toContain('nobody needs anew'), { timeout: 90_000, interval: 20 });
    killed.child.kill('SIGKILL');
    await killed.ended;
    const { code, text, errors } = await own.copy('anew', '--yes').ended;
    expect(code, errors).toBe(0);
    expect(text).toContain('anew is gone from the target');
    expect(await idOf(own, 'anew')).not.toBe(before);
    expect(await configOf(target, { type: 'topics', name: 'anew' })).toMatchObject({ 'retention.ms': '3600000' });
    for (const partition of [0, 1])
      expect(await digest(target, 'anew', partition)).toEqual(await digest(source, 'anew', partition));
    const proof = await own.drover('kafka', 'prove').ended;
    expect(proof.code, proof.text).toBe(0);
  });

  test('is refused where a batch is not ours, or a group has committed on it', async () => {
    for (const topic of ['foreign', 'read']) await createTopic(source, topic);
    await give(source, 'foreign', 50);
    await produceVerifiably(source, 'read', { records: 50 });
    const own = desk();
    expect((await own.copy('foreign|read', '--yes').ended).code).toBe(0);
    await give(target, 'foreign', 3);
    await consumeVerifiably(target, 'read', { group: 'readers', records: 50 });
    const foreign = await own.copy('foreign|read', '--yes', '--rebuild', 'foreign').ended;
    expect(foreign.code).toBe(1);
    expect(foreign.errors).toContain('foreign-0: the batch at offset 50 (3 records)');
    const read = await own.copy('foreign|read', '--yes', '--rebuild', 'read').ended;
    expect(read.code).toBe(1);
    expect(read.errors).toContain('groups have committed offsets on it, and nothing was done: readers');
    expect(await endOffset(target, 'foreign', 0)).toBe(53);
    expect(await endOffset(target, 'read', 0)).toBe(50);
  });
});

type Giving = Parameters<typeof produce>[3];

async function give(to: Cluster, topic: string, count: number, options: Giving = {}): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: `key ${index}`,
    value: `value ${index} `.repeat(9),
  }));
  await produce(to, topic, records, options);
}

/** Of the topic of the target, by what the newest copy knows. */
async function idOf(own: Desk, topic: string): Promise<string> {
  const { text } = await own.drover('kafka', 'prove', '--json').ended;
  const proof: { readonly topics: readonly { readonly topic: string; readonly targetId: string }[] } = JSON.parse(text);
  return proof.topics.find((one) => one.topic === topic)?.targetId ?? 'none';
}

/** Files of ledgers. */
function segments({ directory }: Desk): string[] {
  const names = readdirSync(join(directory, '.drover'), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith('.segment'));
}
