import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { CopyStatus } from '../../../src/core/move/operation/status.ts';
import { differences } from '../../docs/page.ts';
import { type Desk, openDesk, type RunningCommand } from './copy-command.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { digest, endOffset, produce } from './lab/kcat.ts';
import { addPartitions, alterConfig, createTopic } from './lab/tools.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '4.3.1', brokers: 1 }),
    startCluster({ version: '4.3.1', brokers: 1 }),
  ]);
  desk = openDesk(source, target);
});
afterAll(async () => {
  await desk?.close();
  await Promise.all([source?.stop(), target?.stop()]);
});

test('one partition at a time of a broker, by name, and none before the one before it is done', async () => {
  await createTopic(source, 'turns', { partitions: 3 });
  for (const partition of [0, 1, 2]) await give('turns', 3000, partition);
  const words = ['--partitions-per-broker', '1', '--order', 'name', '--max-rate', '200kB/s', '--yes', '--json'];
  const { code, text } = await desk.copy('turns', ...words).ended;
  expect(code).toBe(0);
  for (const { partitions } of statuses(text)) {
    const places = partitions.map(({ source: at }) => at);
    const begun = places.filter((at) => at > 0 && at < 3000);
    expect(begun.length, places.join(', ')).toBeLessThanOrEqual(1);
    expect(places, 'in their order').toEqual(places.toSorted((one, other) => other - one));
  }
  for (const partition of [0, 1, 2])
    expect(await digest(target, 'turns', partition)).toEqual(await digest(source, 'turns', partition));
});

test('partitions that the source gets while it is followed are journalled, made, and copied from their beginning', async () => {
  await createTopic(source, 'growing');
  await give('growing', 100, 0);
  const copy = desk.copy('growing', '--yes', '--follow');
  await vi.waitFor(async () => expect(await endOffset(target, 'growing', 0)).toBe(100), waiting);
  await addPartitions(source, 'growing', 3);
  for (const partition of [1, 2]) await give('growing', 50, partition);
  await vi.waitFor(async () => {
    for (const partition of [1, 2]) expect(await endOffset(target, 'growing', partition)).toBe(50);
  }, waiting);
  await ended(copy);
  const kinds = (await desk.journal(operationOf(copy))).map(({ kind }) => kind);
  expect(kinds.indexOf('partitions-found')).toBeGreaterThan(0);
  expect(kinds.indexOf('partitions-added')).toBeGreaterThan(kinds.indexOf('partitions-found'));
  for (const partition of [0, 1, 2])
    expect(await digest(target, 'growing', partition)).toEqual(await digest(source, 'growing', partition));
});

test('a batch that is refused by a setting for some seconds is taken once the setting is right; for longer it is told in the words of the broker', async () => {
  await createTopic(source, 'narrow');
  await give('narrow', 10, 0);
  const copy = desk.copy('narrow', '--yes', '--follow', '--json');
  await vi.waitFor(async () => expect(await endOffset(target, 'narrow', 0)).toBe(10), waiting);
  const narrow = async (bytes: string) =>
    await alterConfig(target, { type: 'topics', name: 'narrow' }, { set: { 'max.message.bytes': bytes } });
  await narrow('200');
  await give('narrow', 50, 0);
  const told = () => statuses(copy.text()).at(-1)?.partitions[0];
  await vi.waitFor(() => expect(told()?.why).toContain('it is tried again'), waiting);
  expect(told()?.state).toBe('waiting');
  await narrow('1000000');
  await vi.waitFor(async () => expect(await endOffset(target, 'narrow', 0)).toBe(60), waiting);
  await narrow('200');
  await give('narrow', 50, 0);
  expect((await copy.ended).code).toBe(2);
  const stopped = (await desk.journal(operationOf(copy))).find(({ kind }) => kind === 'partition-stopped');
  expect(JSON.stringify(stopped)).toContain('MESSAGE_TOO_LARGE');
  await narrow('1000000');
  await ended(copy);
});

test('a disk with less room than it is to keep holds the copy by its name, again after a resume, and figures tell of it', async () => {
  await createTopic(source, 'full');
  await give('full', 10, 0);
  const metrics = `${new URL(`http://${source.bootstrap()}`).hostname}:19464`;
  const copy = desk.copy('full', '--yes', '--follow', '--json', '--disk-floor', '100%', '--metrics', metrics);
  const told = () => statuses(copy.text()).at(-1);
  await vi.waitFor(
    () => expect(told()?.held?.why).toMatch(/^broker 1 of the target has .* left in .*--disk-floor/),
    waiting,
  );
  const response = await fetch(`http://${metrics}/metrics`);
  const text = await response.text();
  expect(text).toContain(`drover_copy_held{operation="${told()?.operation}"} 1`);
  expect(text).toMatch(/drover_copy_partition_source_offset\{.*topic="full",partition="0"\} \d+/);
  expect((await fetch(`http://${metrics}/else`)).status).toBe(404);
  expect((await desk.drover('resume', operationOf(copy)).ended).code).toBe(0);
  await vi.waitFor(async () => {
    const kinds = (await desk.journal(operationOf(copy))).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'copy-held')).toHaveLength(2);
  }, waiting);
  await ended(copy);
});

test('where nobody listens the error says what to look at', async () => {
  const sides = ['--source', '127.0.0.1:9', '--target', target.bootstrap()];
  for (const verb of ['copy', 'verify']) {
    const { code, errors } = await desk.drover('kafka', verb, ...sides, '--topics', 'a').ended;
    expect(code).toBe(1);
    expect(errors).toMatch(/the source cannot be reached: .*\n {2}--source and --target take HOST:PORT/);
  }
  const { errors } = await desk.copy('a', '--offsets', 'identical').ended;
  expect(errors).toMatch(/--offsets identical: .*\n {2}leave it out/);
});

const waiting = { timeout: 60_000, interval: 200 };

function statuses(text: string): CopyStatus[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const told = JSON.parse(line);
      expect(differences('kafka-copy.md', 'kafka-copy', told)).toEqual([]);
      return told.status === undefined ? [] : [told.status];
    });
}

/** As its own output has it. */
function operationOf({ text }: RunningCommand): string {
  return /copy-\d+/.exec(text())?.[0] ?? 'copy-0';
}

async function ended(copy: RunningCommand): Promise<void> {
  copy.child.kill('SIGINT');
  await copy.ended;
  expect((await desk.drover('abort', operationOf(copy)).ended).code).toBe(0);
}

async function give(topic: string, count: number, partition: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: `key ${index}`,
    value: `value ${index} `.repeat(20),
  }));
  await produce(source, topic, records, { partition, properties: { 'batch.num.messages': '100' } });
}
