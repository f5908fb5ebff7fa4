import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { writeStates, writeWeights } from './by-hand.ts';
import { eventually } from './drover.ts';
import { openSite, type Site } from './site.ts';

/** Reads the configuration again, with its server lines changed by somebody. */
async function reloaded({ haproxies }: Site, edit: (lines: readonly string[]) => readonly string[]): Promise<void> {
  const haproxy = haproxies[0];
  if (haproxy === undefined) throw new Error('no HAProxy');
  const lines = readFileSync(haproxy.configFile, 'utf8').trimEnd().split('\n');
  await haproxy.reload(edit(lines.slice(lines.indexOf('frontend web-entry'))));
}

function withThird(lines: readonly string[]): readonly string[] {
  const first = lines.find((line) => line.includes('server classic-1 ')) ?? '';
  return [...lines, first.replace('classic-1', 'classic-3').replace(/weight \d+/, 'weight 15')];
}

describe.concurrent('a server line that a reload brings in the middle of a rollout', () => {
  test('is told, gives its users to the destination like the others, and has a line to commit', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    await reloaded(site, withThird);
    await controller.until(/new at edge-1\/web: classic-3 \(origin, weight 15\)/);
    await controller.endsWith(0);
    expect((await site.world())['classic-3']).toEqual({ weight: 0, admin: 'ready' });
    const from = site.load.ledger.length;
    await site.load.more(100);
    expect(site.load.ledger.slice(from).filter(({ server }) => server?.startsWith('classic'))).toEqual([]);
    expect((await site.run('status')).stdout).toContain('edge-1/web: server classic-3 … weight 0 (now weight 15)');
    const back = await site.run('back');
    expect([back.code, (await site.world())['classic-3']]).toEqual([2, { weight: 15, admin: 'ready' }]);
  });
});

describe.concurrent('the reserve of a completed rollout', () => {
  test('is kept while its destination fails, with the figures, unless somebody says why', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { destination, journal, run } = site;
    await (await site.apply()).endsWith(0);
    await site.reload({ 'classic-1': 0, 'classic-2': 0, 'vpc-1': 20, 'vpc-2': 20 });
    const unnamed = await run('retire', '--confirm', 'web');
    expect([unnamed.code, unnamed.stderr]).toEqual([1, expect.stringContaining('it is rollout-web-1, not "web"')]);
    // Its health checks go on being well.
    Object.assign(destination['web'] ?? {}, { failures: 1 });
    const figures =
      /the destination fails \d+ of its last \d+ requests at edge-1\/web \([\d.]+ %, the objective is 20 %\)/;
    const told = async (verb: string) => (await run(verb)).stdout.replace(/\s+/g, ' ');
    expect(await told('status')).toMatch(figures);
    expect(await told('doctor')).toMatch(figures);
    const refused = await run('retire', '--confirm', 'rollout-web-1');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(figures)]);
    expect(refused.stderr).toContain('say why with --reason');
    expect(await site.kinds('rollout-web-1')).not.toContain('retired');
    const done = await run('retire', '--confirm', 'rollout-web-1', '--reason', 'classic is gone');
    expect([done.code, done.stderr]).toEqual([0, expect.stringMatching(figures)]);
    expect((await journal('rollout-web-1')).find(({ body }) => body.kind === 'retired')?.body).toMatchObject({
      reason: 'classic is gone',
    });
  });

  test('is kept while its destination is down, by name, and status says that nobody is served', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite();
    onTestFinished(site.close);
    await (await site.apply()).endsWith(0);
    await site.reload({ 'classic-1': 0, 'classic-2': 0, 'vpc-1': 20, 'vpc-2': 20 });
    const nowhere = (line: string) =>
      line.includes('server vpc-') ? line.replace(/127.0.0.1:\d+/, '127.0.0.1:1').replace('fall 50', 'fall 1') : line;
    await reloaded(site, (lines) => lines.map(nowhere));
    const told = await eventually(
      async () => (await site.run('status')).stdout,
      (text) => text.includes('nobody carries its traffic'),
      'status says that nobody is served',
    );
    expect(told).toContain('no server that has a weight is up at edge-1/web');
    const refused = await site.run('retire', '--confirm', 'rollout-web-1');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('rollout-web-1 keeps its reserve') });
    expect(refused.stderr).toContain(
      'no server of the destination is known to be up at edge-1/web: vpc-1 is down, vpc-2 is down',
    );
    expect(refused.stderr).toContain('`drover back rollout-web-1`');
    expect(await site.kinds('rollout-web-1')).not.toContain('retired');
    expect((await site.run('back')).code).toBe(2);
    const from = site.load.ledger.length;
    await site.load.more(100);
    expect(site.load.ledger.slice(from + 50).every(({ server }) => server?.startsWith('classic'))).toBe(true);
  });
});

describe.concurrent('an origin server that is sick, at weight 0 by hand', () => {
  test('stays there, held or not and on the way back too, and is told by name', async ({ expect, onTestFinished }) => {
    const site = await openSite({ steps: ['{ weight: 20%, bake: 60s }'] });
    onTestFinished(site.close);
    const controller = await site.apply();
    await controller.until(/step 1: judging/);
    expect((await site.run('hold', '--reason', 'classic-1 is sick')).code).toBe(0);
    await writeWeights(site, { 'classic-1': 0 });
    await controller.until(/somebody set classic-1 from weight \d+ to 0, which puts it aside at edge-1\/web/);
    const status = await site.run('status');
    expect(status.stdout).toMatch(/by hand +edge-1\/web: classic-1 from weight \d+ to 0/);
    await site.load.more(600);
    expect((await site.world())['classic-1']?.weight).toBe(0);
    expect((await site.run('resume')).code).toBe(0);
    await controller.until(/the groups changed → share 20 %/);
    await site.load.more(300);
    expect((await site.world())['classic-1']?.weight).toBe(0);
    const back = await site.run('back');
    expect(back.code).toBe(2);
    expect(back.stdout).toContain('edge-1/web: classic-1 has weight 0, and was found with 10');
    await controller.endsWith(2);
  });
});

describe.concurrent('a destination server that somebody takes out', () => {
  test.for(['maint', 'drain'] as const)(
    'into %s stays out, and holds whoever resumes until it is ready',
    async (state, { expect, onTestFinished }) => {
      const site = await openSite({ steps: ['{ weight: 20%, bake: 2s }'] });
      onTestFinished(site.close);
      const controller = await site.apply();
      await controller.until(/step 1: judging/);
      await writeStates(site, { 'vpc-1': state });
      await controller.until(/held.*somebody took vpc-1 out \((maint|drain)\) at edge-1\/web/);
      const resumed = await site.run('resume', '--reason', 'looked at it');
      expect([resumed.code, resumed.stderr]).toEqual([
        2,
        expect.stringMatching(
          /rollout-web-1 is held again: somebody took vpc-1 out \(.*set it ready there, then resume/,
        ),
      ]);
      expect((await site.world())['vpc-1']?.admin).toBe(state);
      await writeStates(site, { 'vpc-1': 'ready' });
      expect(await site.run('resume')).toMatchObject({ code: 0, stdout: 'rollout-web-1 goes on\n' });
      await controller.endsWith(0);
    },
  );
});
