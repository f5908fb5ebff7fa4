import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, openDesk, type RunningCommand } from './copy-command.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { digest, produce } from './lab/kcat.ts';
import { createTopic } from './lab/tools.ts';

/** A copy takes some fifteen seconds at it, so that there is a middle. */
const rate = '500kB/s';
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

describe('a copy in whose middle', () => {
  test('the process that moves the data is killed twice has each record once', async () => {
    await give('mover', 2);
    const copy = desk.copy('mover', '--yes', '--max-rate', rate);
    for (const share of [0.1, 0.4]) {
      await until(async () => (await shareDone('mover')) > share, copy);
      const [mover] = desk.movers();
      process.kill(mover ?? 0, 'SIGKILL');
      await until(async () => desk.movers().some((pid) => pid !== mover), copy);
    }
    expect((await copy.ended).code).toBe(0);
    await expectSame('mover', 2);
    expect(await kindsOf('copy-1')).toEqual(expect.arrayContaining(['mover-failed', 'caught-up', 'copied']));
  });

  test('the controller is killed twice goes on by the same command, and leaves no process behind', async () => {
    await give('controller', 2);
    for (const share of [0.1, 0.4]) {
      const copy = desk.copy('controller', '--yes', '--max-rate', rate);
      await until(async () => (await shareDone('controller')) > share, copy);
      copy.child.kill('SIGKILL');
      await copy.ended;
      await until(async () => desk.movers().length === 0);
    }
    const { code, text } = await desk.copy('controller', '--yes', '--unlimited').ended;
    expect(text).toContain('is unfinished: going on with it');
    expect(code).toBe(0);
    await expectSame('controller', 2);
  });

  test('the controller is stopped is taken over by the next one, and nothing is written twice when it wakes up', async () => {
    await give('stopped', 2);
    const first = desk.copy('stopped', '--yes', '--max-rate', rate);
    await until(async () => (await shareDone('stopped')) > 0.1, first);
    first.child.kill('SIGSTOP');
    // The lease that it had passed on is over by itself.
    await until(async () => desk.movers().length === 0);
    const second = desk.copy('stopped', '--yes', '--max-rate', rate);
    await until(async () => second.text().includes('data may move'), second);
    first.child.kill('SIGCONT');
    expect((await second.ended).code).toBe(0);
    expect((await first.ended).code).toBe(0);
    await expectSame('stopped', 2);
  });

  test('a broker of the target is restarted waits for it, and goes on', async () => {
    await give('restarted', 2);
    const copy = desk.copy('restarted', '--yes', '--max-rate', rate);
    await until(async () => (await shareDone('restarted')) > 0.2, copy);
    await target.broker(1).kill();
    await target.broker(1).start();
    expect((await copy.ended).code).toBe(0);
    await expectSame('restarted', 2);
  });

  test('somebody asks for a hold has no request under way, and moves nothing until it is resumed', async () => {
    await give('held', 2);
    const copy = desk.copy('held', '--yes', '--max-rate', rate);
    await until(async () => (await shareDone('held')) > 0.1, copy);
    expect((await desk.drover('hold', '--reason', 'lunch').ended).code).toBe(0);
    const held = await statusOf('held');
    expect(held).toMatchObject({ held: { why: 'lunch' }, isSettled: true });
    await sleep(1500);
    expect((await statusOf('held')).offsetsDone).toBe(held.offsetsDone);
    expect((await desk.drover('resume').ended).code).toBe(0);
    expect((await desk.copy('held', '--yes', '--unlimited').ended).code).toBe(0);
    expect((await copy.ended).code).toBe(0);
    await expectSame('held', 2);
  });

  test('Ctrl-C comes settles everything, says how to go on, and does', async () => {
    await give('interrupted', 2);
    const copy = desk.copy('interrupted', '--yes', '--max-rate', rate);
    await until(async () => (await shareDone('interrupted')) > 0.1, copy);
    copy.child.kill('SIGINT');
    const { code, text } = await copy.ended;
    expect(code).toBe(2);
    expect(text).toContain('goes on');
    expect(desk.movers()).toEqual([]);
    // Its lease was given back: nobody has to wait for it.
    expect((await desk.copy('interrupted', '--unlimited').ended).code).toBe(0);
    await expectSame('interrupted', 2);
  });
});

type Status = {
  readonly topics: readonly string[];
  readonly offsets: number;
  readonly offsetsDone: number;
  readonly isSettled: boolean | null;
  readonly held: object | null;
};

async function statusOf(topic: string): Promise<Status> {
  const { text } = await desk.drover('kafka', 'status', '--json').ended;
  const copies: readonly { readonly status: Status }[] = JSON.parse(text).copies;
  const found = copies.findLast(({ status }) => status.topics.includes(topic));
  return found?.status ?? { topics: [topic], offsets: 1, offsetsDone: 0, isSettled: null, held: null };
}

async function shareDone(topic: string): Promise<number> {
  const { offsets, offsetsDone } = await statusOf(topic);
  return offsets === 0 ? 0 : offsetsDone / offsets;
}

async function kindsOf(operation: string): Promise<string[]> {
  return (await desk.journal(operation)).map(({ kind }) => kind);
}

async function give(topic: string, partitions: number): Promise<void> {
  await createTopic(source, topic, { partitions });
  const records = Array.from({ length: 40_000 }, (_, index) => ({
    key: `key ${index}`,
    value: `value ${index} `.repeat(8),
  }));
  for (let partition = 0; partition < partitions; partition += 1)
    await produce(source, topic, records, { partition, properties: { 'batch.num.messages': '200' } });
}

async function expectSame(topic: string, partitions: number): Promise<void> {
  for (let partition = 0; partition < partitions; partition += 1)
    expect(await digest(target, topic, partition)).toEqual(await digest(source, topic, partition));
}

/** `running`: has to go on meanwhile. */
async function until(condition: () => Promise<boolean>, running?: RunningCommand): Promise<void> {
  const endsAtMs = performance.now() + 90_000;
  while (!(await condition())) {
    if (running !== undefined && running.child.exitCode !== null) {
      const { code, text, errors } = await running.ended;
      throw new Error(`it has ended (${code}): ${errors}${text}`);
    }
    if (performance.now() > endsAtMs) throw new Error('it does not come');
    await sleep(100);
  }
}
