import { join } from 'node:path';
import { describe, test } from 'vitest';
import { runningEmbedded } from '../../../src/io/balancer/embedded/running.ts';
import { eventually } from './drover.ts';
import { seenOf } from './load.ts';
import { openLocalSite } from './local-site.ts';

describe.concurrent('an embedded balancer that is killed', () => {
  test('is started again by the controller, first without traffic for the destination, then with that of its step', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    site.configure((yaml) => yaml.replace('bake: 1s', 'bake: 60s'));
    const { directory, kinds, plan, run, world } = site;
    const balancers = () => runningEmbedded(join(directory, '.drover', 'balancers'));
    const controller = site.drover('apply', '--plan', await plan());
    const load = await site.openLoad();
    await controller.until(/step 1: judging/);
    const shifted = await world();
    const pid = balancers()[0]?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await controller.until(/the embedded balancer "edge" had died, and was started again/);
    const [again] = balancers();
    expect(again).toMatchObject({ name: 'edge', pid: expect.toSatisfy((other: number) => other !== pid) });
    await eventually(world, (seen) => JSON.stringify(seen) === JSON.stringify(shifted), 'the weights of the step');
    expect(await kinds('rollout-web-1')).toContain('balancer-restarted');
    const before = load.ledger.length;
    await load.more(100);
    expect(seenOf(load.ledger.slice(before + 20), 'vpc-').answered).toBeGreaterThan(20);

    // Without a controller nobody starts it: who says so names the command, and the way back does it by itself.
    controller.kill('SIGKILL');
    await controller.ended;
    process.kill(again?.pid ?? 0, 'SIGKILL');
    await eventually(balancers, (seen) => seen.length === 0, 'its end');
    expect((await run('status')).stdout.replace(/\s+/g, ' ')).toContain('`drover apply` starts it');
    expect((await run('back')).code).toBe(2);
    expect(balancers()).toHaveLength(1);
    for (const [name, server] of Object.entries(await world()))
      expect([name, server]).toEqual([name, { weight: name.startsWith('vpc-') ? 0 : 20, admin: 'ready' }]);
    expect((await kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
  });
});
