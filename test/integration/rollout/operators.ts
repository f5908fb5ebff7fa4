import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { HaproxyBackend } from '../../../src/io/balancer/haproxy/backend.ts';
import { eventually } from './drover.ts';
import { openHeart } from './heart.ts';
import { asFound, openSite } from './site.ts';

describe.concurrent('an operator', () => {
  test('holds, resumes and takes back through the control socket, and the last request has left at once', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, directory, journal, kinds, load, run, world } = site;
    const heart = await openHeart();
    onTestFinished(heart.close);
    const controller = await apply('--heartbeat', heart.url);
    await controller.until(/step 1: judging/);
    expect(statSync(join(directory, '.drover', 'control.sock')).mode & 0o777).toBe(0o600);
    expect((await run('status')).stdout).toContain(`A controller is alive (pid ${controller.pid})`);
    expect(heart.calls()).toBeGreaterThanOrEqual(1);
    const shifted = await world();

    expect(await run('hold', '--reason', 'lunch')).toMatchObject({ code: 0, stderr: '' });
    await eventually(
      () => kinds('rollout-web-1'),
      (seen) => seen.includes('held'),
      'held',
    );
    expect(await world()).toEqual(shifted);
    expect((await run('status')).stdout).toContain('lunch');
    expect(await run('resume')).toMatchObject({ code: 0, stdout: 'rollout-web-1 goes on\n' });
    await eventually(
      () => kinds('rollout-web-1'),
      (seen) => seen.includes('resumed'),
      'resumed',
    );

    const beats = heart.calls();
    const askedAtMs = Date.now();
    const back = await run('back', '--reason', 'users complain');
    expect(back).toMatchObject({ code: 2, stderr: '' });
    expect(back.stdout).toContain(`its controller (pid ${controller.pid}) takes the traffic back`);
    expect(back.stdout).toContain('rolled back: everything is as it was found');
    await controller.endsWith(2);
    expect(await world()).toEqual(asFound);
    const last = load.ledger.findLast(({ server }) => server?.startsWith('vpc-') === true);
    const entries = await journal('rollout-web-1');
    const performed = entries.find(({ body }) => body.kind === 'back-performed');
    expect(performed?.body).toMatchObject({ cause: { kind: 'asked', reason: 'users complain' } });
    const figures = [
      `drover back → last destination request sent ${(last?.sentAtMs ?? 0) - askedAtMs} ms later (the command's own start included)`,
      `controller performed it → ${(last?.sentAtMs ?? 0) - (performed?.atMs ?? 0)} ms`,
    ];
    process.stdout.write(`${figures.join('; ')}\n`);
    expect((last?.sentAtMs ?? 0) - askedAtMs).toBeLessThan(15_000);
    await eventually(heart.calls, (calls) => calls > beats, 'the last heartbeat');
    // Whoever took it back knew something of this build.
    expect((await run('plan')).stdout).toMatch(/drover apply --plan [0-9a-f]+ --reason "/);
    expect(await (await apply()).ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /build v2 was taken back before \(rollout-web-1: .* asked for it, reason: users complain\)/,
      ),
    });
  });

  test('has put servers of both groups aside: the rollout moves the others, and leaves these as they are', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, haproxies, run, world } = site;
    const socket = haproxies[0]?.socket ?? '';
    const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
    await backend.setStates({ 'classic-2': 'maint', 'vpc-2': 'maint' }, AbortSignal.timeout(20_000));
    const found = await world();
    const aside = { 'classic-2': found['classic-2'], 'vpc-2': found['vpc-2'] };
    const controller = await apply();
    await controller.until(/step 1: judging/);
    const shifted = await world();
    expect(shifted).toMatchObject({ ...aside, 'vpc-1': { admin: 'ready' } });
    expect(shifted['vpc-1']?.weight).toBeGreaterThan(0);
    expect(await run('back')).toMatchObject({ code: 2, stderr: '' });
    await controller.endsWith(2);
    expect(await world()).toEqual(found);
  });

  test('who puts a server aside in the middle finds it as he left it, and is told that it is not as it was found', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, haproxies, run, world } = site;
    const backend = new HaproxyBackend({ socket: haproxies[0]?.socket ?? '', backend: 'web', configFile: null });
    const admin = (state: 'maint' | 'ready') => backend.setStates({ 'classic-2': state }, AbortSignal.timeout(20_000));
    const named = 'edge-1/web: classic-2 is in maint, and was found ready';
    for (const isAlive of [true, false]) {
      const controller = await apply('--reason', 'again');
      await controller.until(/step 1: judging/);
      await admin('maint');
      if (!isAlive) {
        controller.kill('SIGKILL');
        await controller.ended;
      }
      const back = await run('back', '--all');
      expect(back).toMatchObject({ code: 2, stderr: '' });
      expect(back.stdout).toContain('not everything is as it was found:\n');
      expect(back.stdout).toContain(`  ${named}\n`);
      expect(back.stdout).not.toContain(': everything is as it was found');
      if (isAlive) expect((await controller.endsWith(2)).stdout).toContain(`rollout-web-1  ${named}\n`);
      expect(await world()).toEqual({ ...asFound, 'classic-2': { ...asFound['classic-2'], admin: 'maint' } });
      await admin('ready');
    }
    expect((await run('back')).stdout).toContain('nothing had to be done: everything is as it was found');
  });

  test('who holds again says why anew, with the commands for the configuration in use', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ policy: ['grow: 60s'] });
    onTestFinished(site.close);
    const { apply, journal, run } = site;
    const controller = await apply();
    await controller.until(/capacity before traffic/);
    expect(await run('hold', '--reason', 'lunch')).toMatchObject({ code: 0, stderr: '' });
    const again = await run('hold', '--reason', 'dinner', '--config', 'drover.yaml');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('`drover back --config drover.yaml`') });
    expect(await run('hold')).toMatchObject({ code: 0 });
    expect(await run('hold', '--reason', ' ')).toMatchObject({ code: 1, stderr: expect.stringContaining('empty') });
    const reasons = (await journal('rollout-web-1')).flatMap(({ body }) => (body.kind === 'held' ? [body.why] : []));
    expect(reasons).toEqual(['lunch', 'dinner']);
    // Nobody waits for a reason that another one has replaced since.
    const words = ['one', 'two', 'three'];
    const atOnce = await Promise.all(words.map((reason) => run('hold', '--reason', reason)));
    expect(atOnce.map(({ code }) => code)).toEqual([0, 0, 0]);
    controller.kill('SIGKILL');
    await controller.ended;
    expect(await run('hold', '--reason', 'a long night')).toMatchObject({ code: 0 });
    const held = (await journal('rollout-web-1')).findLast(({ body }) => body.kind === 'held');
    expect(held?.body).toMatchObject({ why: 'a long night' });
  });

  test('is heard though drover.yaml is broken, and told in one line that it is', async ({ expect, onTestFinished }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, directory, drover, journal, run, shell, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    const shifted = await world();
    writeFileSync(join(directory, 'drover.yaml'), 'version: [1');
    const told = expect.stringMatching(/^drover: drover.yaml has .*going on by the state directory alone\n$/);
    const status = await run('status');
    expect(status).toMatchObject({ code: 0, stderr: told });
    expect(status.stdout).toContain(`A controller is alive (pid ${controller.pid})`);
    const watch = drover('watch');
    await watch.until(/step 1 of 1 .*judging/);
    expect(await run('hold', '--reason', 'the file is broken')).toMatchObject({ code: 0, stderr: told });
    await watch.until(/held/);
    watch.kill('SIGINT');
    expect(await watch.endsWith(0)).toMatchObject({ stderr: told });
    // One whose reader has seen enough ends with it.
    const read = (options: string) => shell(`{ "$0" "$1" watch ${options}; echo "exit $?" >&2; } | head -1`).ended;
    for (const { stderr } of await Promise.all([read(''), read('--json')])) expect(stderr).toMatch(/^exit 0$/m);
    const held = (await journal('rollout-web-1')).filter(({ body }) => body.kind === 'held');
    expect(held).toMatchObject([{ body: { why: 'the file is broken' } }]);
    expect(await run('resume')).toMatchObject({ code: 0, stderr: told, stdout: 'rollout-web-1 goes on\n' });
    expect(await world()).toEqual(shifted);

    controller.kill('SIGKILL');
    await controller.ended;
    writeFileSync(join(directory, '.drover', 'rollout-web-1.back'), 'somebody');
    const dead = (await run('status')).stdout.replace(/\s+/g, ' ');
    expect(dead).toContain('NO CONTROLLER IS ALIVE');
    expect(dead).toContain('the back marker says: somebody');
    expect(dead).toContain('edge-1/web cannot be read: it was not asked');
    const refused = await run('resume', '--reason', 'again');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('drover.yaml:1:') });
    expect(existsSync(join(directory, '.drover', 'rollout-web-1.back'))).toBe(true);
  });

  test('of a controller that hangs is told its process, since when, where it stands and what to do', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, journal, kinds, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGSTOP');
    const told = new RegExp(
      `THE CONTROLLER DOES NOT ANSWER \\(pid ${controller.pid}\\): its last sign of life is \\d+ s old`,
    );
    const remedy = `\`kill -CONT ${controller.pid}\` lets it go on; else \`kill -9 ${controller.pid}\`, and then \`drover apply\``;
    const status = await run('status');
    expect(status.code).toBe(1);
    const text = status.stdout.replace(/\s+/g, ' ');
    expect(text).toMatch(told);
    expect(text).toContain(remedy);
    expect(text).toContain('rollout-web-1 step 1 of 1');
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({
      controller: null,
      silence: { pid: controller.pid, sinceMs: expect.any(Number) },
    });
    const plan = await run('plan', 'web');
    expect(plan).toMatchObject({ code: 2, stderr: '' });
    expect(plan.stdout.replace(/\s+/g, ' ')).toMatch(told);
    expect(plan.stdout.replace(/\s+/g, ' ')).toContain(remedy);
    expect(plan.stdout).not.toContain('goes on with it');
    const hold = await run('hold');
    expect(hold).toMatchObject({ code: 1, stderr: expect.stringMatching(told) });
    expect(hold.stderr).toContain('by the journal rollout-web-1 stands at: step 1 of 1');
    expect(hold.stderr).toContain(remedy);
    const back = await run('back', '--reason', 'users complain');
    expect(back.code).toBe(2);
    expect(back.stdout + back.stderr).not.toContain('no controller is alive');
    controller.kill('SIGCONT');
    await controller.endsWith(2);
    expect(await world()).toEqual(asFound);
    expect((await kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
    const performed = (await journal('rollout-web-1')).find(({ body }) => body.kind === 'back-performed');
    expect(JSON.stringify(performed?.body)).toContain('offline: users complain');
  });

  test('aborts before any traffic has moved', async ({ expect, onTestFinished }) => {
    const site = await openSite({ policy: ['grow: 60s'] });
    onTestFinished(site.close);
    const { apply, journal, run, world } = site;
    const controller = await apply();
    await controller.until(/capacity before traffic/);
    expect(await run('abort')).toMatchObject({ code: 2, stderr: '' });
    await controller.endsWith(2);
    expect(await world()).toEqual(asFound);
    expect((await journal('rollout-web-1')).at(-1)?.body.kind).toBe('rolled-back');
  });
});
