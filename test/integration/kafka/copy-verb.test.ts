import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { differences } from '../../docs/page.ts';
import { type Desk, openDesk } from './copy-command.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { codecs, consume, digest, endOffset, openTransaction, produce } from './lab/kcat.ts';
import { alterConfig, configOf, createTopic } from './lab/tools.ts';
import { consumeVerifiably, copyInTransactions, produceVerifiably } from './lab/workloads.ts';

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

describe('drover kafka copy', () => {
  test('shows what it would change, and does nothing, until somebody agrees', async () => {
    await createTopic(source, 'asked', { partitions: 2, configs: { 'retention.ms': '3600000' } });
    await give('asked', 100);
    const { code, text } = await desk.copy('asked').ended;
    expect(code).toBe(2);
    expect(text).toContain('asked is made: 2 partitions');
    expect(text).toContain('retention.ms=3600000');
    const { partitions } = await target.metadata();
    expect(partitions.map(({ topic }) => topic)).not.toContain('asked');
  });

  test('makes the topic, copies all of it, restores what it had set aside, and the sides are equal', async () => {
    await createTopic(source, 'plain', { partitions: codecs.length, configs: { 'retention.ms': '3600000' } });
    for (const [partition, codec] of codecs.entries()) await give('plain', 2000, { partition, codec });
    const { code, text, errors } = await desk.copy('plain', '--yes').ended;
    expect(`${errors}${text}`).toContain('copied');
    expect(code).toBe(0);
    for (const partition of codecs.keys())
      expect(await digest(target, 'plain', partition)).toEqual(await digest(source, 'plain', partition));
    expect((await desk.verify('plain')).code).toBe(0);
    expect(desk.movers()).toEqual([]);
  });

  test('copies later what has come since, and nothing twice; with nothing to do it is done', async () => {
    await createTopic(source, 'later');
    await give('later', 500);
    expect((await desk.copy('later', '--yes').ended).code).toBe(0);
    await give('later', 300);
    const { code, text } = await desk.copy('later', '--yes').ended;
    expect(code).toBe(0);
    expect(text).toContain('800 records');
    expect((await desk.copy('later', '--yes').ended).code).toBe(0);
    expect(await digest(target, 'later', 0)).toEqual(await digest(source, 'later', 0));
  });

  test('refuses a topic that holds what no ledger here knows, with what stands there', async () => {
    await createTopic(source, 'foreign');
    await createTopic(target, 'foreign');
    await give('foreign', 100);
    await give('foreign', 10, { to: target });
    const { code, errors } = await desk.copy('foreign', '--yes').ended;
    expect(code).toBe(1);
    expect(errors).toContain('foreign: the target holds records of it that no copy of ours has written');
    expect(errors).toContain('partition 0 has 0 to 9');
  });

  test('gives a topic that is there the settings and partitions that it lacks, once somebody has agreed', async () => {
    await createTopic(source, 'uneven', { partitions: 3, configs: { 'segment.bytes': '20000000' } });
    await createTopic(target, 'uneven', { partitions: 1 });
    for (const partition of [0, 1, 2]) await give('uneven', 100, { partition });
    const shown = await desk.copy('uneven').ended;
    expect(shown.text).toContain('segment.bytes: 20000000 on the source');
    expect((await desk.copy('uneven', '--yes').ended).code).toBe(0);
    expect(await configOf(target, { type: 'topics', name: 'uneven' })).toMatchObject({ 'segment.bytes': '20000000' });
    for (const partition of [0, 1, 2])
      expect(await digest(target, 'uneven', partition)).toEqual(await digest(source, 'uneven', partition));
  });

  test('gives up on an open transaction after --wait, says so, and goes on once it is over', async () => {
    await createTopic(source, 'open');
    await give('open', 100);
    const records = [{ key: 'k', value: 'in a transaction' }];
    const transaction = await openTransaction(source, 'open', records, { id: 'holder', partition: 0 });
    const { code, text } = await desk.copy('open', '--yes', '--wait', '3s').ended;
    expect(code).toBe(3);
    expect(text).toContain('an open transaction of the source holds back what is left');
    await transaction.commit();
    expect((await desk.copy('open', '--yes').ended).code).toBe(0);
    expect(await digest(target, 'open', 0)).toEqual(await digest(source, 'open', 0));
  });

  test('tells where each offset is on the other side, and why one is nowhere', async () => {
    for (const topic of ['before', 'mapped']) await createTopic(source, topic);
    await produceVerifiably(source, 'before', { records: 200 });
    await copyInTransactions(source, {
      ...{
        from: 'before',
        partition: 0,
        to: 'mapped',
        records: 200,
        name: 'mapper',
        transactionSize: 10,
        aborts: true,
      },
    });
    expect((await desk.copy('mapped', '--yes').ended).code).toBe(0);
    const [there, here] = [await consume(target, 'mapped', 0), await consume(source, 'mapped', 0)];
    expect(there).toHaveLength(200);
    const places = here.map(({ offset }) => `mapped:0:${offset}`);
    expect(await offsetsOf(places)).toEqual(there.map(({ offset }) => offset));
    expect(
      await offsetsOf(
        there.map(({ offset }) => `mapped:0:${offset}`),
        'target',
      ),
    ).toEqual(here.map(({ offset }) => offset));
    const committed = new Set(here.map(({ offset }) => offset));
    const gap = [...Array(here.at(-1)?.offset ?? 0).keys()].find((offset) => !committed.has(offset)) ?? 0;
    const { code, text } = await desk.drover('kafka', 'offsets', `mapped:0:${gap}`).ended;
    expect(code).toBe(2);
    const next = here.findIndex(({ offset }) => offset > gap);
    expect(text).toContain(`has no counterpart`);
    expect(text).toContain(`the next one is target ${there[next]?.offset}`);
  });

  test('is followed until it is asked to end, and then goes on by the same command', async () => {
    await createTopic(source, 'followed');
    await give('followed', 100);
    const copy = desk.copy('followed', '--yes', '--follow');
    await vi.waitFor(async () => expect(await endOffset(target, 'followed', 0)).toBe(100), waiting);
    const other = await desk.copy('followed|asked', '--yes').ended;
    expect(other.errors).toContain('is unfinished, and copies followed already');
    await give('followed', 50);
    await vi.waitFor(async () => expect(await endOffset(target, 'followed', 0)).toBe(150), waiting);
    copy.child.kill('SIGTERM');
    expect((await copy.ended).code).toBe(2);
    await give('followed', 50);
    const again = desk.copy('followed', '--yes', '--follow');
    await vi.waitFor(async () => expect(await endOffset(target, 'followed', 0)).toBe(200), waiting);
    again.child.kill('SIGINT');
    expect((await again.ended).code).toBe(2);
    const { operation } = await newest();
    expect((await desk.drover('abort', operation).ended).code).toBe(0);
    expect(await digest(target, 'followed', 0)).toEqual(await digest(source, 'followed', 0));
  });
});

