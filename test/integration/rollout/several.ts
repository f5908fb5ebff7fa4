import { describe, test } from 'vitest';
import type { Drover } from './drover.ts';
import { asFound, isMoved, openSite, type Site } from './site.ts';

const steps = ['{ weight: 50%, bake: 60s }'];

describe.concurrent('a service behind two HAProxies', () => {
  test('moves at both, each read back and counted on its own', async ({ expect, onTestFinished }) => {
    const site = await openSite({ haproxies: 2, rps: 300 });
    onTestFinished(site.close);
    const { apply, journal, world } = site;
    await (await apply()).endsWith(0);
    for (const index of [0, 1]) expect(isMoved(await world('web', index))).toBe(true);
    const entries = (await journal('rollout-web-1')).map(({ body }) => body);
    const confirmed = entries.flatMap((body) => (body.kind === 'confirmed' ? [body] : []));
    const backends = (intent: number) => confirmed.filter((one) => one.intent === intent).map((one) => one.backend);
    for (const intent of new Set(confirmed.map((one) => one.intent)))
      expect(backends(intent).sort()).toEqual(['edge-1/web', 'edge-2/web']);
    expect(new Set(confirmed.map(({ process }) => process)).size).toBe(2);
  });

  test('is taken back at the one that answers, while the other one is reported and tried again', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ haproxies: 2, oneBalancer: true, rps: 300, steps });
    onTestFinished(site.close);
    const { apply, drover, journal, load, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    const wake = await freezeSecond(site);
    const askedAtMs = Date.now();
    const back = drover('back');
    await untilBack(back, /on the way back: .*\n.*still standing: edge-1\/web#2 does not answer/, wake, async () => {
      expect((await world())['vpc-1']).toMatchObject({ admin: 'maint' });
      const performed = (await journal('rollout-web-1')).find(({ body }) => body.kind === 'back-performed');
      const last = load.ledger.findLast(({ server, via }) => via === 0 && server?.startsWith('vpc-') === true);
      const leftMs = (last?.sentAtMs ?? 0) - askedAtMs;
      const figures = `one of two balancers hangs: last destination request at the other ${leftMs} ms after drover back began`;
      process.stdout.write(`${figures}, ${(last?.sentAtMs ?? 0) - (performed?.atMs ?? 0)} ms after it was performed\n`);
    });
    await back.endsWith(2);
    await controller.endsWith(2);
    for (const index of [0, 1]) expect(await world('web', index)).toEqual(asFound);
    expect((await run('status')).stdout).toContain('nothing is unfinished');
  });

  test('is taken back offline at the one that answers, for a bounded time at the other one', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ haproxies: 2, rps: 300, steps });
    onTestFinished(site.close);
    const { drover, kinds, plan, run, world } = site;
    const hash = await plan();
    const controller = drover('apply', '--plan', hash);
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const wake = await freezeSecond(site);
    const offline = drover('back', '--offline');
    await untilBack(offline, /edge-2\/web: .* \(trying again for \d+ s\)/, null, async () => {
      expect((await world())['vpc-1']).toMatchObject({ admin: 'maint' });
    });
    const ended = await offline.ended;
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('edge-1/web: 2 destination servers') });
    expect(ended.stderr).toMatch(/still standing after 1 of 2 were taken back:\n {2}edge-2\/web: /);
    const again = drover('back');
    await untilBack(again, /still standing: edge-2\/web does not answer/, wake, async () => {
      expect((await world())['vpc-1']).toMatchObject({ admin: 'maint' });
    });
    // The one that hung may have been tried in vain, which is said.
    await again.endsWith(2);
    for (const index of [0, 1]) expect(await world('web', index)).toEqual(asFound);
    expect((await kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
    // Asked once more it looks again: a reload may have given the destination traffic.
    expect((await run('back')).code).toBe(2);
    for (const index of [0, 1]) expect(await world('web', index)).toEqual(asFound);
  });
});

async function freezeSecond(site: Site): Promise<() => void> {
  const worker = (await site.haproxies[1]?.worker()) ?? 0;
  process.kill(worker, 'SIGSTOP');
  return () => process.kill(worker, 'SIGCONT');
}

/** Looks at the world as soon as the command has said something, and then wakes what was stopped. */
async function untilBack(
  command: Drover,
  says: RegExp,
  wake: (() => void) | null,
  look: () => Promise<void>,
): Promise<void> {
  try {
    await command.until(says);
    await look();
  } finally {
    wake?.();
  }
}
