import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { eventually } from './drover.ts';
import { asFound, isMoved, openSite } from './site.ts';

describe.concurrent('while a rollout is unfinished', () => {
  test('plan says so and gives no hash that apply would refuse; watch tells a pipe all of it', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, drover, journal, run } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);

    const watched = drover('watch');
    await watched.until(/ rollout-web-1 {2}step 1 of \d.*judging; share observed \d/);
    await run('hold', '--reason', 'lunch');
    await watched.until(/judging, held; .*next: nothing until `drover resume`.*held: by .*: lunch/);
    expect(watched.output()).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}rollout-web-1 .*; origin classic \(v1\): 2 able, \d+ requests\/s, failed [\d.]+ %; destination vpc \(v2\): .*; roll back: evidence .* of .*; promote: evidence .* of .*; next: /m,
    );

    const hash = (await journal('rollout-web-1')).flatMap(({ body }) =>
      body.kind === 'started' ? [body.planHash] : [],
    )[0];
    const beside = await run('plan');
    expect(beside.code).toBe(2);
    expect(beside.stdout).toContain('rollout-web-1 is unfinished');
    expect(beside.stdout).toContain(`its controller (pid ${controller.pid}) is alive`);
    expect(beside.stdout).toContain('drover resume   ends the hold');
    expect(beside.stdout).not.toContain('drover apply --plan');
    // A hash that holds afterwards is not known: the way back makes another plan, and so does completion.
    expect(beside.stdout).toContain('Read the plan again then');
    expect(beside.stdout).not.toMatch(/[0-9a-f]{64}/);
    // The destination gets traffic because the rollout gave it.
    expect(beside.stdout).not.toContain('set their weight to 0');

    controller.kill('SIGKILL');
    await controller.ended;
    const alone = await run('plan');
    expect(alone.stdout).toContain(`drover apply --plan ${hash?.slice(0, 16)}   goes on with it`);
    expect(alone.stdout.match(/drover apply --plan/g)).toHaveLength(1);
    expect(alone.stdout).toMatch(/drill +0 % +→ +about [\d.]+ % on one server/);
    const document = JSON.parse((await run('plan', '--json')).stdout) as { readonly unfinished: unknown };
    expect(document.unfinished).toMatchObject({
      operation: 'rollout-web-1',
      service: 'web',
      held: 'lunch',
      planHash: hash,
      controllerPid: null,
    });

    const [, printed = ''] = /drover apply --plan (\w+)/.exec(alone.stdout) ?? [];
    const next = drover('apply', '--plan', printed);
    await next.until(/rollout-web-1 is unfinished: going on with it/);
    expect(await run('back')).toMatchObject({ code: 2 });
    await next.endsWith(2);
    await eventually(
      () => run('plan'),
      ({ stdout }) => !stdout.includes('is unfinished'),
      'a plan of its own',
    );
  });
});

describe.concurrent('a plan of some of the services', () => {
  test('is applied by the very command that plan prints, and gone on with by the one that it prints then', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ services: ['web', 'api'] });
    onTestFinished(site.close);
    const { directory, drover, run, world } = site;
    const printedBy = async (...args: string[]) => {
      const { stdout } = await run('plan', ...args);
      return /^ {2}drover (apply .*?)(?: {3}.*)?$/m.exec(stdout)?.[1]?.split(' ') ?? [];
    };
    expect(await printedBy('--wave', 'first')).toEqual(['apply', '--wave', 'first', '--plan', expect.any(String)]);
    const file = join(directory, 'drover.yaml');
    const yaml = readFileSync(file, 'utf8');
    writeFileSync(file, yaml.replace('{ weight: 50%,', '{ weight: 0.0001%,'));
    const tiny = (await run('plan', 'web')).stdout.replace(/\s+/g, ' ');
    expect(tiny).toMatch(
      /warning: step 1 asks for 0\.0001 %, and the least that the weights .* make is ([\d.]+) %: that/,
    );
    expect(tiny).toMatch(/ step 1 0 % → 0\.\d+ %/);
    writeFileSync(file, yaml);
    const unread = await run('apply', 'web');
    expect(unread.stderr).toMatch(/drover plan web, then: drover apply web --plan [0-9a-f]{64}/);
    const words = await printedBy('web');
    expect(words).toEqual(['apply', 'web', '--plan', expect.any(String)]);
    expect(await run('apply', '--plan', words.at(-1) ?? '')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the plan of web, api is .*with the same names/s),
    });

    const first = drover(...words);
    await first.until(/step 1/);
    first.kill('SIGKILL');
    await first.ended;
    const next = await run(...(await printedBy()));
    expect(next).toMatchObject({ code: 0, stderr: '' });
    expect(isMoved(await world('web'))).toBe(true);
    expect(await world('api')).toEqual(asFound);
  });
});
