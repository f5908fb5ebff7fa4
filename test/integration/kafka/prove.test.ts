import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Proof, ProofPartition, ProofTopic } from '../../../src/cli/kafka/prove/result.ts';
import { differences } from '../../docs/page.ts';
import { type Desk, openDesk } from './copy-command.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { codecs, consume, endOffset, produce } from './lab/kcat.ts';
import { alterConfig, createTopic, deleteRecords, deleteTopic } from './lab/tools.ts';
import { copyInTransactions, produceVerifiably } from './lab/workloads.ts';
import { appendAsTheCopy, changeOnDisk, withCutLedger } from './prove/damage.ts';
import { give as giveBatches, someRecords } from './verify/give.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

beforeAll(async () => {
  // Only an old broker stores messages of before v2.
  source = await startCluster({
    ...{ version: '2.8.2', brokers: 1 },
    properties: { 'log.cleaner.backoff.ms': '200' },
  });
  target = await startCluster({ version: '4.3.1', brokers: 1 });
  desk = openDesk(source, target);
});
afterAll(async () => {
  await desk?.close();
  await source?.stop();
  await target?.stop();
});

describe('a copy of batches of every kind', () => {
  test('is proven: each offset accounted for, each batch read back, each record that was made anew compared', async () => {
    await giveEverything();
    const topics = 'codecs|transactions|compacted|old|stamped';
    const copy = await desk.copy(topics, '--yes').ended;
    expect(copy).toMatchObject({ code: 0, errors: '' });
    const { proof, code } = await proven('copy-1', '--html', 'proof.html');
    expect(findingsOf(proof)).toEqual([]);
    expect(code).toBe(0);
    expect(proof).toMatchObject({ verdict: 'proven', data: 'proven', configuration: 'proven', stage: 'copied' });
    for (const partition of proof.topics.flatMap((topic) => topic.partitions)) {
      const { account, batches } = partition;
      const { from, to, ...sums } = account;
      expect(Object.values(sums).reduce((sum, count) => sum + count, 0)).toBe(to - from);
      expect(batches.proven).toBe(batches.lines);
      expect(batches.compared).toBe(batches.madeAnew);
    }
    const [transactions] = partitionsOf(proof, 'transactions');
    expect(transactions?.account).toMatchObject({ copied: 300 });
    expect(transactions?.account.aborted).toBeGreaterThan(0);
    expect(transactions?.account.control).toBeGreaterThan(0);
    expect(transactions?.batches.madeAnew).toBe(0);
    expect(partitionsOf(proof, 'compacted')[0]?.account.hole).toBeGreaterThan(0);
    // Which of them could not keep their bytes.
    for (const topic of ['compacted', 'old', 'stamped'])
      expect(partitionsOf(proof, topic)[0]?.batches.madeAnew, topic).toBeGreaterThan(0);
    for (const { batches } of partitionsOf(proof, 'codecs')) expect(batches.madeAnew).toBe(0);
    for (const topic of ['transactions', 'compacted', 'old', 'stamped'])
      expect(partitionsOf(proof, topic)[0]?.records, topic).toBe((await consume(target, topic, 0)).length);
    const page = readFileSync(join(desk.directory, 'proof.html'), 'utf8');
    expect(page).toContain('Proven');
    expect(page).toContain(proof.chain.hash);
    expect((await desk.drover('journal', 'verify', '--head', proof.chain.hash).ended).code).toBe(0);
    const { text } = await desk.drover('kafka', 'prove').ended;
    expect(text).toContain('proven: all of it stands on the target as the ledger has it');
    const report = await desk.drover('report', 'copy-1').ended;
    expect(report).toMatchObject({ code: 0, errors: '' });
    expect(report.text).toContain('# copy-1');
    expect(report.text).toContain(proof.chain.hash);
  });

  test('is read no faster than it is told to', async () => {
    await createTopic(source, 'large', { configs: { 'retention.ms': '-1' } });
    await giveBatches(source, { topic: 'large', partition: 0 }, largeRecords(3000));
    expect((await desk.copy('large', '--yes').ended).code).toBe(0);
    const { proof } = await proven('--max-rate', '1MB/s');
    expect(proof.verdict).toBe('proven');
    expect(proof.bytes).toBeGreaterThan(2_500_000);
    // A burst of one second's is free.
    expect(proof.elapsedMs).toBeGreaterThan((1000 * (proof.bytes - 2_000_000)) / 1_000_000);
    const slow = desk.drover('kafka', 'prove', '--max-rate', '20kB/s');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    slow.child.kill('SIGINT');
    const { code, text, errors } = await slow.ended;
    expect({ code, text }).toEqual({ code: 1, text: '' });
    expect(errors).toContain('interrupted: nothing is proven');
  });

  test('is proven while it is followed, as far as it was settled, and goes on', async () => {
    await createTopic(source, 'followed');
    await give('followed', 500);
    const copy = desk.copy('followed', '--yes', '--follow');
    await vi.waitFor(async () => expect(await endOffset(target, 'followed', 0)).toBe(500), waiting);
    await vi.waitFor(async () => {
      const { proof, code } = await proven();
      expect(findingsOf(proof).filter(({ weight }) => weight !== 'note')).toEqual([]);
      expect(code).toBe(0);
      expect(partitionsOf(proof, 'followed')[0]?.records).toBe(500);
      expect(topicOf(proof, 'followed')?.configuration.levers.map(({ state }) => state)).toContain('set aside');
    }, waiting);
    await give('followed', 100);
    await vi.waitFor(async () => expect(await endOffset(target, 'followed', 0)).toBe(600), waiting);
    copy.child.kill('SIGINT');
    await copy.ended;
    const stopped = await proven();
    expect(stopped).toMatchObject({ code: 0, proof: { stage: 'copying' } });
    expect((await desk.drover('abort', stopped.proof.operation).ended).code).toBe(0);
    const { proof, code } = await proven();
    expect(code).toBe(0);
    expect(partitionsOf(proof, 'followed')[0]?.records).toBe(600);
    expect(topicOf(proof, 'followed')?.configuration.levers.map(({ state }) => state)).not.toContain('set aside');
  });
});

