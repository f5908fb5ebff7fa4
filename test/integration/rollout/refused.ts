import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { runningEmbedded } from '../../../src/io/balancer/embedded/running.ts';
import { catchesSignals } from '../proc.ts';
import { type Drover, eventually, main } from './drover.ts';
import { openLocalSite } from './local-site.ts';
import { baseline } from './site.ts';

const bin = join(main, '..', '..', 'bin', 'drover.mjs');

describe.concurrent('an apply of a local fleet that begins nothing', () => {
  test('because it is refused ends the balancer that it has started, and no other', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const { directory, plan, processes, run } = site;
    const balancers = () => runningEmbedded(join(directory, '.drover', 'balancers'));
    const wrong = await run('apply', '--plan', '0000000000');
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('not 0000000000') });
    expect(balancers()).toEqual([]);
    expect(await run('apply', '--plan', '0000000000', '--detach')).toMatchObject({ code: 1 });
    expect(balancers()).toEqual([]);

    site.release({ failures: 15 * baseline, build: 'v2' });
    const controller = site.drover('apply', '--plan', await plan());
    await site.openLoad();
    await controller.endsWith(2);
    const [before] = balancers();
    expect(before?.name).toBe('edge');
    const again = await plan();
    for (const words of [
      ['--plan', '0000000000'],
      ['--plan', again],
      ['--plan', again, '--detach'],
    ]) {
      expect(await run('apply', ...words)).toMatchObject({ code: 1 });
      expect(balancers()).toEqual([before]);
    }

    expect(await run('stop', '--yes')).toMatchObject({ code: 0 });
    for (const more of [[], ['--detach']]) {
      const blamed = await run('apply', '--plan', again, ...more);
      expect(blamed).toMatchObject({ code: 1, stderr: expect.stringContaining('was taken back before') });
      expect(balancers()).toEqual([]);
      expect(processes('classic') + processes('vpc')).toBe(0);
    }
  });

  test('because it is asked to end, at any moment, says so and leaves no process', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const { directory, kinds, plan, processes } = site;
    const state = join(directory, '.drover');
    const hash = await plan();
    const balancers = () => runningEmbedded(join(state, 'balancers'));
    const appears = (file: string) =>
      eventually(
        () => existsSync(join(state, file)),
        (there) => there,
        file,
      );
    const record = 'balancers/balancer-edge.json.running';
    const caught = ({ pid }: Drover) =>
      eventually(
        () => catchesSignals(pid),
        (does) => does,
        'signals are caught',
      );
    const moments: readonly (readonly [string, NodeJS.Signals, (controller: Drover) => Promise<unknown>])[] = [
      ['it is being loaded', 'SIGTERM', caught],
      ['it listens', 'SIGHUP', () => appears('control.sock')],
      ['the balancer is being started', 'SIGINT', () => appears('balancers/balancer-edge.json')],
      ['the balancer runs', 'SIGTERM', () => appears(record)],
      ['it observes', 'SIGINT', () => appears(record).then(() => sleep(300))],
    ];
    for (const [moment, signal, comes] of moments) {
      site.forget('balancers');
      const controller = site.start(process.execPath, [bin, 'apply', '--plan', hash]);
      await comes(controller);
      controller.kill(signal);
      const { code, stderr } = await controller.ended;
      expect({ moment, code, stderr }).toEqual({
        moment,
        code: 1,
        stderr: `drover: asked to end (${signal}): this command has begun nothing\n`,
      });
      expect(balancers()).toEqual([]);
      expect(processes('classic') + processes('vpc')).toBe(0);
      expect(await kinds('rollout-web-1')).toEqual([]);
    }
  });
});
