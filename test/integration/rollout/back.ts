import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { writeByHand } from './by-hand.ts';
import { eventually } from './drover.ts';
import { seenOf } from './load.ts';
import { asFound, openSite, type Site, type World } from './site.ts';

const steps = ['{ weight: 50%, bake: 60s }'];
/** The origin as found, the destination in maint: what can be had where nothing but the balancer can be written. */
const cut: World = {
  ...asFound,
  'vpc-1': { weight: expect.any(Number), admin: 'maint' },
  'vpc-2': { weight: expect.any(Number), admin: 'maint' },
};

/** The same without a controller: at weight 0, so that whoever wakes the servers gives them no traffic. */
const cutOffline: World = {
  ...asFound,
  'vpc-1': { weight: 0, admin: 'maint' },
  'vpc-2': { weight: 0, admin: 'maint' },
};

type Trouble = {
  readonly name: string;
  /** Breaks something in the site's directory. */
  readonly break: (state: string, site: Site) => void;
  /** Before the command in a shell. */
  readonly wrapper?: string;
  readonly args?: (site: Site) => string;
  readonly says: RegExp;
  /** No journal will ever know of it: what to type is printed. */
  readonly isLost?: true;
};

const troubles: readonly Trouble[] = [
  {
    name: 'a damaged journal',
    break: (state) => {
      for (const file of ['journal.db-wal', 'journal.db-shm']) rmSync(join(state, file), { force: true });
      writeFileSync(join(state, 'journal.db'), 'this is no journal, and it is long enough to be seen');
    },
    says: /not by the journal: the journal .* is damaged/,
    isLost: true,
  },
  {
    name: 'a journal of a newer version',
    break: (state) => {
      const journal = new DatabaseSync(join(state, 'journal.db'));
      journal.exec('pragma user_version = 99');
      journal.close();
    },
    says: /not by the journal: the journal .* was written by a newer Drover/,
  },
  {
    name: 'a journal that is gone',
    break: (state) => rmSync(join(state, 'journal.db')),
    says: /not by the journal: there is no journal at/,
    isLost: true,
  },
  {
    name: 'a broken drover.yaml',
    break: (_, { directory }) => writeFileSync(join(directory, 'drover.yaml'), 'version: [1'),
    says: /not by the journal: drover.yaml has a problem/,
  },
  {
    name: 'a full disk',
    break: () => undefined,
    wrapper: 'ulimit -f 0; exec',
    says: /not by the journal: .*the disk is full.*\n(.*\n)*.*the back marker of rollout-web-1 could not be written/,
  },
  {
    name: 'nothing but the name of a socket',
    break: (state) => rmSync(state, { recursive: true }),
    args: ({ haproxies }) => `--offline --haproxy ${haproxies[0]?.socket} --destination 'vpc-*'`,
    says: /2 destination servers are in maint; the origin carries everything\nthe traffic is back\. No rollout of this directory is told/,
  },
];

