import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { directory, endingWithNothingLeft, playsWell, running, type Started, start, until } from './demo/play.ts';

endingWithNothingLeft();

describe('the demo', () => {
  test('every claim holds with the embedded balancer, and nothing is left', { timeout: 420_000 }, () =>
    playsWell('embedded'),
  );

  test('a story that ends differently is an error, not a success', { timeout: 120_000 }, async () => {
    const demo = start(['--fast', '--balancer', 'embedded', '--keep', join(directory, 'demo')]);
    await until(() => demo.stdout().includes('step 1: judging'));
    const back = start(['--reason', 'somebody had a doubt'], 'back', join(directory, 'demo'));
    expect(await back.ended).toBe(2);
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain('drover apply ended with 2');
  });
});

describe('a demo that is ended in the middle leaves nothing', () => {
  test('by one signal, and by those that npm hands on once more', { timeout: 120_000 }, async () => {
    const demo = await inTheMiddle();
    demo.child.kill('SIGINT');
    await sleep(30);
    demo.child.kill('SIGINT');
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain('everything that it had started was ended');
    expect(demo.stdout()).not.toContain('once more');
    expect(await readdir(directory)).toEqual([]);
  });

  test('by an impatient person, who is told to wait', { timeout: 120_000 }, async () => {
    const demo = await inTheMiddle();
    const hung = hangLoad();
    demo.child.kill('SIGINT');
    await until(() => demo.stdout().includes('ending what was started'));
    await sleep(600);
    demo.child.kill('SIGTERM');
    await until(() => demo.stdout().includes('once more within 5 s leaves it'));
    process.kill(hung, 'SIGCONT');
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain('everything that it had started was ended');
    expect(await readdir(directory)).toEqual([]);
  });

  test('by one who does not wait, told what goes on and how the rest is ended', { timeout: 120_000 }, async () => {
    const demo = await inTheMiddle();
    hangLoad();
    for (const _ of ['begins', 'insists', 'leaves']) {
      demo.child.kill('SIGINT');
      await sleep(550);
    }
    expect(await demo.ended).toBe(1);
    const [stage = ''] = await readdir(directory);
    expect(demo.stdout()).toContain(`drover stop --yes --config ${join(directory, stage, 'drover.yaml')}`);
    await until(async () => running().length === 0 && (await readdir(directory)).length === 0);
  });

  test('by SIGKILL: its guard ends the controller, the fleet and the files', { timeout: 120_000 }, async () => {
    const demo = await inTheMiddle();
    demo.child.kill('SIGKILL');
    expect(await demo.ended).toBeNull();
    await until(async () => running().length === 0 && (await readdir(directory)).length === 0);
  });
});

/** The users cannot end before their last request has, and so the demo waits for them. Answers with their process. */
function hangLoad(): number {
  const users = running().find(({ commandLine }) => commandLine.includes('load.ts'));
  if (users === undefined) throw new Error('nobody makes load');
  process.kill(users.pid, 'SIGSTOP');
  return users.pid;
}

test('where the guard is killed too, the next demo says what is left and how it ends', {
  timeout: 240_000,
}, async () => {
  const demo = await inTheMiddle();
  for (const { pid, commandLine } of running()) if (commandLine.includes('--guard')) process.kill(pid, 'SIGKILL');
  demo.child.kill('SIGKILL');
  await demo.ended;
  const [stage = ''] = await readdir(directory);
  expect(running().length).toBeGreaterThan(5);

  const next = start(['--fast', '--balancer', 'embedded']);
  await until(() => next.stdout().includes('balancer '));
  next.child.kill('SIGINT');
  expect(await next.ended).toBe(1);
  const config = join(directory, stage, 'drover.yaml');
  expect(next.stdout()).toMatch(/has left \d+ processes and a controller running\. They end with:/);
  const [, controller] = /kill -9 (\d+); drover stop --yes --config (\S+);/.exec(next.stdout()) ?? [];
  expect(next.stdout()).toContain(`drover stop --yes --config ${config}; rm -r ${join(directory, stage)}`);
  // What it says works.
  process.kill(Number(controller), 'SIGKILL');
  expect(await start(['--yes', '--config', config], 'stop').ended).toBe(0);
  expect(running()).toEqual([]);
});

test('two demos at a time are no leftovers of each other', { timeout: 120_000 }, async () => {
  const one = await inTheMiddle();
  const other = start(['--fast', '--balancer', 'embedded']);
  await until(() => other.stdout().includes('balancer '));
  expect(other.stdout()).not.toContain('An earlier demo');
  one.child.kill('SIGINT');
  other.child.kill('SIGINT');
  expect([await one.ended, await other.ended]).toEqual([1, 1]);
});

/** A demo whose controller judges the first step. */
async function inTheMiddle(): Promise<Started> {
  const demo = start(['--fast', '--balancer', 'embedded']);
  await until(() => demo.stdout().includes('step 1: judging'));
  return demo;
}
