import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { eventually } from './drover.ts';
import { asFound, openSite } from './site.ts';

/** Counts the calls of a heartbeat. */
async function openHeart(): Promise<{ readonly url: string; calls(): number; close(): void }> {
  let calls = 0;
  const server = createServer((_, response) => {
    calls++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/beat`, calls: () => calls, close: () => void server.close() };
}

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
    expect(heart.calls()).toBe(1);
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
    await eventually(heart.calls, (calls) => calls === 2, 'the last heartbeat');
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
    controller.kill('SIGKILL');
    await controller.ended;
    expect(await run('hold', '--reason', 'a long night')).toMatchObject({ code: 0 });
    expect((await journal('rollout-web-1')).at(-1)?.body).toMatchObject({ kind: 'held', why: 'a long night' });
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