describe('what was done to the target since', () => {
  test('is found, and named with its offsets', async () => {
    const topics = ['behind', 'late', 'cut', 'flipped', 'rewritten', 'anew', 'altered'];
    for (const topic of topics) {
      await createTopic(source, topic, { configs: { 'retention.ms': '-1' } });
      await giveBatches(source, { topic, partition: 0 }, someRecords(500));
    }
    expect((await desk.copy(topics.join('|'), '--yes').ended).code).toBe(0);
    const before = await proven();
    expect(before).toMatchObject({ code: 0, proof: { verdict: 'proven' } });
    await produce(target, 'behind', [{ key: null, value: 'of somebody else' }]);
    await appendAsTheCopy(target, 'late', keyOf(before.proof, 'late'));
    await deleteRecords(target, [{ topic: 'cut', partition: 0, offset: 250 }]);
    await changeOnDisk(target, 'flipped', 2, 'checksum left');
    await changeOnDisk(target, 'rewritten', 3, 'checksum made to fit');
    await deleteTopic(target, 'anew');
    await createTopic(target, 'anew');
    await alterConfig(target, { type: 'topics', name: 'altered' }, { set: { 'cleanup.policy': 'compact' } });
    const { proof, code } = await proven();
    expect(code).toBe(2);
    expect(proof).toMatchObject({ verdict: 'wrong', data: 'wrong', configuration: 'wrong' });
    const told = (topic: string) => partitionsOf(proof, topic)[0]?.findings;
    expect(told('behind')).toMatchObject([{ kind: 'behind', weight: 'note', target: { from: 500, to: 501 } }]);
    expect(told('late')).toMatchObject([{ kind: 'stray', weight: 'wrong', target: { from: 500, to: 501 } }]);
    expect(told('cut')).toMatchObject([
      { kind: 'deleted', weight: 'unprovable', target: { from: 0, to: 200 }, source: { from: 0, to: 200 } },
    ]);
    expect(told('flipped')).toMatchObject([
      { kind: 'corrupt', weight: 'wrong', target: { from: 200, to: 300 }, source: { from: 200, to: 300 } },
    ]);
    expect(told('rewritten')).toMatchObject([
      { kind: 'changed', weight: 'wrong', target: { from: 300, to: 400 }, source: { from: 300, to: 400 } },
    ]);
    expect(told('anew')).toMatchObject([{ kind: 'other-topic', weight: 'wrong' }]);
    expect(topicOf(proof, 'altered')).toMatchObject({
      partitions: [{ verdict: 'proven' }],
      configuration: {
        verdict: 'wrong',
        differences: [{ what: 'cleanup.policy', source: 'delete', target: 'compact', why: 'differs' }],
      },
    });
    const { text } = await desk.drover('kafka', 'prove').ended;
    expect(text).toContain('CHANGED on the target: target offsets 300 to 399, source offsets 300 to 399: checksum');
    expect(text).toContain('WRONG (records and settings)');
  });

  test('is found where somebody writes into a copy that is not over, and the journal tells that it has stopped', async () => {
    await createTopic(source, 'between');
    await give('between', 100);
    const copy = desk.copy('between', '--yes', '--follow');
    await vi.waitFor(async () => expect(await endOffset(target, 'between', 0)).toBe(100), waiting);
    copy.child.kill('SIGINT');
    await copy.ended;
    await produce(target, 'between', [{ key: null, value: 'of somebody else' }]);
    await give('between', 100);
    const { code } = await desk.copy('between', '--yes', '--follow').ended;
    expect(code).toBe(2);
    const { proof, code: found } = await proven();
    expect(found).toBe(2);
    expect(partitionsOf(proof, 'between')[0]?.findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'stopped' }),
        expect.objectContaining({ kind: 'foreign', target: { from: 100, to: 101 } }),
      ]),
    );
    expect((await desk.drover('abort', proof.operation).ended).code).toBe(0);
  });

  test('a ledger that was cut is told, with the offsets that it does not account for', async () => {
    await createTopic(source, 'shortened', { configs: { 'retention.ms': '-1' } });
    await giveBatches(source, { topic: 'shortened', partition: 0 }, someRecords(1000));
    expect((await desk.copy('shortened', '--yes').ended).code).toBe(0);
    const { proof: whole } = await proven();
    expect(whole.verdict).toBe('proven');
    const state = join(desk.directory, '.drover');
    const journal = await withCutLedger(state, join(desk.directory, 'cut'), 'shortened', 0.55);
    const { proof, code } = await proven('--journal', journal);
    expect(code).toBe(2);
    const { counts, findings } = partitionsOf(proof, 'shortened')[0] ?? {};
    expect(Object.keys(counts ?? {})).toEqual(expect.arrayContaining(['ledger-changed', 'ledger-short', 'stray']));
    expect(findings?.find(({ kind }) => kind === 'ledger-short')?.source).toMatchObject({ to: 1000 });
    expect((await proven()).code).toBe(0);
  });
});

