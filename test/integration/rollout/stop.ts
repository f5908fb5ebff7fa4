import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'vitest';
import { differences } from '../../docs/page.ts';
import { eventually } from './drover.ts';
import { openLocalSite } from './local-site.ts';

describe.concurrent('stop', () => {
  test('ends a fleet that a killed controller left behind, and only that; refused while a controller lives', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
    onTestFinished(() => void stranger.kill('SIGKILL'));
    const { kinds, plan, ports, processes, run } = site;
    const hash = await plan();
    const controller = site.drover('apply', '--plan', hash);
    await site.openLoad();
    await controller.until(/drill passed/);
    expect(processes('classic')).toBeGreaterThanOrEqual(2);

    expect(await run('stop', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a controller is running already'),
    });
    expect(processes('classic')).toBeGreaterThanOrEqual(2);

    controller.kill('SIGKILL');
    await controller.ended;
    const before = processes('classic');
    expect(before).toBeGreaterThanOrEqual(2);
    expect(await run('stop')).toMatchObject({ code: 1, stderr: expect.stringContaining('add --yes') });
    expect(processes('classic')).toBe(before);

    const ended = await run('stop', '--yes', '--json');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const document = JSON.parse(ended.stdout) as { readonly ended: readonly { readonly name: string }[] };
    expect(differences('stop.md', 'stop', document)).toEqual([]);
    expect(document.ended.map(({ name }) => name)).toEqual(expect.arrayContaining(['web.origin-1', 'edge']));
    expect(processes('classic') + processes('vpc')).toBe(0);
    await expect(fetch(`http://127.0.0.1:${ports.entry}/`)).rejects.toThrow();
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect((await run('stop', '--yes')).stdout).toBe('nothing that Drover started runs here\n');

    // The journal is whole, and goes on when somebody wants it to.
    const next = site.drover('apply', '--plan', hash);
    await next.until(/rollout-web-1 is unfinished: going on with it/);
    await eventually(
      () => processes('classic'),
      (count) => count >= 1,
      'the origin again',
    );
    expect(await run('back')).toMatchObject({ code: 2 });
    await next.endsWith(2);
    expect((await kinds('rollout-web-1')).at(-1)).toBe('rolled-back');
    stranger.kill();
    await once(stranger, 'exit');
  });
});
