import { describe, test } from 'vitest';
import { seenOf } from './load.ts';
import { asFound, baseline, isMoved, openSite } from './site.ts';

describe.concurrent('a rollout behind HAProxy', () => {
  test('of a good build moves under its plan only, and keeps its reserve until the moved weights are committed', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { load, run, plan, world, kinds, journal, reload } = site;
    await load.more(50);
    const hash = await plan();
    const other = await run('apply', '--plan', '0123456789abcdef');
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining(`the plan of web is ${hash} now`) });
    expect(await world()).toEqual(asFound);
    expect(await journal('rollout-web-1')).toEqual([]);

    const applied = await run('apply', '--plan', hash, '--json', '--reason', 'the first one');
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    const lines = applied.stdout.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
      end: 'ended',
      operation: 'rollout-web-1',
      stage: 'completed',
      held: null,
    });
    const told = lines.slice(0, -1).map((line) => JSON.parse(line).entry);
    // The first entry is there before there is a controller to tell of it.
    expect(told).toEqual((await journal('rollout-web-1')).slice(1));
    expect((await journal('rollout-web-1'))[0]?.body).toMatchObject({ planHash: hash, reason: 'the first one' });
    expect(await kinds('rollout-web-1')).toEqual(expect.arrayContaining(['drill-measured', 'promoted', 'completed']));
    const moved = await world();
    expect(isMoved(moved)).toBe(true);
    const before = load.ledger.length;
    await load.more(100);
    expect(seenOf(load.ledger.slice(before + 20), 'classic-')).toEqual({ answered: 0, failed: 0 });
    expect(seenOf(load.ledger, '').answered / load.ledger.length).toBeGreaterThan(0.96);

    const again = await run('apply', '--plan', hash);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('everything of this plan has been done') });
    const line = `server vpc-1 … weight ${moved['vpc-1']?.weight} (now weight 0)`;
    expect((await run('status')).stdout).toContain(line);
    expect((await run('report')).stdout).toContain(line);
    const early = await run('retire', '--confirm', 'rollout-web-1');
    expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining(line) });
    await reload(Object.fromEntries(Object.entries(moved).map(([name, { weight }]) => [name, weight])));
    expect((await run('status')).stdout).not.toContain('weight');
    const unnamed = await run('retire');
    expect(unnamed).toMatchObject({ code: 1, stderr: expect.stringContaining('--confirm NAME') });
    const misnamed = await run('retire', '--confirm', 'rollout-wob-1');
    expect(misnamed).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was done') });
    expect(await run('retire', '--confirm', 'rollout-web-1')).toMatchObject({ code: 0, stderr: '' });
    expect((await kinds('rollout-web-1')).filter((kind) => kind === 'retired')).toHaveLength(1);
    expect(await world()).toEqual(moved);
    expect((await run('back')).code).toBe(1);
    expect(await world()).toEqual(moved);
  });

  test('a build that fails ten times as often is taken back by the judge, tried again only with a reason, and its fix moves', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 20%, bake: 1s }'] });
    onTestFinished(site.close);
    const { apply, destination, journal, load, run, world } = site;
    const build = destination['web'];
    if (build === undefined) throw new Error('no build to spoil');
    Object.assign(build, { failures: 10 * baseline });

    const bad = await apply();
    await bad.endsWith(2);
    expect(await world()).toEqual(asFound);
    const entries = await journal('rollout-web-1');
    const back = entries.find(({ body }) => body.kind === 'back-performed');
    expect(back?.body).toMatchObject({ cause: { kind: 'judge' } });
    expect(entries.at(-1)?.body.kind).toBe('rolled-back');
    const carried = entries.find(({ body }) => body.kind === 'stage-entered' && body.stage.kind === 'shifting');
    const verdictMs = (back?.atMs ?? 0) - (carried?.atMs ?? 0);
    const bad500s = seenOf(load.ledger, 'vpc-').failed;
    process.stdout.write(`taken back ${verdictMs} ms after it began to carry; ${bad500s} requests failed there\n`);
    expect(verdictMs).toBeLessThan(30_000);

    expect(await (await apply()).ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("build v2 was taken back before (rollout-web-1: the judge's verdict)"),
    });
    expect(await journal('rollout-web-2')).toEqual([]);
    // The command that the plan ends with is one that can work.
    const planned = await run('plan');
    expect(planned.stdout).toMatch(/drover apply --plan [0-9a-f]+ --reason "/);
    expect(planned.stdout.replace(/\s+/g, ' ')).toContain('warning: build v2 was taken back in rollout-web-1');
    const insisted = await apply('--reason', 'it was the database');
    await insisted.endsWith(2);
    const second = await journal('rollout-web-2');
    expect(second[0]?.body).toMatchObject({ kind: 'started', reason: 'it was the database' });
    expect(second.at(-1)?.body.kind).toBe('rolled-back');
    expect(await world()).toEqual(asFound);

    Object.assign(build, { failures: baseline, build: 'v3' });
    expect((await run('plan')).stdout).not.toContain('--reason');
    const third = await apply();
    await third.until(/step 1: judging/);
    // Somebody deploys the one before once more.
    Object.assign(build, { build: 'v2' });
    await third.until(/held by drover: build v2.*was taken back in rollout-web-2/);
    const refused = await run('resume');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('say why this one is tried again') });
    expect((await run('status')).stdout.replace(/\s+/g, ' ')).toContain('was taken back in rollout-web-2');
    expect(await run('resume', '--reason', 'it was the database')).toMatchObject({ code: 0 });
    await third.endsWith(0);
    expect(isMoved(await world())).toBe(true);
    const told = (await journal('rollout-web-3')).filter(({ body }) => body.kind === 'held' || body.kind === 'resumed');
    expect(told.map(({ body }) => body)).toMatchObject([{ by: 'drover' }, { reason: 'it was the database' }]);
    expect((await run('report', 'rollout-web-1')).stdout).toContain('Cause: the judge');
  });
});
