import { createServer } from 'node:net';
import { describe, type ExpectStatic, test } from 'vitest';
import { eventually } from './drover.ts';
import { seenOf } from './load.ts';
import { type LocalSite, openLocalSite } from './local-site.ts';
import { baseline } from './site.ts';

describe.concurrent('a service that Drover runs itself, behind its own balancer', () => {
  test('has the capacity before the traffic, keeps its reserve, and is taken back after completion', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const { kinds, plan, processes, run, size, world } = site;
    const controller = site.drover('apply', '--plan', await plan());
    const load = await site.openLoad();
    await controller.until(/the drill, on vpc-1/);
    expect(processes('vpc')).toBeGreaterThanOrEqual(1);
    await controller.until(/drill passed/);
    // The load begins with the controller: by now it has been seen, and the reserve follows it.
    expect(size('origin').min).toBe(2);
    expect(processes('classic')).toBeGreaterThanOrEqual(2);
    const first = load.ledger.find(({ server }) => server?.startsWith('vpc-') === true);
    expect(first?.failed).toBe(false);
    expect((await controller.endsWith(0)).stderr).toBe('');
    expect(size('destination')).toMatchObject({ min: 0, desired: expect.toSatisfy((desired: number) => desired >= 2) });
    expect(size('origin').min).toBe(2);
    expect(processes('classic')).toBeGreaterThanOrEqual(2);
    expect(processes('vpc')).toBeGreaterThanOrEqual(2);
    const before = load.ledger.length;
    await load.more(100);
    expect(seenOf(load.ledger.slice(before + 20), 'classic-')).toEqual({ answered: 0, failed: 0 });

    expect(await run('back', 'web')).toMatchObject({ code: 2, stderr: '' });
    const found = await world();
    for (const [name, server] of Object.entries(found))
      expect([name, server]).toEqual([name, { weight: name.startsWith('vpc-') ? 0 : 20, admin: 'ready' }]);
    await expectSizesAsFound(site, expect);
    expect((await kinds('rollout-web-1')).slice(-1)).toEqual(['rolled-back']);
    expect(seenOf(load.ledger, '').failed / load.ledger.length).toBeLessThan(0.05);
  });

  test('is taken back by the judge with weights, states and sizes as found, though the controller was killed', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const { kinds, plan, processes, run } = site;
    site.release({ failures: 15 * baseline, build: 'v2' });
    const hash = await plan();
    const controller = site.drover('apply', '--plan', hash);
    const load = await site.openLoad();
    await controller.until(/drill passed/);
    controller.kill('SIGKILL');
    await controller.ended;
    const running = { classic: processes('classic'), vpc: processes('vpc') };
    const before = load.ledger.length;
    await load.more(50);
    expect(seenOf(load.ledger.slice(before), 'classic-').answered).toBeGreaterThan(40);
    expect({ classic: processes('classic'), vpc: processes('vpc') }).toEqual(running);
    expect(await run('apply', '--plan', hash)).toMatchObject({
      code: 2,
      stderr: '',
      stdout: expect.stringContaining('judge'),
    });
    await expectSizesAsFound(site, expect);
    expect((await kinds('rollout-web-1')).slice(-1)).toEqual(['rolled-back']);
  });

  test('gives up its reserve when drover.yaml says where the traffic is, and the balancer has read it', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const { configure, kinds, plan, run, size, world } = site;
    const controller = site.drover('apply', '--plan', await plan());
    const load = await site.openLoad();
    await controller.endsWith(0);
    const moved = await world();
    const line = 'drover.yaml: balancers.edge.embedded.carries: destination';
    for (const verb of ['status', 'report']) expect((await run(verb)).stdout).toContain(line);
    const refused = await run('retire', '--confirm', 'rollout-web-1');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(line) });
    expect(size('origin').min).toBe(2);
    configure((yaml) => yaml.replace('    embedded:', '    embedded:\n      carries: destination'));
    expect(await run('retire', '--confirm', 'rollout-web-1')).toMatchObject({ code: 0, stderr: '' });
    expect(size('origin').min).toBe(1);
    expect(await world()).toEqual(moved);
    expect((await kinds('rollout-web-1')).filter((kind) => kind === 'retired')).toHaveLength(1);
    expect((await run('status')).stdout).not.toContain('carries');
    const before = load.ledger.length;
    await load.more(60);
    expect(seenOf(load.ledger.slice(before), 'classic-')).toEqual({ answered: 0, failed: 0 });
  });

  test('names a port in use, and shows the last output of instances that never start', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite(['grow: 5s']);
    onTestFinished(site.close);
    const { ports, processes, plan, run } = site;
    const hash = await plan();
    const closeEntry = await occupy(ports.entry);
    onTestFinished(closeEntry);
    expect(await run('apply', '--plan', hash)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot listen on 127.0.0.1:\d+ .* the port is in use/),
    });
    expect(processes('classic') + processes('vpc')).toBe(0);
    closeEntry();

    const closeFirst = await occupy(ports.destination);
    onTestFinished(closeFirst);
    const taken = site.drover('apply', '--plan', hash);
    await site.openLoad();
    await taken.endsWith(2);
    expect(taken.output()).toMatch(new RegExp(`port ${ports.destination} is in use by`));
    closeFirst();

    site.release({ failures: 0, build: 'v3', crashes: true });
    const ended = await run('apply', '--plan', await plan());
    expect(ended).toMatchObject({ code: 2, stdout: expect.stringContaining('cannot read the catalogue') });
    await expectSizesAsFound(site, expect);

    // Taken over where nothing is known of them any more, at ports at which nobody looks for them.
    site.forget('local');
    site.configure((yaml) =>
      yaml
        .replace(`ports: ${ports.origin}\n`, 'ports: DESTINATION\n')
        .replace(`ports: ${ports.destination}\n`, `ports: ${ports.origin}\n`)
        .replace('DESTINATION', `${ports.destination}`),
    );
    const moved = await run('plan');
    expect(moved.stdout.replace(/\s+/g, ' ')).toMatch(
      new RegExp(
        `web\\.origin-1 \\(process \\d+\\) runs, and nothing of Drover's listens on port ${ports.destination}`,
      ),
    );
    expect(moved.stdout.replace(/\s+/g, ' ')).toContain('`drover stop web` ends it');
  });

  test('ends where no instance of the destination stays up, long before capacity may be given up, with its last output', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const { kinds, plan, run } = site;
    site.release({ failures: 0, build: 'v3', crashes: true });
    const { code, stdout } = await run('apply', '--plan', await plan());
    expect(code).toBe(2);
    expect(stdout).toMatch(/does not stay up; last output: .*cannot read the catalogue/);
    expect((await kinds('rollout-web-1')).slice(-1)).toEqual(['rolled-back']);
    await expectSizesAsFound(site, expect);
    expect((await run('why')).stdout).toContain('cannot read the catalogue');
  });

  test('says what it waits for while an instance of the destination cannot be started', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openLocalSite();
    onTestFinished(site.close);
    const { drover, plan, ports, run } = site;
    const hash = await plan();
    onTestFinished(await occupy(ports.destination));
    const controller = drover('apply', '--plan', hash);
    const why = `of an instance that does not come up: not started: port ${ports.destination} is in use`;
    await controller.until(new RegExp(`waits: step 1 of 1 .* needs 1 destination instance, 0 are able; ${why}`));
    expect((await run('status')).stdout.replace(/\s+/g, ' ')).toContain(why);
    const doctor = (await run('doctor')).stdout.replace(/\s+/g, ' ');
    expect(doctor).toContain(why);
    expect(doctor).toContain('the controller of rollout-web-1 starts it');
    expect(doctor).not.toContain('`drover apply` starts it');
    expect(await run('back')).toMatchObject({ code: 2 });
    await controller.endsWith(2);
  });
});

/** The reserve is given up, and no instance of the destination is left. */
async function expectSizesAsFound({ processes, size }: LocalSite, expect: ExpectStatic): Promise<void> {
  expect(size('destination')).toMatchObject({ min: 0, desired: 0 });
  expect(size('origin').min).toBe(1);
  await eventually(
    () => processes('vpc'),
    (count) => count === 0,
    'no instance of the destination',
  );
}

async function occupy(port: number): Promise<() => void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return () => void server.close();
}
