import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import type { RolloutEvent } from '../../../src/core/rollout/events.ts';
import { type Drover, eventually } from './drover.ts';
import { asFound, isMoved, openSite, type Site } from './site.ts';

type Moment = {
  readonly stage: string;
  readonly outcome: 'completed' | 'rolled-back';
  /** Resolves when the controller is in the stage. */
  reach(site: Site, controller: Drover): Promise<void>;
};

const entered = (stage: string) => new RegExp(`"kind":"stage-entered","stage":\\{"kind":"${stage}"`);

const moments: readonly Moment[] = [
  { stage: 'preparing', outcome: 'completed', reach: (_, controller) => controller.until(/"kind":"intended"/) },
  { stage: 'the drill', outcome: 'completed', reach: (_, controller) => controller.until(entered('drill-shifting')) },
  { stage: 'shifting', outcome: 'completed', reach: (_, controller) => controller.until(entered('shifting')) },
  { stage: 'judging', outcome: 'completed', reach: (_, controller) => controller.until(entered('judging')) },
  { stage: 'finishing', outcome: 'completed', reach: reachFinishing },
  { stage: 'cutting', outcome: 'rolled-back', reach: reachCutting },
];

/** Finishing is over within two passes, so what the controller asks after the first of them waits until it is dead. */
async function reachFinishing({ gate, journal }: Site, controller: Drover): Promise<void> {
  if (gate === null) throw new Error('this site has no gate');
  const isFinishing = async () => (await journal('rollout-web-1')).some(({ body }) => entersFinishing(body));
  gate.guard(async () => controller.child.killed || !(await isFinishing()));
  await eventually(isFinishing, (is) => is, 'a rollout that finishes');
}

function entersFinishing(body: RolloutEvent): boolean {
  return body.kind === 'stage-entered' && body.stage.kind === 'finishing';
}

async function reachCutting(site: Site, controller: Drover): Promise<void> {
  await controller.until(entered('judging'));
  const worker = (await site.haproxies[0]?.worker()) ?? 0;
  const back = site.drover('back');
  await back.until(/takes the traffic back/);
  process.kill(worker, 'SIGSTOP');
  await controller.until(/"kind":"back-performed"/).finally(() => {
    controller.kill('SIGKILL');
    process.kill(worker, 'SIGCONT');
  });
  back.kill('SIGKILL');
}

describe.concurrent('a controller that is killed', () => {
  for (const { stage, outcome, reach } of moments) {
    test(`in ${stage} is followed by the same command, with the same end and nothing twice`, async ({
      expect,
      onTestFinished,
    }) => {
      const site = await openSite({ rps: 150, gated: true });
      onTestFinished(site.close);
      const { drover, journal, kinds, plan, run, world } = site;
      const hash = await plan();
      const first = drover('apply', '--plan', hash, '--json');
      await reach(site, first);
      first.kill('SIGKILL');
      expect((await first.ended).signal).toBe('SIGKILL');
      expect(await kinds('rollout-web-1')).not.toContain(outcome);
      const left = await world();
      await sleep(1500);
      if (outcome === 'completed') expect(await world()).toEqual(left);
      expect((await run('status')).stdout).toContain('NO CONTROLLER IS ALIVE');

      const second = await run('apply', '--plan', hash);
      expect(second).toMatchObject({ code: outcome === 'completed' ? 0 : 2, stderr: '' });
      expect(second.stdout).toContain('rollout-web-1 is unfinished: going on with it');
      const final = await world();
      if (outcome === 'completed') expect(isMoved(final)).toBe(true);
      else expect(final).toEqual(asFound);
      const all = await kinds('rollout-web-1');
      expect(all.at(-1)).toBe(outcome);
      const once = outcome === 'completed' ? ['started', 'completed'] : ['started', 'back-performed', 'rolled-back'];
      for (const kind of once) expect(all.filter((one) => one === kind)).toEqual([kind]);
      const steps = (await journal('rollout-web-1')).flatMap(({ body }) =>
        body.kind === 'promoted' ? [body.step] : [],
      );
      expect(steps).toEqual(outcome === 'completed' ? [1] : []);
      expect(await kinds('rollout-web-2')).toEqual([]);
      expect((await run('journal', 'verify')).code).toBe(0);
    });
  }

  test('in the first of two services is followed by the same command, which moves the second under the same hash', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ services: ['web', 'api'] });
    onTestFinished(site.close);
    const { drover, journal, kinds, plan, run, world } = site;
    const hash = await plan();
    const first = drover('apply', '--plan', hash, '--json');
    await first.until(entered('judging'));
    first.kill('SIGKILL');
    await first.ended;
    const other = await run('apply', '--plan', '0123456789abcdef');
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('belongs to another plan') });
    expect((await run('apply', 'api')).stderr).toContain('rollout-web-1 is unfinished, and comes first');

    const second = await run('apply', '--plan', hash);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    for (const service of ['web', 'api']) {
      expect(isMoved(await world(service))).toBe(true);
      expect((await journal(`rollout-${service}-1`))[0]?.body).toMatchObject({ planHash: hash });
      expect((await kinds(`rollout-${service}-1`)).at(-1)).toBe('completed');
      expect(await kinds(`rollout-${service}-2`)).toEqual([]);
    }
  });
});