describe('a source that is gone', () => {
  test('leaves what was copied as it was proven, and what was made anew cannot be compared any more', async () => {
    await source.stop();
    const { proof, code, errors } = await proven('copy-1');
    expect(code).toBe(3);
    expect(errors).toContain('the source cannot be asked');
    expect(proof).toMatchObject({ verdict: 'unprovable', data: 'unprovable', configuration: 'unprovable' });
    for (const { verdict } of partitionsOf(proof, 'codecs')) expect(verdict).toBe('proven');
    for (const topic of ['compacted', 'old', 'stamped'])
      expect(partitionsOf(proof, topic)[0]).toMatchObject({
        verdict: 'unprovable',
        findings: [{ kind: 'source-gone' }],
      });
  });
});

const waiting = { timeout: 60_000, interval: 300 };

async function proven(...words: readonly string[]) {
  const { code, text, errors } = await desk.drover('kafka', 'prove', '--json', ...words).ended;
  if (text === '') throw new Error(`exit ${code}, and nothing on standard output: ${errors}`);
  const proof: Proof = JSON.parse(text);
  expect(differences('kafka-prove.md', 'kafka-prove', proof)).toEqual([]);
  return { code, proof, errors };
}

function topicOf(proof: Proof, topic: string): ProofTopic | undefined {
  return proof.topics.find((one) => one.topic === topic);
}

function partitionsOf(proof: Proof, topic: string): readonly ProofPartition[] {
  return topicOf(proof, topic)?.partitions ?? [];
}

function findingsOf(proof: Proof) {
  return proof.topics.flatMap(({ partitions }) => partitions.flatMap(({ findings }) => findings));
}

function keyOf(proof: Proof, topic: string) {
  const found = topicOf(proof, topic);
  return {
    sourceCluster: proof.source.clusterId,
    sourceTopicId: found?.sourceId ?? '',
    targetCluster: proof.target.clusterId,
    targetTopicId: found?.targetId ?? '',
    partition: 0,
  };
}

/** Every codec, transactions of which some are aborted, holes of compaction, messages of before v2, times of the append. */
async function giveEverything(): Promise<void> {
  await createTopic(source, 'codecs', { partitions: codecs.length });
  for (const [partition, codec] of codecs.entries()) await give('codecs', 2000, { partition, codec });
  for (const topic of ['numbers', 'transactions']) await createTopic(source, topic);
  await produceVerifiably(source, 'numbers', { records: 300 });
  const how = { from: 'numbers', partition: 0, to: 'transactions', name: 'copier', transactionSize: 10, aborts: true };
  await copyInTransactions(source, { ...how, records: 300 });
  await createTopic(source, 'old', { configs: { 'message.format.version': '0.10.2', 'retention.ms': '-1' } });
  await give('old', 300, { codec: 'gzip' });
  await createTopic(source, 'stamped', { configs: { 'message.timestamp.type': 'LogAppendTime' } });
  await give('stamped', 300, { codec: 'lz4' });
  await giveHoles('compacted');
}

/** A segment is rolled by the next append after its time; what is in the rolled ones is compacted. */
async function giveHoles(topic: string): Promise<void> {
  const configs = { 'cleanup.policy': 'compact', 'segment.ms': '500', 'min.cleanable.dirty.ratio': '0.01' };
  await createTopic(source, topic, { configs });
  const append = async (turn: number) => {
    const records = Array.from({ length: 200 }, (_, index) => ({
      key: `key ${turn === 0 ? index : index * 2}`,
      value: `value ${index} of turn ${turn}`,
    }));
    await produce(source, topic, records, { codec: 'zstd', partition: 0 });
  };
  await append(0);
  let turn = 1;
  await vi.waitFor(async () => {
    await append(turn++);
    const [end, records] = [await endOffset(source, topic, 0), await consume(source, topic, 0)];
    expect(records.length).toBeLessThan(end - 50);
  }, waiting);
}

function largeRecords(count: number) {
  return someRecords(count).map((one, index) => ({ ...one, value: `${index} `.padEnd(1000, 'x') }));
}

type Giving = Parameters<typeof produce>[3];

async function give(topic: string, count: number, options: Giving = {}): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: `key ${index}`,
    value: `value ${index} `.repeat(9),
  }));
  await produce(source, topic, records, options);
}
