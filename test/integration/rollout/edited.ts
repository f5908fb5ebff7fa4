import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asFound, openSite } from './site.ts';

describe.concurrent('drover.yaml, edited while a rollout is held', () => {
  test('does not change what was begun: what differs is told, and other balancers are not written to', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, directory, drover, haproxies, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGTERM');
    await controller.endsWith(2);
    const shifted = await world();
    const file = join(directory, 'drover.yaml');
    const before = readFileSync(file, 'utf8');

    const socket = haproxies[0]?.socket ?? '';
    writeFileSync(file, before.replaceAll(socket, '/nowhere/other.sock'));
    const refused = await run('resume');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('not carried on at other balancers') });
    expect(refused.stderr).toContain(`backends[0].address: "/nowhere/other.sock", was "${socket}"`);
    expect(await world()).toEqual(shifted);

    writeFileSync(file, before.replace('bake: 60s', 'bake: 1s'));
    const told = 'steps[0].bakeMs: 1000, was 60000';
    expect((await run('plan')).stdout).toContain(told);
    const again = drover('resume');
    await again.until(/goes on as it was begun/);
    expect(again.output()).toContain(told);
    await again.until(/step 1: judging/);
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({
      controller: { status: { bakeMs: 60_000 } },
    });
    expect((await run('back')).code).toBe(2);
    await again.endsWith(2);
  });

  test.each([
    ['the service has another name', (yaml: string) => yaml.replace('  web:', '  shop:').replace('[web]', '[shop]')],
    ['the backend has another name', (yaml: string) => yaml.replace('backend: web', 'backend: wbe')],
  ])('is of no use to the way back, which does without: %s', async (what, edit) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    try {
      const { apply, directory, run, world } = site;
      const controller = await apply();
      await controller.until(/step 1: judging/);
      controller.kill('SIGKILL');
      await controller.ended;
      const file = join(directory, 'drover.yaml');
      const exported = join(directory, '.drover', 'rollout-web-1.json');
      const before = readFileSync(exported, 'utf8');
      writeFileSync(file, edit(readFileSync(file, 'utf8')));
      expect((await run('resume')).code).toBe(1);
      if (what === 'the service has another name') {
        // Every command that cannot go on says what to do, and none leads to another one that cannot either.
        const putBack =
          /services\.web is not there any more: put it back under that name until rollout-web-1 has ended/;
        expect((await run('apply')).stderr).toMatch(putBack);
        expect((await run('resume')).stderr).toMatch(putBack);
        const planned = (await run('plan', 'shop')).stdout;
        expect(planned.replace(/\s+/g, ' ')).toMatch(putBack);
        expect(planned).not.toContain('drover apply');
        expect((await run('status')).stdout).not.toContain('drover apply');
        const diagnosis = (await run('doctor')).stdout;
        expect(diagnosis.replace(/\s+/g, ' ')).toMatch(putBack);
        expect(diagnosis).not.toContain('`drover apply` goes on');
      }
      expect(readFileSync(exported, 'utf8')).toBe(before);
      const back = await run('back');
      expect(back).toMatchObject({ code: 2, stdout: expect.stringContaining('2 destination servers are in maint') });
      const inMaint = { weight: 0, admin: 'maint' };
      expect(await world()).toEqual({ ...asFound, 'vpc-1': inMaint, 'vpc-2': inMaint });
      const told = (await run('status')).stdout.replace(/\s+/g, ' ');
      expect(told).toContain('the journal does not know it: the back marker says');
      if (what === 'the service has another name') {
        expect(told).toContain(
          'edge-1/web cannot be read: it was not asked, because the configuration has no service "web"',
        );
        // Nothing is promised that was not looked at.
        expect(told).not.toContain('goes forward again');
        expect(told).toMatch(
          /put it back under that name until rollout-web-1 has ended; then `drover back rollout-web-1` puts everything as it was found/,
        );
      }
    } finally {
      await site.close();
    }
  });
});