describe.concurrent('the way back', () => {
  test('is taken without a controller, whatever is broken beside it', async ({ expect, onTestFinished }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { directory, drover, kinds, load, plan, run, shell, world } = site;
    const hash = await plan();
    const controller = drover('apply', '--plan', hash);
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const state = join(directory, '.drover');
    const yaml = readFileSync(join(directory, 'drover.yaml'));
    cpSync(state, `${state}.copy`, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const shifted = await world();
    for (const trouble of troubles) {
      rmSync(state, { recursive: true, force: true });
      cpSync(`${state}.copy`, state, { recursive: true });
      writeFileSync(join(directory, 'drover.yaml'), yaml);
      await writeByHand(site, shifted);
      trouble.break(state, site);
      const back = await shell(`${trouble.wrapper ?? 'exec'} "$0" "$1" back ${trouble.args?.(site) ?? ''}`).ended;
      expect({ trouble: trouble.name, code: back.code, world: await world() }).toEqual({
        trouble: trouble.name,
        code: 2,
        world: cutOffline,
      });
      expect(back.stdout + back.stderr).toMatch(trouble.says);
      const before = load.ledger.length;
      await load.more(60);
      expect(seenOf(load.ledger.slice(before + 40), 'vpc-')).toEqual({ answered: 0, failed: 0 });
      if (trouble.isLost) await expectWayOut(site, back.stdout);
    }

    // The journal is back, and finds out.
    rmSync(join(state), { recursive: true, force: true });
    cpSync(`${state}.copy`, state, { recursive: true });
    const again = await run('apply', '--plan', hash);
    expect(again).toMatchObject({ code: 2, stderr: '' });
    expect(await world()).toEqual(asFound);
    expect((await kinds('rollout-web-1')).slice(-4)).toEqual(['back-performed', 'drained', 'intended', 'rolled-back']);
    expect(existsSync(join(state, 'rollout-web-1.json'))).toBe(false);
  });

  test('is journalled by a process of its own where there is a journal and no controller', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { apply, haproxies, journal, reload, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const shifted = await world();
    const misled = await run('back', '--haproxy', haproxies[0]?.socket ?? '', '--destination', 'vpc-*');
    expect(misled).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--haproxy, --destination are for --offline'),
    });
    expect(await world()).toEqual(shifted);
    expect(await run('hold', '--reason', 'look first')).toMatchObject({ code: 0, stderr: '' });
    // A checkpoint is written whenever one is due.
    const told = (await journal('rollout-web-1')).filter(({ body }) => body.kind !== 'checkpoint');
    expect(told.at(-1)?.body).toMatchObject({ kind: 'held', why: 'look first' });
    expect(await world()).toEqual(shifted);
    const back = await run('back', 'web', '--reason', 'the controller died');
    expect(back).toMatchObject({ code: 2, stderr: '', stdout: expect.stringContaining('no controller is alive') });
    expect(await world()).toEqual(asFound);
    const entries = await journal('rollout-web-1');
    const performed = entries.find(({ body }) => body.kind === 'back-performed');
    expect(performed?.body).toMatchObject({ cause: { kind: 'asked', reason: 'the controller died' } });
    expect(entries.at(-1)?.body.kind).toBe('rolled-back');
    expect(await run('back')).toMatchObject({ code: 2, stderr: '' });
    expect(await world()).toEqual(asFound);

    // Nobody watches any more when a reload gives the destination traffic again.
    await reload({ 'classic-1': 10, 'classic-2': 20, 'vpc-1': 30, 'vpc-2': 0 });
    const undone = await run('status');
    expect(undone.code).toBe(1);
    expect(undone.stdout.replace(/\s+/g, ' ')).toContain(
      'the way back is undone: vpc-1 (weight 30) carries traffic again. `drover back rollout-web-1` takes it away',
    );
    expect(await run('back', 'rollout-web-1')).toMatchObject({ code: 2, stderr: '' });
    expect(await world()).toEqual(asFound);
    expect((await run('status')).stdout).toContain('any reload undoes this way back');
    expect(await run('retire', 'web')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /has no reserve to give up \(rolled back\), and nothing was done\n {2}only a completed/,
      ),
    });
  });

  test('names what the balancer refuses, and is not said to be complete before it is', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { apply, directory, drover, haproxies, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const shifted = await world();
    const file = join(directory, 'drover.yaml');
    const yaml = readFileSync(file, 'utf8');
    // As after a reload of a haproxy.cfg in which somebody has lowered the level.
    writeFileSync(file, yaml.replaceAll('admin.sock', 'user.sock'));
    const back = drover('back', '--config', 'drover.yaml');
    await back.until(/still standing: edge-1\/web: vpc-1, vpc-2 still carry/);
    await back.until(/edge-1\/web does not take what is written: .*Permission denied.*level admin/);
    const alive = await run('status', '--json');
    expect(alive.code).toBe(1);
    expect(JSON.parse(alive.stdout).controller).toMatchObject({
      standing: ['edge-1/web: vpc-1, vpc-2 still carry'],
      status: {
        troubles: [expect.stringContaining('Permission denied')],
        back: { standing: expect.arrayContaining(['edge-1/web: vpc-1, vpc-2 still carry']) },
      },
    });
    expect((await run('why')).stdout).toMatch(/^now: edge-1\/web does not take .*Permission denied/m);
    back.kill('SIGTERM');
    const ended = await back.endsWith(1);
    expect(ended.stdout).toMatch(
      /the traffic is NOT back; still standing: .*\n.* {2}drover back --config drover.yaml /,
    );
    expect(ended.stdout).not.toMatch(/the traffic is back/);
    expect(ended.stderr).toMatch(/rollout-web-1: still standing: .*Permission denied/);
    expect(ended.stdout + ended.stderr).not.toContain('aborted');
    expect(await world()).toEqual(shifted);
    const dead = await run('status', '--json');
    // Asked for, not back, and nobody goes on with it.
    expect(dead.code).toBe(1);
    expect(JSON.parse(dead.stdout)).toMatchObject({
      controller: null,
      rollouts: [{ astray: ['still standing: edge-1/web: vpc-1, vpc-2 still carry'], taken: null }],
    });
    expect((await run('status')).stdout.replace(/\s+/g, ' ')).toContain('`drover back` goes on with the way back');

    writeFileSync(file, yaml);
    expect((await run('back')).code).toBe(2);
    expect(await world()).toEqual(asFound);
    expect(haproxies).toHaveLength(1);
  });

  test('that somebody took without the journal is seen by whoever asks where things stand', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { apply, directory, drover, kinds, plan, run, world } = site;
    const statusOf = async () => JSON.parse((await run('status', '--json')).stdout);
    await (await apply()).endsWith(0);
    expect((await statusOf()).configurationToCommit).toHaveLength(4);
    const byHand = (await run('plan', 'web')).stdout;
    expect(byHand).not.toMatch(/\b0 requests\/s/);
    expect(byHand).toContain('set server web/classic-1 weight 10; set server web/classic-2 weight 20; ');
    const place = ['--journal', join('.drover', 'journal.db')];
    const offline = await run('back', '--offline', ...place, '--reason', 'web is bad');
    expect(offline.stdout).toContain('`drover back --journal .drover/journal.db rollout-web-1`');
    expect(offline).toMatchObject({ code: 2, stdout: expect.not.stringContaining('a controller that comes back') });
    const fled = await world();
    const [, markedAt = ''] = /, (\S+)$/.exec(markerOf(directory)) ?? [];
    expect(await statusOf()).toMatchObject({
      rollouts: [{ stage: 'completed', taken: expect.stringContaining('the back marker says') }],
      configurationToCommit: [],
    });
    expect((await run('status')).stdout.replace(/\s+/g, ' ')).toContain(
      'The traffic was taken back, and the journal does not know it',
    );
    expect(await world()).toEqual(fled);
    expect((await run('back', 'web')).code).toBe(2);
    expect(await world()).toEqual(asFound);
    expect((await kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
    // It is told as it was, and not as it was written down.
    const report = (await run('report', 'rollout-web-1')).stdout;
    expect(report).toMatch(/Cause: found: the back marker says: .*, offline: web is bad, .*; then .* asked for it/);
    expect(report).toContain(`Taken at ${markedAt}.`);
    expect(markerOf(directory)).toContain('web is bad');
    expect(await statusOf()).toMatchObject({ rollouts: [{ taken: null, astray: [] }] });

    const second = drover('apply', '--plan', await plan('web'), 'web', '--reason', 'web is well');
    await second.until(/capacity before traffic|step 1/);
    second.kill('SIGKILL');
    await second.ended;
    const early = await run('plan', 'web');
    expect(early).toMatchObject({ code: 2, stdout: expect.stringMatching(/rollout-web-2 is unfinished \(/) });
    expect(early.stdout).toMatch(/drover apply --plan [0-9a-f]{16} +goes on with it/);
    expect(early.stdout).not.toMatch(/^Plan /m);
    expect((await run('back', '--offline')).code).toBe(2);
    const { stdout } = await run('status');
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      '`drover resume rollout-web-2 --reason TEXT` removes the marker and goes forward again',
    );
    expect(stdout).not.toContain('drover apply');
    expect((await run('back')).code).toBe(2);
    expect(await world()).toEqual(asFound);
  });

  test('keeps the time and the reason of whoever took it first, in part and though somebody took it again', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ haproxies: 2, steps });
    onTestFinished(site.close);
    const { directory, haproxies, journal, run, world } = site;
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    // One of two balancers: a way back that is not whole.
    const first = ['--offline', '--haproxy', haproxies[0]?.socket ?? '', '--destination', 'vpc-*', '--reason'];
    expect((await run('back', ...first, 'users complain')).code).toBe(2);
    const marker = markerOf(directory);
    const again = await run('back', ...first, 'pressed twice');
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining(marker) });
    expect(markerOf(directory)).toBe(marker);
    expect((await run('back', '--reason', 'the rest')).code).toBe(2);
    expect([await world('web', 0), await world('web', 1)]).toEqual([asFound, asFound]);
    const [, markedAt = ''] = /, (\S+)$/.exec(marker) ?? [];
    const performed = (await journal('rollout-web-1')).find(({ body }) => body.kind === 'back-performed');
    expect(performed?.body).toMatchObject({
      cause: { kind: 'found', detail: expect.stringMatching(/users complain, .*; then .* asked for it: the rest$/) },
      performedAtMs: Date.parse(markedAt),
    });
    const report = (await run('report')).stdout;
    expect(report).toContain(`Taken at ${markedAt}.`);
    expect(report).not.toContain('pressed twice');
  });

  test('by hand is taken at each HAProxy that is named, and one that is not there holds up none', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ haproxies: 2, steps });
    onTestFinished(site.close);
    const { haproxies, run, world } = site;
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const [one = '', two = ''] = haproxies.map(({ socket }) => socket);
    const offline = (...args: string[]) => run('back', '--offline', '--destination', 'vpc-*', ...args);
    const positional = await offline('--haproxy', one, two);
    expect([positional.code, positional.stderr]).toEqual([1, expect.stringContaining('named by --haproxy once more')]);
    const twice = await offline('--haproxy', one, '--haproxy', one);
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('It was given before')]);
    const partly = await offline('--haproxy', one, '--haproxy', `${two}-gone`, '--haproxy', two);
    expect(partly).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/still standing after 2 of 3 were taken back:\n.*-gone: /),
    });
    for (const index of [0, 1]) expect(await world('web', index)).toEqual(cutOffline);
    expect((await offline('--haproxy', one, '--haproxy', two)).code).toBe(2);
    expect((await run('back')).code).toBe(2);
    for (const index of [0, 1]) expect(await world('web', index)).toEqual(asFound);
  });

  test('that a reload has undone and somebody goes on after stands in the journal all the same', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { drover, kinds, reload, run } = site;
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    expect((await run('back', '--offline', '--reason', 'users complain')).code).toBe(2);
    await reload({});
    const onwards = drover('resume', '--reason', 'it was the network');
    await eventually(
      () => kinds('rollout-web-1'),
      (seen) => seen.includes('resumed'),
      'it goes on',
    );
    expect((await kinds('rollout-web-1')).includes('back-performed')).toBe(false);
    const told =
      /resumed by .*it was the network; the back marker that was removed for it said: .*offline: users complain, /;
    expect((await run('report')).stdout).toMatch(told);
    expect((await run('why')).stdout).toMatch(told);
    onwards.kill('SIGKILL');
  });

  test('that was taken without the journal keeps its time and reason where somebody asks to go on', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, directory, drover, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    expect((await run('back', '--offline', '--reason', 'web is bad')).code).toBe(2);
    const [, markedAt = ''] = /, (\S+)$/.exec(markerOf(directory)) ?? [];
    await drover('resume', '--reason', 'a mistake').endsWith(2);
    expect(await world()).toEqual(asFound);
    const report = (await run('report')).stdout;
    expect(report).toMatch(/Cause: found: the back marker says: .*web is bad, .*; then .* asked to go on: a mistake/);
    expect(report).toContain(`Taken at ${markedAt}.`);
  });

  test('is taken by a controller whose disk has become full, and journalled when there is space', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { apply, directory, journal, kinds, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    const limit = (bytes: string) => execFileSync('prlimit', ['--pid', String(controller.pid), `--fsize=${bytes}`]);
    limit('1:unlimited');
    const back = await run('back', '--reason', 'it burns');
    expect(back).toMatchObject({ code: 2, stderr: '', stdout: expect.stringContaining('the disk is full') });
    expect(back.stdout).toContain('the traffic is back');
    expect(await world()).toEqual(cut);
    expect(await kinds('rollout-web-1')).not.toContain('back-performed');
    expect(await run('status')).toMatchObject({ code: 0, stdout: expect.stringContaining('the disk is full') });
    for (const verb of ['status', 'why', 'report']) {
      const told = (await run(verb)).stdout.replace(/\s+/g, ' ');
      expect(told).toMatch(/taken at \S+ \(\S+ asked for it, reason: it burns\)/);
      expect(told).toMatch(/the journal does not know it/);
      expect(told).not.toMatch(/promotes|the back marker is set/);
    }

    limit('unlimited:unlimited');
    await controller.endsWith(2);
    expect(await world()).toEqual(asFound);
    expect((await journal('rollout-web-1')).at(-1)?.body.kind).toBe('rolled-back');
    expect(existsSync(join(directory, '.drover', 'rollout-web-1.json'))).toBe(false);
    expect((await run('report')).stdout).toMatch(
      /It was taken without the journal, .*: what follows was seen only then\./,
    );
    await eventually(
      () => run('status'),
      ({ stdout }) => stdout.includes('nothing is unfinished'),
      'the end',
    );
  });
});

