import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { catchesSignals } from '../proc.ts';
import { type Ended, eventually, main } from './drover.ts';
import { openHeart } from './heart.ts';
import { asFound, openSite, type Site } from './site.ts';

const steps = ['{ weight: 50%, bake: 60s }'];

function untilJournalled({ kinds }: Site, kind: string): Promise<readonly string[]> {
  return eventually(
    () => kinds('rollout-web-1'),
    (seen) => seen.includes(kind),
    kind,
  );
}

describe.concurrent('a way back that is asked for while the controller ends', () => {
  test('is taken by the command, though the controller still waits for its last heartbeat', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const heart = await openHeart({ isDeaf: true });
    onTestFinished(heart.close);
    const controller = await site.apply('--heartbeat', heart.url);
    await controller.until(/step 1: judging/);
    controller.kill('SIGTERM');
    await controller.until(/the share is held where it is/);
    const back = await site.run('back', '--reason', 'users complain');
    expect({ code: back.code, world: await site.world(), said: back.stdout }).toEqual({
      code: 2,
      world: asFound,
      said: expect.stringContaining('rolled back'),
    });
    expect((await site.kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
    // How it left the rollout it has said before, and of what has become of it since it knows nothing.
    const said = controller.output();
    const { stdout } = await controller.endsWith(2);
    expect(said).toContain(stdout);
    expect(await site.world()).toEqual(asFound);
  });

  test('in the moment in which its loop has ended, is accepted and performed', async ({ expect, onTestFinished }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const program = join(import.meta.dirname, 'late-back.ts');
    const controller = site.start(process.execPath, [program, 'apply', '--plan', await site.plan()]);
    await controller.until(/step 1: judging/);
    controller.kill('SIGTERM');
    const { stdout } = await controller.endsWith(2);
    expect(JSON.parse(readFileSync(join(site.directory, '.drover', 'late-back.json'), 'utf8'))).toEqual({
      accepted: true,
    });
    expect(await site.kinds('rollout-web-1')).toEqual(expect.arrayContaining(['held', 'back-performed']));
    for (const name of ['vpc-1', 'vpc-2']) expect(carries((await site.world())[name])).toBe(false);
    expect(stdout).toMatch(/kim asked for it, reason: at the last moment/);
    expect(stdout).toMatch(/ {2}drover back +goes on with the way back/);
    expect((await site.run('back')).code).toBe(2);
    expect(await site.world()).toEqual(asFound);
  });

  test('is taken after completion too', async ({ expect, onTestFinished }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const heart = await openHeart({ isDeaf: true });
    onTestFinished(heart.close);
    const controller = await site.apply('--heartbeat', heart.url);
    await untilJournalled(site, 'completed');
    const back = await site.run('back', '--reason', 'users complain');
    expect({ code: back.code, world: await site.world() }).toEqual({ code: 2, world: asFound });
    expect((await site.kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
    await controller.endsWith(0);
  });

  test('and that it could not finish is gone on with by the command, whose exit status is that of the balancers', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps, haproxies: 2, oneBalancer: true });
    onTestFinished(site.close);
    const { drover, haproxies, run, world } = site;
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    const worker = (await haproxies[1]?.worker()) ?? 0;
    process.kill(worker, 'SIGSTOP');
    onTestFinished(() => void process.kill(worker, 'SIGCONT'));
    const back = drover('back');
    await back.until(/its controller .* takes the traffic back\n(.*\n)* {2}still standing: edge-1\/web#2/);
    await untilJournalled(site, 'back-performed');
    controller.kill('SIGTERM');
    // Nobody would go on with the way back: a supervisor has to see that as an error.
    const { stdout } = await controller.endsWith(1);
    expect(stdout).toMatch(/the traffic is NOT back; still standing: edge-1\/web#2/);
    await back.until(/its controller has ended; this process takes the traffic back/);
    expect((await run('status')).stdout).toContain(`A controller is alive (pid ${back.pid})`);
    process.kill(worker, 'SIGCONT');
    await back.endsWith(2);
    expect([await world('web', 0), await world('web', 1)]).toEqual([asFound, asFound]);
    expect((await site.kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
  });
});

describe.concurrent('a command that would become the controller, and is asked to end', () => {
  test('says so and what it leaves, at whatever moment', async ({ expect, onTestFinished }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { kinds, start, world } = site;
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const shifted = await world();
    const bin = main.replace('src/main.ts', 'bin/drover.mjs');
    const moments = [
      { verb: 'resume', signal: 'SIGTERM' },
      { verb: 'back', signal: 'SIGINT' },
    ] as const;
    for (const { verb, signal } of moments) {
      for (const ms of [0, 100, 200, 400, 700]) {
        const command = start(process.execPath, [bin, verb]);
        await eventually(
          () => catchesSignals(command.pid),
          (isCaught) => isCaught,
          'signals are caught',
        );
        await sleep(ms);
        command.kill(signal);
        const ended = await command.ended;
        expect({ ms, ...ended }).toEqual({ ms, ...ended, signal: null });
        const said = ended.stdout + ended.stderr;
        expect({ ms, said }).toEqual({ ms, said: expect.stringMatching(/\S/) });
        if (/has begun nothing/.test(said)) expect({ verb, code: ended.code }).toEqual({ verb, code: 1 });
        else expectTruth(ended, expect);
        if (verb === 'resume') expect(await world()).toEqual(shifted);
      }
    }
    expect(await kinds('rollout-web-1')).not.toContain('completed');
  });

  test('names what stands by what it has read since, and not by what it read before', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps, haproxies: 2, oneBalancer: true });
    onTestFinished(site.close);
    const { drover, haproxies, world } = site;
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const back = drover('back');
    await back.until(/took the way back/);
    back.kill('SIGINT');
    const ended = await back.ended;
    const worlds = await Promise.all(haproxies.map((_, index) => world('web', index)));
    const carrying = worlds.map((one) => ['vpc-1', 'vpc-2'].filter((name) => carries(one[name])));
    expect(carrying).toEqual([[], []]);
    expect(ended).toMatchObject({ code: 2, stderr: '' });
    expect(ended.stdout).not.toContain('still standing');
    await drover('back').endsWith(2);
    expect(await world()).toEqual(asFound);
  });
});

function carries(server: { readonly weight: number; readonly admin: string } | undefined): boolean {
  return server !== undefined && server.admin !== 'maint' && server.weight > 0;
}

/** It was the controller already: 2 means held, or the way back with nothing left standing. */
function expectTruth({ code, stdout, stderr }: Ended, expect: (value: unknown) => { toBe(value: unknown): void }) {
  const stands = /still standing/.test(stdout.split('\n').slice(-4).join('\n') + stderr);
  expect(code).toBe(stands ? 1 : 2);
}
