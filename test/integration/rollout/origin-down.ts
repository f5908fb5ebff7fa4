import { describe, test } from 'vitest';
import { HaproxyBackend } from '../../../src/io/balancer/haproxy/backend.ts';
import { askRuntime } from '../../../src/io/balancer/haproxy/runtime-socket.ts';
import { freePort } from '../free-ports.ts';
import { eventually } from './drover.ts';
import { asFound, openSite, type Site } from './site.ts';

const alone = 'no origin server is up at edge-1/web: taking the destination away would leave nobody';
const signal = () => AbortSignal.timeout(20_000);

describe.concurrent('an origin that is down', () => {
  test('is not given users who have a server, without a controller and without a journal, before it is up again', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, drover, load, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    const revive = await killOrigin(site);
    const shifted = await world();

    const offline = await run('back', '--offline');
    expect(offline).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`${alone}; --all takes it anyway`),
    });
    expect(offline.stderr).toContain('the back marker of rollout-web-1 stands');
    const socket = site.haproxies[0]?.socket ?? '';
    const bare = await run('back', '--offline', '--haproxy', socket, '--backend', 'web', '--destination', 'vpc-*');
    expect(bare).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('--all takes it anyway') });
    expect(await world()).toEqual(shifted);

    const back = drover('back', '--reason', 'users complain');
    await back.until(
      /still standing: edge-1\/web: vpc-1, vpc-2 still carry, because no origin server is up at edge-1\/web/,
    );
    expect(await world()).toEqual(shifted);
    const before = load.ledger.length;
    await load.more(60);
    expect(load.ledger.slice(before + 20).filter(({ server }) => server === null)).toEqual([]);
    await revive();
    const ended = await back.endsWith(2);
    expect(ended.stdout).toMatch(/rolled back/);
    expect(await world()).toEqual(asFound);
  });

  test('takes everything by the word of somebody who knows, offline too, which claims nothing that it has not seen', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    controller.kill('SIGKILL');
    await controller.ended;
    await killOrigin(site);
    const offline = await run('back', '--offline', '--all');
    expect(offline).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('no origin server is up, so nobody carries anything'),
    });
    expect(offline.stdout).not.toContain('the origin carries everything');
    expect(await world()).toMatchObject({ 'vpc-1': { admin: 'maint' }, 'vpc-2': { admin: 'maint' } });
    expect((await run('status')).stdout.replace(/\s+/g, ' ')).toContain('this rollout does not go forward again');
    expect((await run('back')).code).toBe(2);
    expect(await world()).toEqual(asFound);
  });

  test('is named by whoever asks for a way back that is over, says when and why that was, and asks for nothing', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite({ steps: ['{ weight: 50%, bake: 60s }'] });
    onTestFinished(site.close);
    const { apply, run, world } = site;
    const controller = await apply();
    await controller.until(/step 1: judging/);
    expect((await run('back', '--reason', 'users complain')).code).toBe(2);
    await controller.endsWith(2);
    const why = /rolled back at 20\S+Z in \d+\.\d s \(.* asked for it, reason: users complain\)/;
    const calm = await run('back');
    expect(calm).toMatchObject({ code: 2, stderr: '' });
    expect(calm.stdout).toMatch(why);
    expect(calm.stdout).toContain('nothing had to be done: everything is as it was found');
    const status = await run('status');
    expect(status.stdout.replace(/\s+/g, ' ')).toMatch(why);
    expect(status.stdout.replace(/\s+/g, ' ')).toContain('`drover plan` begins anew');

    const revive = await killOrigin(site);
    const nobody = 'no origin server is up at edge-1/web: nobody carries its traffic';
    const again = await run('back');
    expect(again.code).toBe(2);
    expect(again.stdout).toContain(`not everything is as it was found:\n    ${nobody}`);
    expect((await run('status')).stdout.replace(/\s+/g, ' ')).toContain(nobody);
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({
      rollouts: [{ rolledBack: { cause: { kind: 'asked', reason: 'users complain' } }, astray: [nobody] }],
    });
    await revive();
    expect(await world()).toEqual(asFound);
    expect((await run('status')).stdout).not.toContain(nobody);
  });

  test('that was given up with the way back is not gone back to, unless somebody knows that it stands', async ({
    expect,
    onTestFinished,
  }) => {
    const site = await openSite();
    onTestFinished(site.close);
    const { apply, reload, run, world } = site;
    await (await apply()).endsWith(0);
    await reload({ 'classic-1': 0, 'classic-2': 0, 'vpc-1': 20, 'vpc-2': 20 });
    expect(await run('retire', '--confirm', 'rollout-web-1', '--reason', 'it is over')).toMatchObject({ code: 0 });
    const moved = await world();
    for (const name of [['rollout-web-1'], []]) {
      const refused = await run('back', ...name);
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /rollout-web-1 has given up its way back: .* \(\d{4}-\S+Z: the reserve was given up by .*, reason: it is over\)/,
        ),
      });
      expect(refused.stderr).toContain('`drover back rollout-web-1 --all`');
      expect(refused.stderr).not.toContain('--offline');
      expect(await world()).toEqual(moved);
    }
    expect((await run('back', 'rollout-web-1', '--all')).code).toBe(2);
    expect(await world()).toEqual(asFound);
  });
});

/** Takes the origin down at the first HAProxy; answers with what brings it up again. */
async function killOrigin({ haproxies, directory }: Site): Promise<() => Promise<void>> {
  const socket = haproxies[0]?.socket ?? '';
  const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
  const { servers } = await backend.read(signal());
  const origin = servers.filter(({ name }) => name.startsWith('classic-'));
  const closed = await freePort();
  const command = (line: string) => askRuntime(socket, [line], signal());
  const isAll = async (health: string) => {
    const seen = (await backend.read(signal())).servers.filter(({ name }) => name.startsWith('classic-'));
    return seen.every((server) => server.health === health);
  };
  for (const { name } of origin) {
    await command(`set server web/${name} check-port ${closed}`);
    await command(`set server web/${name} health down`);
  }
  await eventually(() => isAll('down'), Boolean, `the origin of ${directory} is down`);
  return async () => {
    for (const { name, address } of origin)
      await command(`set server web/${name} check-port ${address?.split(':').at(-1)}`);
    await eventually(() => isAll('up'), Boolean, `the origin of ${directory} is up`);
  };
}
