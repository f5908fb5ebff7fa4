import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, openDesk } from './copy-command.ts';
import { expectSame, giveMiddle, shareDone, slowly, statusOf, until } from './copy-middle.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';

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
    await giveMiddle(source, 'mover', 2);
    const copy = desk.copy('mover', '--yes', '--max-rate', slowly);
    for (const share of [0.1, 0.4]) {
      await until(async () => (await shareDone(desk, 'mover')) > share, copy);
      const [mover] = desk.movers();
      process.kill(mover ?? 0, 'SIGKILL');
      await until(async () => desk.movers().some((pid) => pid !== mover), copy);
    }
    expect((await copy.ended).code).toBe(0);
    await expectSame(source, target, 'mover', 2);
    expect(await kindsOf('copy-1')).toEqual(expect.arrayContaining(['mover-failed', 'caught-up', 'copied']));
  });

  test('the controller is killed twice goes on by the same command, and leaves no process behind', async () => {
    await giveMiddle(source, 'controller', 2);
    for (const share of [0.1, 0.4]) {
      const copy = desk.copy('controller', '--yes', '--max-rate', slowly);
      await until(async () => (await shareDone(desk, 'controller')) > share, copy);
      copy.child.kill('SIGKILL');
      await copy.ended;
      await until(async () => desk.movers().length === 0);
    }
    const { code, text } = await desk.copy('controller', '--yes', '--unlimited').ended;
    expect(text).toContain('is unfinished: going on with it');
    expect(code).toBe(0);
    await expectSame(source, target, 'controller', 2);
  });

  test('the controller is stopped is taken over by the next one, and nothing is written twice when it wakes up', async () => {
    await giveMiddle(source, 'stopped', 2);
    const first = desk.copy('stopped', '--yes', '--max-rate', slowly);
    await until(async () => (await shareDone(desk, 'stopped')) > 0.1, first);
    first.child.kill('SIGSTOP');
    // The lease that it had passed on is over by itself.
    await until(async () => desk.movers().length === 0);
    const second = desk.copy('stopped', '--yes', '--max-rate', slowly);
    await until(async () => second.text().includes('data may move'), second);
    first.child.kill('SIGCONT');
    expect((await second.ended).code).toBe(0);
    expect((await first.ended).code).toBe(0);
    await expectSame(source, target, 'stopped', 2);
  });

  test('a broker of the target is restarted waits for it, and goes on', async () => {
    await giveMiddle(source, 'restarted', 2);
    const copy = desk.copy('restarted', '--yes', '--max-rate', slowly);
    await until(async () => (await shareDone(desk, 'restarted')) > 0.2, copy);
    await target.broker(1).kill();
    await target.broker(1).start();
    expect((await copy.ended).code).toBe(0);
    await expectSame(source, target, 'restarted', 2);
  });

  test('somebody asks for a hold has no request under way, and moves nothing until it is resumed', async () => {
    await giveMiddle(source, 'held', 2);
    const copy = desk.copy('held', '--yes', '--max-rate', slowly);
    await until(async () => (await shareDone(desk, 'held')) > 0.1, copy);
    expect((await desk.drover('hold', '--reason', 'lunch').ended).code).toBe(0);
    const held = await statusOf(desk, 'held');
    expect(held).toMatchObject({ held: { why: 'lunch' }, isSettled: true });
    await sleep(1500);
    expect((await statusOf(desk, 'held')).offsetsDone).toBe(held.offsetsDone);
    expect((await desk.drover('resume').ended).code).toBe(0);
    expect((await desk.copy('held', '--yes', '--unlimited').ended).code).toBe(0);
    expect((await copy.ended).code).toBe(0);
    await expectSame(source, target, 'held', 2);
  });

  test('Ctrl-C comes settles everything, says how to go on, and does', async () => {
    await giveMiddle(source, 'interrupted', 2);
    const copy = desk.copy('interrupted', '--yes', '--max-rate', slowly);
    await until(async () => (await shareDone(desk, 'interrupted')) > 0.1, copy);
    copy.child.kill('SIGINT');
    const { code, text } = await copy.ended;
    expect(code).toBe(2);
    expect(text).toContain('goes on');
    expect(desk.movers()).toEqual([]);
    // Its lease was given back: nobody has to wait for it.
    expect((await desk.copy('interrupted', '--unlimited').ended).code).toBe(0);
    await expectSame(source, target, 'interrupted', 2);
  });
});

async function kindsOf(operation: string): Promise<string[]> {
  return (await desk.journal(operation)).map(({ kind }) => kind);
}