describe('a copy that is aborted', () => {
  test('has its settings restored, but for what somebody has changed, and is removed only where it is ours', async () => {
    const configs = { 'retention.ms': '3600000', 'retention.bytes': '50000000' };
    for (const topic of ['ours', 'used', 'mixed']) {
      await createTopic(source, topic, { configs });
      await give(topic, 200);
    }
    const copy = desk.copy('ours|used|mixed', '--yes', '--follow');
    for (const topic of ['ours', 'used', 'mixed'])
      await vi.waitFor(async () => expect(await endOffset(target, topic, 0)).toBe(200), waiting);
    expect(await configOf(target, { type: 'topics', name: 'ours' })).toMatchObject({ 'retention.ms': '-1' });
    await alterConfig(target, { type: 'topics', name: 'used' }, { set: { 'retention.ms': '7200000' } });
    const { operation } = await newest();
    const aborted = await desk.drover('abort', operation, '--reason', 'another day').ended;
    expect(aborted.code).toBe(0);
    expect(aborted.text).toContain('used: retention.ms is 7200000 now');
    expect((await copy.ended).code).toBe(2);
    expect(await configOf(target, { type: 'topics', name: 'ours' })).toMatchObject(configs);
    expect(await configOf(target, { type: 'topics', name: 'used' })).toMatchObject({ 'retention.ms': '7200000' });
    expect((await desk.drover('why', operation).ended).text).toContain('asked for an end: another day');
    await give('mixed', 1, { to: target });
    await consumeVerifiably(target, 'used', { group: 'readers', records: 200 });
    const removed = await desk.drover('back', operation).ended;
    expect(removed.code).toBe(2);
    expect(removed.text).toContain('groups have committed offsets on it: readers');
    expect(removed.text).toContain('holds what is not ours');
    const { partitions } = await target.metadata();
    const names = partitions.map(({ topic }) => topic);
    expect(names).toEqual(expect.arrayContaining(['used', 'mixed']));
    expect(names).not.toContain('ours');
  });
});

const waiting = { timeout: 60_000, interval: 200 };

type Row = { readonly counterpart: number | null };

async function offsetsOf(places: readonly string[], of = 'source'): Promise<(number | null)[]> {
  const { text } = await desk.drover('kafka', 'offsets', '--of', of, '--json', ...places).ended;
  const rows: Row[] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  for (const row of rows) expect(differences('kafka-offsets.md', 'kafka-offsets', row)).toEqual([]);
  return rows.map(({ counterpart }) => counterpart);
}

async function newest(): Promise<{ readonly operation: string }> {
  const { text } = await desk.drover('kafka', 'status', '--json').ended;
  const told = JSON.parse(text);
  expect(differences('kafka-status.md', 'kafka-status', told)).toEqual([]);
  return told.copies.at(-1).status;
}

type Giving = Parameters<typeof produce>[3] & { readonly to?: Cluster };

async function give(topic: string, count: number, { to = source, ...options }: Giving = {}): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: `key ${index}`,
    value: `value ${index} `.repeat(9),
  }));
  await produce(to, topic, records, options);
}
