import {
  chmodSync,
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { changed, controllerEntry } from '../kill-points/changes.ts';
import { writeByHand } from './by-hand.ts';
import { type Drover, eventually } from './drover.ts';
import { seenOf } from './load.ts';
import { asFound, openSite, type Site, type World } from './site.ts';

const steps = ['{ weight: 50%, bake: 60s }'];
const hourMs = 3_600_000;

const cutOffline: World = {
  ...asFound,
  'vpc-1': { weight: 0, admin: 'maint' },
  'vpc-2': { weight: 0, admin: 'maint' },
};

/** Breaks the journal of a controller that is alive and judges. */
type Trouble = {
  readonly name: string;
  readonly break: (state: string) => void;
  /** What the living controller says, and what the next one says in place of beginning. */
  readonly says: RegExp;
  readonly refuses: RegExp;
};

const troubles: readonly Trouble[] = [
  {
    name: 'whose pages are overwritten',
    break: overwritePages,
    says: /nothing can be written to the journal: the journal .* is damaged/,
    refuses: /the journal .* is damaged/,
  },
  {
    name: 'that a newer version has taken over',
    break(state) {
      const journal = new DatabaseSync(join(state, 'journal.db'));
      journal.exec('pragma user_version = 99');
      journal.close();
    },
    says: /nothing can be written to the journal: the journal .* was written by a newer Drover/,
    refuses: /the journal .* was written by a newer Drover .*use that version/,
  },
];

describe.concurrent('a journal under a controller that judges', () => {
  for (const { name, break: breakIt, says, refuses } of troubles) {
    test(`${name}: nothing is raised, and the traffic comes back by the controller, and offline without it`, async ({
      onTestFinished,
    }) => {
      const site = await openSite({ steps });
      onTestFinished(site.close);
      const { directory, drover, plan, run, world } = site;
      const hash = await plan();
      const controller = drover('apply', '--plan', hash);
      await controller.until(/step 1: judging/);
      const shifted = await world();
      const state = join(directory, '.drover');
      cpSync(state, `${state}.copy`, { recursive: true, filter: (path) => !path.endsWith('.sock') });
      breakIt(state);
      // Whatever is to be written next.
      await run('hold');
      await controller.until(says);
      expect(await world()).toEqual(shifted);
      const back = await run('back');
      expect(back).toMatchObject({ code: 2, stdout: expect.stringMatching(/the traffic is back|rolled back/) });
      expect(back.stdout + back.stderr).not.toContain('defect');
      await expectNoneAtDestination(site);
      await end(controller);

      // The same with nobody there: as it was before the way back.
      rmSync(state, { recursive: true });
      renameSync(`${state}.copy`, state);
      breakIt(state);
      const next = await run('apply', '--plan', hash);
      expect(next).toMatchObject({ code: 1, stderr: expect.stringMatching(refuses) });
      expect(next.stderr).not.toContain('defect');
      await expectOfflineBack(site, shifted);
    });
  }

  test('that can only be read: the next controller says so and changes nothing, and the traffic comes back without it', async ({
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { directory, drover, plan, world } = site;
    const hash = await plan();
    const controller = drover('apply', '--plan', hash);
    await controller.until(/step 1: judging/);
    await end(controller);
    const shifted = await world();
    makeReadOnly(directory);
    const asReader = (command: string) => site.shell(`${readerOf()} "$0" "$1" ${command}`).ended;
    const next = await asReader(`apply --plan ${hash}`);
    expect(next).toMatchObject({ code: 1, stderr: expect.stringMatching(/no permission|cannot write/) });
    expect(next.stderr).not.toContain('defect');
    expect(await world()).toEqual(shifted);
    for (const command of ['back', 'back --offline']) {
      const back = await asReader(command);
      expect({ command, code: back.code, world: await world() }, back.stderr).toEqual({
        ...{ command, code: 2, world: cutOffline },
      });
      expect(back.stdout + back.stderr).toMatch(/not by the journal|the traffic is back/);
    }
    await expectNoneAtDestination(site);
  });
});

describe.concurrent('a clock that is set back by an hour', () => {
  test('under a controller moves nothing, and the traffic comes back in time', async ({ onTestFinished }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { directory, journal, plan, run, world } = site;
    const clock = join(directory, 'clock');
    const apply = ['apply', '--plan', await plan()];
    const controller = site.start(process.execPath, [controllerEntry, ...apply], changed({ clock }));
    await controller.until(/step 1: judging/);
    const shifted = await world();
    writeFileSync(clock, String(-hourMs));
    await sleep(12_000);
    expect(await world()).toEqual(shifted);
    expect(controller.child.exitCode).toBeNull();
    expect((await run('status')).stdout).toContain('A controller is alive');
    expect(await run('back')).toMatchObject({ code: 2, stderr: '' });
    await controller.endsWith(2);
    expect(await world()).toEqual(asFound);
    await expectTimeGoesOn(site);
    expect((await journal('rollout-web-1')).at(-1)?.body.kind).toBe('rolled-back');
  });

  test('between two controllers, the next one goes on, and what it is asked for comes true', async ({
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { directory, plan, world } = site;
    const clock = join(directory, 'clock');
    const apply = ['apply', '--plan', await plan()];
    const first = site.drover(...apply);
    await first.until(/step 1: judging/);
    await end(first);
    const shifted = await world();
    writeFileSync(clock, String(-hourMs));
    const next = site.start(process.execPath, [controllerEntry, ...apply], changed({ clock }));
    await next.until(/going on with it/);
    await eventually(
      () => site.run('status'),
      ({ stdout }) => /step 1 of 1 .*judging/.test(stdout) && stdout.includes('A controller is alive'),
      'a controller that judges',
    );
    expect(await world()).toEqual(shifted);
    await end(next);
    const offline = site.start(process.execPath, [controllerEntry, 'back', '--offline'], changed({ clock }));
    expect(await offline.ended).toMatchObject({ code: 2 });
    expect(await world()).toEqual(cutOffline);
    await expectNoneAtDestination(site);
    // Whoever comes next finds it, whatever the clock says.
    const last = site.start(process.execPath, [controllerEntry, ...apply], changed({ clock }));
    await last.endsWith(2);
    expect(await world()).toEqual(asFound);
    await expectTimeGoesOn(site);
  });
});

async function end(controller: Drover): Promise<void> {
  controller.kill('SIGKILL');
  await controller.ended;
}

/** All but the first page of the file, and every page in its log: what is overwritten is not what a check would catch. */
function overwritePages(state: string): void {
  const pageBytes = 4096;
  const places = (path: string, first: number, every: number) =>
    Array.from({ length: Math.floor((statSync(path).size - first) / every) }, (_, index) => first + index * every);
  for (const [name, first, every] of [
    ['journal.db', pageBytes, pageBytes],
    ['journal.db-wal', 32 + 24, pageBytes + 24],
  ] as const) {
    const path = join(state, name);
    const file = openSync(path, 'r+');
    for (const place of places(path, first, every)) writeSync(file, Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, place);
    closeSync(file);
  }
}

function makeReadOnly(directory: string): void {
  const state = join(directory, '.drover');
  for (const name of readdirSync(state)) chmodSync(join(state, name), 0o444);
  chmodSync(state, 0o555);
}

/** root may write whatever the mode is, unless it has given that up. Another user could not read a checkout that is only its owner's. */
function readerOf(): string {
  const without = '-dac_override,-dac_read_search';
  return process.getuid?.() === 0 ? `exec setpriv --bounding-set=${without} --inh-caps=${without}` : 'exec';
}

async function expectNoneAtDestination({ load }: Site): Promise<void> {
  const before = load.ledger.length;
  await load.more(80);
  expect(seenOf(load.ledger.slice(before + 40), 'vpc-')).toEqual({ answered: 0, failed: 0 });
}

/** The traffic is at the destination again, behind Drover's back, and is taken away offline. */
async function expectOfflineBack(site: Site, shifted: World): Promise<void> {
  await writeByHand(site, shifted);
  const back = await site.run('back', '--offline');
  expect({ code: back.code, world: await site.world() }, back.stderr).toEqual({ code: 2, world: cutOffline });
  await expectNoneAtDestination(site);
}

async function expectTimeGoesOn({ journal, run }: Site): Promise<void> {
  const times = (await journal('rollout-web-1')).map(({ atMs }) => atMs);
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect((await run('journal', 'verify')).code).toBe(0);
}