/** What the command of this name does with these words, where it is not installed. */
const socat = `socat() { "$0" -e '
  const socket = require("node:net").connect(process.argv[1]);
  process.stdin.pipe(socket).pipe(process.stdout);
' "$2"; }`;

/** What is printed puts everything as it was found, and leaves a directory in which another rollout can begin. */
async function expectWayOut({ run, shell, world, plan }: Site, printed: string): Promise<void> {
  const lost = await run('status');
  expect(lost.code).toBe(1);
  expect((lost.stdout + lost.stderr).replace(/\s+/g, ' ')).toMatch(
    /rollout-web-1 is known by no journal; .* was not finished, and the back marker says .* `drover back rollout-web-1`/,
  );
  expect(await run('doctor')).toMatchObject({
    code: 2,
    stdout: expect.not.stringContaining('no rollout is unfinished'),
  });
  expect(printed).not.toContain('`drover back');
  const commands = printed.split('\n').filter((line) => /^ {2}(echo|rm|mkdir) /.test(line));
  // Where the first one fails, what is known of the way back is still there.
  expect(await shell(['socat() { return 127; }', ...commands].join('\n')).ended).toMatchObject({ code: 127 });
  expect((await run('status')).stdout).toBe(lost.stdout);
  expect(await shell([socat, ...commands].join('\n')).ended).toMatchObject({ code: 0, stderr: '' });
  expect(await world()).toEqual(asFound);
  expect(await run('status')).toMatchObject({ code: 0, stdout: 'Nothing was started here yet.\n' });
  await plan();
}

function markerOf(directory: string): string {
  return readFileSync(join(directory, '.drover', 'rollout-web-1.back'), 'utf8').trim();
}
