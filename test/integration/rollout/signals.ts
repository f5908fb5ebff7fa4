import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { isAlive } from '../proc.ts';
import { type Ended, eventually } from './drover.ts';
import { openHeart } from './heart.ts';
import { seenOf } from './load.ts';
import { asFound, openSite } from './site.ts';

const steps = ['{ weight: 50%, bake: 60s }'];

describe.concurrent('a controller that is asked to end', () => {
  test('holds the share, journals it, says how to go on, and is followed by the next', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { drover, haproxies, journal, kinds, plan, run, world } = site;
    const expectHeld = async ({ code, stdout, stderr }: Ended, signal: string) => {
      expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
      expect(stdout).toMatch(/the share is held where it is\n.* drover resume .*\n.* drover back /);
      const held = (await journal('rollout-web-1')).findLast(({ body }) => body.kind === 'held');
      expect(held?.body).toMatchObject({ why: `the controller was asked to end (${signal})` });
      const left = await world();
      await sleep(1500);
      expect(await world()).toEqual(left);
      expect((await run('status')).stdout).toContain('NO CONTROLLER IS ALIVE');
    };
    const hash = await plan();
    const first = drover('apply', '--plan', hash);
    await first.until(/the drill, on vpc-1/);
    first.kill('SIGINT');
    await expectHeld(await first.ended, 'SIGINT');

    const heart = await openHeart();
    onTestFinished(heart.close);
    const second = drover('resume', '--heartbeat', heart.url);
    await second.until(/step 1: judging/);
    expect(heart.calls()).toBeGreaterThan(0);
    second.kill('SIGTERM');
    await expectHeld(await second.ended, 'SIGTERM');

    const third = drover('apply', '--plan', hash);
    await third.until(/rollout-web-1 is held .*`drover resume` goes on/);
    await eventually(
      () => run('resume'),
      ({ stdout }) => stdout === 'rollout-web-1 goes on\n',
      'resumed',
    );
    await third.until(/step 1: judging/);
    third.kill('SIGHUP');
    await expectHeld(await third.ended, 'SIGHUP');

    const fourth = drover('resume');
    await fourth.until(/step 1: judging/);
    const worker = (await haproxies[0]?.worker()) ?? 0;
    process.kill(worker, 'SIGSTOP');
    await sleep(1500);
    fourth.kill('SIGINT');
    await sleep(100);
    fourth.kill('SIGINT');
    await fourth.ended.finally(() => process.kill(worker, 'SIGCONT'));
    const { stdout, stderr } = await fourth.endsWith(2);
    // What was given up because of the signal is no finding about the balancer.
    expect(stdout + stderr).not.toContain('aborted');
    expect((await run('back')).code).toBe(2);
    expect(await world()).toEqual(asFound);
    expect((await kinds('rollout-web-1')).filter((kind) => kind === 'started')).toHaveLength(1);
  });

  test('leaves what it has counted to the report, which acquits nobody of the time that nobody counted', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { destination, drover, load, run } = site;
    const felt = async () => {
      const report = (await run('report', 'rollout-web-1')).stdout;
      const [, attempts = '', failed = ''] = report.match(/destination \(vpc\) \| ([\d,]+) \| ([\d,]+) \|/) ?? [];
      return { report, attempts: figure(attempts), failed: figure(failed) };
    };
    const first = await site.apply();
    await first.until(/step 1: judging/);
    await load.more(400);
    const before = seenOf(load.ledger, 'vpc-').answered;
    first.kill('SIGTERM');
    await first.endsWith(2);
    const held = await felt();
    expect(held.attempts).toBeGreaterThan(before * 0.8);
    expect(held.report).not.toContain('is not known');

    // Between its last entry and its death it sees a build that fails; nothing of that is in the journal.
    const second = drover('resume');
    await second.until(/step 1: judging/);
    Object.assign(destination['web'] ?? {}, { failures: 0.3 });
    await load.more(60);
    second.kill('SIGKILL');
    await second.ended;
    Object.assign(destination['web'] ?? {}, { failures: 0 });
    expect((await run('back')).code).toBe(2);
    const { report, attempts } = await felt();
    expect(attempts).toBeGreaterThanOrEqual(held.attempts);
    expect(report).toMatch(/What was counted between [\dT:.Z-]+ and [\dT:.Z-]+ is not known/);
    expect(report).not.toContain('did not fail more often');
    expect(report).toMatch(/explains cannot be told|failures more than .*, without what is not known/);
  });

  test('before anything was begun leaves nothing', async ({ expect, onTestFinished }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { directory, drover, journal, plan, world } = site;
    const hash = await plan();
    const socket = join(directory, '.drover', 'control.sock');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      rmSync(socket, { force: true });
      const controller = drover('apply', '--plan', hash);
      // From here on it observes for a second, before it begins.
      await eventually(
        () => existsSync(socket),
        (there) => there,
        'the control socket',
      );
      controller.kill(signal);
      const { stderr } = await controller.endsWith(1);
      expect(stderr).toBe(`drover: asked to end (${signal}): this command has begun nothing\n`);
      expect(await world()).toEqual(asFound);
      expect(await journal('rollout-web-1')).toEqual([]);
    }
  });
});

describe.concurrent('a controller in the background', () => {
  test('answers before the command ends, goes on where one was killed, and says why it did not start', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { directory, journal, kinds, plan, run, world } = site;
    const pidIn = ({ stdout }: Ended) => {
      const pid = Number(/in the background \(pid (\d+)\)/.exec(stdout)?.[1]);
      expect(pid).toBeGreaterThan(0);
      onTestFinished(() => {
        if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      });
      return pid;
    };
    const hash = await plan();
    const obstacle = join(directory, '.drover', 'rollout-web-1.json.new');
    mkdirSync(obstacle, { recursive: true });
    const failed = await run('apply', '--plan', hash, '--detach');
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(
      /the controller did not start \(exit 1\). Its last lines:\n(.*\n)*.*could not be written to/,
    );
    expect(await world()).toEqual(asFound);
    rmdirSync(obstacle);

    const first = await run('apply', '--plan', hash, '--detach');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const pid = pidIn(first);
    expect((await run('status')).stdout).toContain(`A controller is alive (pid ${pid}): rollout-web-1`);
    expect(await run('apply', '--plan', hash, '--detach')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a controller is running already'),
    });
    await eventually(
      () => journal('rollout-web-1'),
      (entries) => entries.some(({ body }) => body.kind === 'stage-entered' && body.stage.kind === 'shifting'),
      'shifting',
    );
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
      'the end of the first one',
    );
    const second = pidIn(await run('apply', '--plan', hash, '--detach'));
    expect(second).not.toBe(pid);
    expect((await run('back')).code).toBe(2);
    await eventually(
      () => isAlive(second),
      (alive) => !alive,
      'the end of the second one',
    );
    expect(await world()).toEqual(asFound);
    expect((await kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
  });
});

function figure(text: string): number {
  return Number(text.replaceAll(',', ''));
}
