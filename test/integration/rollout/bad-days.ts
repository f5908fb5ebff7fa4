import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { eventually, main } from './drover.ts';
import { asFound, isMoved, openSite } from './site.ts';

const steps = ['{ weight: 50%, bake: 60s }'];

describe.concurrent('a bad day before anything has moved', () => {
  test('ends with a message that helps, and nothing is begun', async ({ expect, onTestFinished }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { directory, haproxies, kinds, plan, run, shell, start, world } = site;
    const hash = await plan();
    const expectRefused = async (
      ended: Promise<{ code: number | null; stderr: string; stdout: string }>,
      says: RegExp,
    ) => {
      const { code, stderr, stdout } = await ended;
      expect({ code, said: stderr + stdout }).toEqual({ code: 1, said: expect.stringMatching(says) });
      expect(stderr).not.toContain('defect');
      expect(await world()).toEqual(asFound);
      expect(await kinds('rollout-web-1')).toEqual([]);
    };
    await expectRefused(run('apply'), /without a terminal the plan that was read has to be named\n.*apply --plan/);
    await expectRefused(shell('exec "$0" "$1" apply <&-').ended, /without a terminal the plan/);
    await expectRefused(run('apply', '--plan', 'yes'), /"yes" is not the hash of a plan/);
    for (const [typed, says] of [
      ['', /there was no answer, and nothing was done/],
      ['no\n', /nothing was done/],
    ] as const) {
      const terminal = start('script', ['-qec', `'${process.execPath}' '${main}' apply`, '/dev/null'], {
        stdin: 'pipe',
        env: { TERM: 'xterm' },
      });
      await terminal.until(/Type yes: /);
      terminal.child.stdin?.end(typed);
      await expectRefused(terminal.ended, says);
    }
    await expectRefused(
      run('apply', '--plan', hash, '--heartbeat', 'hc.example/secret'),
      /^(?!.*secret)drover: --heartbeat is not a URL that can be called \(its value is not repeated here\)/,
    );
    // Of a journal that somebody has removed: the new rollout would have its name.
    const marker = join(directory, '.drover', 'rollout-web-1.back');
    mkdirSync(join(directory, '.drover'), { recursive: true });
    writeFileSync(marker, 'kim, 2025-01-01T00:00:00.000Z');
    const stale = /a back marker lies there for rollout-web-1, which this journal has not begun \(kim, .*remove/s;
    expect((await run('plan')).stdout.replace(/\s+/g, ' ')).toMatch(stale);
    await expectRefused(run('apply', '--plan', hash), stale);
    rmSync(marker);
    const deep = join(directory, 'a'.repeat(60), 'b'.repeat(60));
    mkdirSync(deep, { recursive: true });
    await expectRefused(
      run('apply', '--plan', hash, '--journal', join(deep, 'journal.db')),
      /control\.sock cannot be made: its path has \d+ bytes.*--journal PATH in a directory with a shorter name/,
    );
    await expectRefused(
      shell(`ulimit -f 0; exec "$0" "$1" apply --plan ${hash} --journal ${join(directory, 'other', 'journal.db')}`)
        .ended,
      /cannot write the journal .*: the disk is full/,
    );
    const worker = (await haproxies[0]?.worker()) ?? 0;
    process.kill(worker, 'SIGSTOP');
    const hung = await run('apply', '--plan', hash).finally(() => process.kill(worker, 'SIGCONT'));
    await expectRefused(Promise.resolve(hung), /edge-1\/web cannot be read: .*no answer/);
    await haproxies[0]?.kill();
    const gone = await run('apply', '--plan', hash);
    expect(gone.code).toBe(1);
    expect(gone.stderr).not.toContain('defect');
    expect(gone.stderr).toMatch(/edge-1\/web cannot be read: HAProxy at .*nothing listens there/);
    expect(await kinds('rollout-web-1')).toEqual([]);
  });
});

describe.concurrent('a directory in which nothing was begun', () => {
  test('is told so by the verbs that need a rollout, and stays as it is', async ({ expect, onTestFinished }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { directory, run } = site;
    expect(await run('status')).toMatchObject({ code: 0, stdout: 'Nothing was started here yet.\n', stderr: '' });
    expect((await run('plan')).code).toBe(2);
    for (const verb of ['hold', 'retire', 'back', 'why', 'journal'])
      expect({ verb, code: (await run(verb)).code }).toEqual({ verb, code: 1 });
    expect((await run('resume')).stderr).toContain('nothing was started here yet');
    expect(readdirSync(directory)).toEqual(['drover.yaml']);
    writeFileSync(join(directory, '.drover'), '');
    for (const verb of ['status', 'plan', 'hold', 'resume', 'stop', 'apply']) {
      const { code, stderr } = await run(verb);
      expect({ verb, code, stderr }).toEqual({
        verb,
        code: 1,
        stderr: expect.stringMatching(/directory|a file stands/),
      });
      expect(stderr).not.toContain('ENOTDIR');
    }
  });

  test('is left alone where the socket may not write', async ({ expect, onTestFinished }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { directory, run, world } = site;
    const file = join(directory, 'drover.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('admin.sock', 'operator.sock'));
    expect((await run('check')).stdout).toMatch(/no rollout starts: .*cannot be written\n.*level operator/);
    const planned = await run('plan', '--json');
    expect(planned.code).toBe(1);
    const { hash, services } = JSON.parse(planned.stdout);
    expect(services[0].refusals).toEqual([expect.stringMatching(/edge-1\/web: .*level operator.*level admin/)]);
    expect(await run('apply', '--plan', hash)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('weights and states cannot be written'),
    });
    expect(await world()).toEqual(asFound);
  });
});

describe.concurrent('a bad day in the middle', () => {
  test('a reload that brings the old weights back is repaired, and the rollout completes though nobody reads its output', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 8s }'] });
    onTestFinished(site.close);
    const { kinds, plan, reload, shell, world } = site;
    const hash = await plan();
    const piped = shell(`"$0" "$1" apply --plan ${hash} | head -1`);
    await eventually(
      () => kinds('rollout-web-1'),
      (all) => all.filter((kind) => kind === 'stage-entered').length >= 6,
      'judging',
    );
    await reload({ 'classic-1': 10, 'classic-2': 20, 'vpc-1': 0, 'vpc-2': 0 });
    expect((await piped.ended).stdout.trim().split('\n')).toHaveLength(1);
    const all = await eventually(
      () => kinds('rollout-web-1'),
      (seen) => seen.includes('completed'),
      'completed',
    );
    expect(all).toContain('balancer-restarted');
    expect(isMoved(await world())).toBe(true);
  });

  test('a full disk holds the share, and what could not be written is said', async ({ expect, onTestFinished }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { directory, drover, elsewhere, kinds, plan, run, start, world } = site;
    const hash = await plan();
    const controller = drover('apply', '--plan', hash);
    await controller.until(/step 1: judging/);
    const shifted = await world();

    const other = elsewhere();
    const plannedElsewhere = await start(process.execPath, [main, 'plan', '--config', join(other, 'drover.yaml')])
      .ended;
    expect(plannedElsewhere).toMatchObject({ code: 1, stdout: expect.stringContaining('traffic goes already to') });
    expect(await world()).toEqual(shifted);

    execFileSync('prlimit', ['--pid', String(controller.pid), '--fsize=1:unlimited']);
    expect(await run('hold')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/the journal does not take it: .*the disk is full/),
    });
    expect(await kinds('rollout-web-1')).not.toContain('held');
    await controller.until(/nothing can be written to the journal: .*the disk is full/);
    controller.kill('SIGTERM');
    const ended = await controller.ended;
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('not in the journal: cannot write') });
    expect(ended.stdout).toContain('drover back');
    expect(ended.stdout).toContain(
      'the share stays where it is; that it was to be held is not in the journal: cannot write',
    );
    expect(ended.stdout).not.toContain('is held');
    expect(await world()).toEqual(shifted);
    expect(await kinds('rollout-web-1')).not.toContain('held');
    const status = await start('script', ['-qec', `'${process.execPath}' '${main}' status`, '/dev/null'], {
      env: { TERM: 'dumb' },
    }).ended;
    expect(status.stdout).not.toContain('\u001b');
    // Nothing can be added to the log, which a killed process has left as long as it was.
    const blocks = Math.ceil(statSync(join(directory, '.drover', 'journal.db-wal')).size / 512);
    const full = await site.shell(`ulimit -f ${blocks}; exec "$0" "$1" back`).ended;
    expect(full).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the traffic is back; states and sizes are'),
    });
    expect(full.stdout).not.toMatch(/the share is held|the share stays|drover back +takes the traffic back/);
    expect(full.stdout).toMatch(/drover back +goes on with the way back/);
    expect(await kinds('rollout-web-1')).not.toContain('back-performed');
    expect((await run('back')).code).toBe(2);
    expect(await world()).toEqual(asFound);
  });

  test('a balancer that is gone is named, and the way back says what stands', async ({ expect, onTestFinished }) => {
    const site = await openSite({ steps });
    onTestFinished(site.close);
    const { apply, haproxies, run } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    await haproxies[0]?.kill();
    await eventually(
      () => run('status'),
      ({ stdout }) => stdout.includes('edge-1/web cannot be read'),
      'said by status',
    );
    const back = await run('back');
    expect(back).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/still standing after 30 s: edge-1\/web does not answer/),
    });
    controller.kill('SIGTERM');
    await controller.endsWith(1);
  });
});
