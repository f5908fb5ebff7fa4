import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { askControl } from '../../../src/io/control/socket.ts';
import { type Changes, changed, controllerEntry } from '../kill-points/changes.ts';
import { type Fate, pointsIn } from '../kill-points/points.ts';
import { type Drover, eventually } from './drover.ts';
import type { Told } from './gate.ts';
import { asFound, isMoved, openSite, type Site } from './site.ts';

const operation = 'rollout-web-1';

/** A controller that does not see the others but in the journal; `log` tells what it did. */
type Rival = { readonly controller: Drover; readonly log: string; readonly desk: string };

function startRival(site: Site, name: string, hash: string, fate?: Fate): Rival {
  const log = join(site.directory, `${name}.points`);
  const changes: Changes = { points: fate === undefined ? { log } : { log, fate }, desk: name };
  const controller = site.start(process.execPath, [controllerEntry, 'apply', '--plan', hash], changed(changes));
  return { controller, log, desk: join(site.directory, '.drover', `control.sock.${name}`) };
}

/** What it wrote behind the first entry, for which all of them may try. */
function deeds({ log }: Rival): string[] {
  return pointsIn(log)
    .map(({ what }) => what)
    .filter((what) => /^(append rollout|weights|states|size|marker)/.test(what) && !what.endsWith(': started'));
}

async function reaches(site: Site, stage: string): Promise<void> {
  await eventually(
    () => site.journal(operation),
    (all) => all.some(({ body }) => body.kind === 'stage-entered' && body.stage.kind === stage),
    `a rollout in ${stage}`,
  );
}

/** Commands that give the destination more than nothing. */
function raising(told: readonly Told[]): string[] {
  return told
    .map(({ command }) => command)
    .filter(
      (command) => /\/vpc-\d+ (weight [1-9]|state ready)/.test(command) || /\/classic-\d+ weight 0/.test(command),
    );
}

async function askBack({ desk }: Rival): Promise<void> {
  const request = { kind: 'back', by: 'test', reason: null, all: false };
  await askControl(desk, { kind: 'operator', operation, request }, AbortSignal.timeout(20_000));
}

describe.concurrent('several controllers of one journal', () => {
  test('that all begin and go on at once: exactly one acts, and when it dies exactly one other', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 3s }'] });
    onTestFinished(site.close);
    const hash = await site.plan();
    const begun = ['a', 'b', 'c'].map((name) => startRival(site, name, hash));
    // Who has lost the race for the first entry is told so, and comes again.
    const rivals: Rival[] = [];
    for (const [index, rival] of begun.entries()) {
      await rival.controller.until(/rollout-web-1/);
      const isTold = rival.controller.output().includes('rollout-web-1 was begun by somebody else just now');
      rivals.push(isTold ? startRival(site, `again-${index}`, hash) : rival);
    }
    for (const { controller } of rivals) await controller.until(/rollout-web-1/);
    await reaches(site, 'judging');
    const acting = rivals.filter((rival) => deeds(rival).length > 0);
    expect(acting).toHaveLength(1);
    acting[0]?.controller.kill('SIGKILL');
    const others = rivals.filter((rival) => rival !== acting[0]);
    for (const { controller } of others) expect(await controller.ended).toMatchObject({ code: 0, stderr: '' });
    expect(others.filter((rival) => deeds(rival).length > 0)).toHaveLength(1);
    expect(isMoved(await site.world())).toBe(true);
    const kinds = await site.kinds(operation);
    for (const kind of ['started', 'promoted', 'completed'])
      expect(kinds.filter((one) => one === kind)).toEqual([kind]);
    expect(await site.kinds('rollout-web-2')).toEqual([]);
    expect((await site.run('journal', 'verify')).code).toBe(0);
  });

  test('one that stood still in the middle of a raise until its lease was another one’s raises nothing, and lowers when it is asked to', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ gated: true, rps: 60, steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { first, second } = await standStillInARaise(site);
    const told = site.gate?.told ?? [];
    const before = told.length;
    first.controller.kill('SIGCONT');
    await sleep(4000);
    expect(raising(told.slice(before))).toEqual([]);
    expect(deeds(second).length).toBeGreaterThan(0);
    expect(await site.kinds(operation)).not.toContain('back-performed');

    const asked = told.length;
    await askBack(first);
    await first.controller.endsWith(2);
    await second.controller.endsWith(2);
    expect(await site.world()).toEqual(asFound);
    const [down] = told.slice(asked);
    expect(down?.command).toMatch(/vpc-\d state maint|vpc-\d weight 0/);
    const kinds = await site.kinds(operation);
    for (const kind of ['back-performed', 'rolled-back']) expect(kinds.filter((one) => one === kind)).toEqual([kind]);
    expect((await site.run('journal', 'verify')).code).toBe(0);
  });

  test('one that stood still in the middle of a raise while another one took the traffic back leaves it back', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ gated: true, rps: 60, steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { first, second } = await standStillInARaise(site);
    await askBack(second);
    await second.controller.endsWith(2);
    expect(await site.world()).toEqual(asFound);
    const before = site.gate?.told.length ?? 0;
    first.controller.kill('SIGCONT');
    await first.controller.endsWith(2);
    expect(raising((site.gate?.told ?? []).slice(before))).toEqual([]);
    expect(await site.world()).toEqual(asFound);
    expect((await site.kinds(operation)).at(-1)).toBe('rolled-back');
  });
});

/** The first stops right before it writes the weights of the step, which are journalled; the second takes over, and is judging. */
async function standStillInARaise(site: Site): Promise<{ readonly first: Rival; readonly second: Rival }> {
  const hash = await site.plan();
  const at = { when: 'before', what: 'weights at edge-1/web: {"vpc-1":15,"vpc-2":15}', nth: 1 } as const;
  const first = startRival(site, 'first', hash, { at, signal: 'SIGSTOP' });
  await eventually(
    () => pointsIn(first.log).at(-1),
    (point) => point?.what === at.what,
    'the raise',
  );
  const second = startRival(site, 'second', hash);
  await reaches(site, 'judging');
  return { first, second };
}
