import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { copyTiming } from '../../../src/cli/kafka/copy/control.ts';
import { differences } from '../../docs/page.ts';
import { type Desk, openDesk } from './copy-command.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { codecs, consume, digest, endOffset, openTransaction, produce } from './lab/kcat.ts';
import { user } from './lab/listeners.ts';
import { addPartitions, alterConfig, configOf, createTopic, deleteTopic } from './lab/tools.ts';
import { consumeVerifiably, copyInTransactions, produceVerifiably } from './lab/workloads.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '4.3.1', brokers: 1, listeners: ['sasl-tls'] }),
    startCluster({ version: '4.3.1', brokers: 1, listeners: ['sasl-tls'] }),
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
    const dry = await desk.copy('asked', '--dry-run', '--max-rate', '60MB/s').ended;
    expect(dry.text).toContain('asked');
    expect(dry.code).toBe(0);
    expect((await target.metadata()).partitions.map(({ topic }) => topic)).not.toContain('asked');
  });

  test('makes the topic, copies all of it, restores what it had set aside, and the sides are equal', async () => {
    await createTopic(source, 'plain', { partitions: codecs.length, configs: { 'retention.ms': '3600000' } });
    for (const [partition, codec] of codecs.entries()) await give('plain', 2000, { partition, codec });
    const { code, text, errors } = await desk.copy('plain', '--yes', '--json').ended;
    expect(errors).toBe('');
    expect(code).toBe(0);
    const lines: readonly object[] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const line of lines) expect(differences('kafka-copy.md', 'kafka-copy', line)).toEqual([]);
    expect(lines.at(-1)).toEqual({ end: 'ended', operation: 'copy-1', stage: 'copied' });
    expect((await desk.drover('journal', 'verify').ended).code).toBe(0);
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

  test('gives a topic that is there the settings that it lacks, once somebody has agreed', async () => {
    await createTopic(source, 'differing', { configs: { 'segment.bytes': '20000000' } });
    await createTopic(target, 'differing');
    await give('differing', 100);
    const shown = await desk.copy('differing').ended;
    expect(shown.text).toContain('segment.bytes: 20000000 on the source');
    expect((await desk.copy('differing', '--yes').ended).code).toBe(0);
    expect(await configOf(target, { type: 'topics', name: 'differing' })).toMatchObject({
      'segment.bytes': '20000000',
    });
    expect(await digest(target, 'differing', 0)).toEqual(await digest(source, 'differing', 0));
  });

  test('makes partitions that the source has got since', async () => {
    await createTopic(source, 'grown');
    await give('grown', 100, { partition: 0 });
    expect((await desk.copy('grown', '--yes').ended).code).toBe(0);
    await addPartitions(source, 'grown', 3);
    for (const partition of [0, 1, 2]) await give('grown', 50, { partition });
    expect((await desk.copy('grown', '--yes').ended).code).toBe(0);
    for (const partition of [0, 1, 2])
      expect(await digest(target, 'grown', partition)).toEqual(await digest(source, 'grown', partition));
  });

  test('gives up on an open transaction after --wait, says so, and goes on once it is over', async () => {
    await createTopic(source, 'open');
    await give('open', 100);
    const records = [{ key: 'k', value: 'in a transaction' }];
    const transaction = await openTransaction(source, 'open', records, { id: 'holder', partition: 0 });
    const { code, text, errors } = await desk.copy('open', '--yes', '--wait', '15s').ended;
    expect(code).toBe(3);
    expect(errors).toContain('transactional.id holder');
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
    await vi.waitFor(() => expect(again.text()).toContain('going on with it'), waiting);
    const since = performance.now();
    await vi.waitFor(async () => expect(await endOffset(target, 'followed', 0)).toBe(200), waiting);
    // Nobody waited for calls of the one before, which was asked to end.
    expect(performance.now() - since).toBeLessThan(copyTiming.callMs);
    again.child.kill('SIGINT');
    expect((await again.ended).code).toBe(2);
    const { operation } = await newest();
    expect((await desk.drover('abort', operation).ended).code).toBe(0);
    expect(await digest(target, 'followed', 0)).toEqual(await digest(source, 'followed', 0));
  });
});

describe('what is reached through TLS and SASL', () => {
  test('is copied with what the properties files say, and no secret is in the journal or in an argument', async () => {
    await createTopic(source, 'secured');
    await give('secured', 200);
    const files = await Promise.all([source, target].map((cluster) => cluster.clientConfig('sasl-tls')));
    const sides = ['--source', source.bootstrap('sasl-tls'), '--target', target.bootstrap('sasl-tls')];
    const configs = ['--source-config', files[0] ?? '', '--target-config', files[1] ?? ''];
    const copy = desk.drover('kafka', 'copy', ...sides, ...configs, '--topics', 'secured', '--follow', '--yes');
    await vi.waitFor(async () => expect(await endOffset(target, 'secured', 0)).toBe(200), waiting);
    const words = desk
      .movers()
      .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8'));
    expect(words).toHaveLength(1);
    copy.child.kill('SIGINT');
    await copy.ended;
    const { operation } = await newest();
    for (const text of [...words, JSON.stringify(await desk.journal(operation))])
      expect(text).not.toContain(user.password);
    expect((await desk.drover('abort', operation).ended).code).toBe(0);
    expect(await digest(target, 'secured', 0)).toEqual(await digest(source, 'secured', 0));
  });
});

describe('a topic that is made anew in the middle', () => {
  test.each(['source', 'target'] as const)('on the %s stops its partitions, with its ids', async (side) => {
    const topic = `anew-${side}`;
    await createTopic(source, topic);
    await give(topic, 100);
    const copy = desk.copy(topic, '--yes', '--follow');
    await vi.waitFor(async () => expect(await endOffset(target, topic, 0)).toBe(100), waiting);
    const cluster = side === 'source' ? source : target;
    await deleteTopic(cluster, topic);
    await createTopic(cluster, topic);
    const { code, text } = await copy.ended;
    expect(code).toBe(2);
    expect(text).toContain(`the topic was deleted on the ${side} and made anew`);
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
