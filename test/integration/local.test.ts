import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { GroupReading } from '../../src/core/observed/group.ts';
import type { LocalGroup, LocalGroupOptions } from '../../src/io/provider/local/group.ts';
import { stopAll } from '../../src/io/provider/local/stop-all.ts';
import { readUntil } from '../contract/group.ts';
import { findMarked } from './local/marked.ts';
import { makeSetting, type Setting, type SettingOptions } from './local/setting.ts';

const settings: Setting[] = [];
const servers: Server[] = [];
const strangers: ChildProcess[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  for (const setting of settings.splice(0)) await setting.dispose();
});

async function open(options?: SettingOptions): Promise<Setting> {
  const setting = await makeSetting(options);
  settings.push(setting);
  return setting;
}

/** A controller that has been asked for so many instances. */
async function wanting(desired: number, options?: SettingOptions, controller?: Partial<LocalGroupOptions>) {
  const setting = await open(options);
  const group = setting.open(controller);
  await group.resize({ desired }, soon());
  return { setting, group };
}

/** … and that has them healthy. */
async function serving(count: number, options?: SettingOptions, controller?: Partial<LocalGroupOptions>) {
  const opened = await wanting(count, options, controller);
  return { ...opened, reading: await until(opened.group, allHealthy(count)) };
}

/** So many healthy instances, whose controller is gone. */
async function abandoned(count: number): Promise<Setting> {
  const { setting, group } = await serving(count);
  await group.close();
  return setting;
}

const soon = () => AbortSignal.timeout(30_000);
const until = (group: LocalGroup, reached: (reading: GroupReading) => boolean) =>
  readUntil({ group, pass: () => sleep(30) }, reached, 2_000);
const allHealthy = (count: number) => (reading: GroupReading) =>
  reading.instances.length === count && reading.instances.every((instance) => instance.state === 'healthy');
const outputOf = (reading: GroupReading, position = 0) => reading.instances[position]?.lastOutput.join('\n') ?? '';
const pidsOf = ({ mark }: Setting) => findMarked(mark).map(({ pid }) => pid);
/** Its first process is killed; there has to be one, because 0 would be this test itself. */
function killFirst(setting: Setting, signal: NodeJS.Signals): void {
  const [pid] = pidsOf(setting);
  if (pid === undefined) throw new Error('no process is left to be killed');
  process.kill(pid, signal);
}
const recordFile = (setting: Setting, index: number) =>
  join(setting.stateDirectory, 'local', 'query.vpc', `instance-${index}.json`);

function startStranger(): ChildProcess {
  const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  strangers.push(stranger);
  return stranger;
}

async function occupy(port: number): Promise<Server> {
  const server = createServer((_, response) => response.end());
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('local processes', () => {
  it('get their port, name and environment, and are named as the balancer knows them', async () => {
    const { setting, reading } = await serving(2, { build: { kind: 'http', path: '/build' } });
    expect(reading.instances.map(({ id, server }) => [id, server])).toEqual([
      ['query.vpc-1', 'q1'],
      ['query.vpc-2', 'q2'],
    ]);
    expect(reading.build).toEqual({ known: true, value: 'b7' });
    const log = await readFile(join(setting.stateDirectory, 'local', 'query.vpc', 'instance-1.log'), 'utf8');
    expect(log).toContain('listening as query.vpc-2');
    const [first] = pidsOf(setting);
    expect(await readFile(`/proc/${first}/environ`, 'utf8')).toContain('odd.name=kept');
  });

  it('tell several builds apart when the command’s files change between two starts', async () => {
    const setting = await open({ build: { kind: 'command', files: ['release.txt'] } });
    const release = join(setting.stateDirectory, 'release.txt');
    const group = setting.open();
    expect((await group.read(soon())).build).toMatchObject({
      known: false,
      why: expect.stringContaining('release.txt'),
    });
    await writeFile(release, 'one');
    const planned = (await group.read(soon())).build;
    await group.resize({ desired: 1 }, soon());
    expect((await until(group, allHealthy(1))).build).toEqual(planned);
    await writeFile(release, 'two');
    expect((await group.read(soon())).build).toEqual(planned);
    await group.resize({ desired: 2 }, soon());
    const { build } = await until(group, allHealthy(2));
    const parts = build.known ? build.value.split(' + ') : [];
    expect(new Set(parts).size).toBe(2);
    expect(parts).toEqual([...parts].sort((a, b) => a.localeCompare(b)));
  });

  it('may write without end: what is kept is bounded, and the last lines are shown', async () => {
    const flood =
      'yes "$(printf "\\033[31mred\\033[0m \\007 line of the flood")" | head -c 9000000; echo; echo last words; sleep 600';
    const { setting, group } = await wanting(1, { local: { command: ['sh', '-c', flood] } });
    const reading = await until(group, (one) => outputOf(one).includes('last words'));
    expect(outputOf(reading)).toContain('red  line of the flood');
    await group.tick();
    const log = join(setting.stateDirectory, 'local', 'query.vpc', 'instance-0.log');
    expect((await stat(log)).size).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it('start twenty at once and stop them again', async () => {
    const setting = await open({ size: { min: 0, max: 20 } });
    const group = setting.open();
    await group.resize({ min: 20 }, soon());
    await until(group, allHealthy(20));
    expect(pidsOf(setting)).toHaveLength(20);
    await group.resize({ min: 0, desired: 0 }, soon());
    await until(group, ({ instances }) => instances.length === 0);
    expect(pidsOf(setting)).toEqual([]);
  });

  it('are scaled out by their load, and not in when it becomes unknown', async () => {
    const setting = await open();
    const loaded = { ...setting.group, capacityRps: 100 };
    let load: { known: true; value: number } | { known: false; why: string } = { known: true, value: 130 };
    const group = setting.open({ group: loaded, loadRps: () => load });
    expect((await until(group, allHealthy(2))).size).toEqual({ min: 0, max: 4, desired: 2 });
    load = { known: false, why: 'the balancer is gone' };
    for (let tick = 0; tick < 5; tick += 1) await group.tick();
    expect((await group.read(soon())).size?.desired).toBe(2);
  });
});

describe('local processes that end or never come up', () => {
  it('are started again by themselves, and counted', async () => {
    const { setting, group } = await serving(1);
    killFirst(setting, 'SIGSEGV');
    const down = await until(group, ({ instances }) => instances[0]?.state !== 'healthy');
    expect(outputOf(down)).toMatch(/process \d+ has ended|ended by itself on SIGSEGV/);
    const again = await until(group, allHealthy(1));
    expect(again.instances[0]?.restarts).toBe(1);
  });

  it('are called crash-looping, with their last output', async () => {
    const { setting, group } = await wanting(1, { behaviour: 'crash' });
    const reading = await until(group, ({ instances }) => instances[0]?.state === 'crash-looping');
    expect(reading.instances[0]?.restarts).toBeGreaterThanOrEqual(2);
    expect(outputOf(reading)).toContain('cannot read the catalogue');
    expect(outputOf(reading)).toContain('drover: it ended by itself with exit code 3; started again after 2 s');
    await group.close();
    const next = await setting.open().read(soon());
    expect(next.instances[0]?.state).toBe('crash-looping');
  });

  it('are starting and no longer crash-looping where one runs again and is well, until it has stayed so', async () => {
    const { setting, group } = await wanting(1, { behaviour: 'crash-without-catalogue' });
    await until(group, ({ instances }) => instances[0]?.state === 'crash-looping');
    await writeFile(join(setting.stateDirectory, 'catalogue'), '');
    const again = await until(group, ({ instances }) => instances[0]?.state === 'starting');
    expect(again.instances[0]?.restarts).toBeGreaterThanOrEqual(2);
  });

  it.each([
    [
      'a command that does not exist',
      { command: ['no-such-program', '{port}'] },
      /no-such-program.*(not found|No such file)/,
    ],
    [
      'a working directory that does not exist',
      { workingDirectory: '/no/such/place' },
      /\/no\/such\/place does not exist/,
    ],
    [
      'a command that goes to the background',
      { command: ['sh', '-c', 'sleep 60 & exit 0'] },
      /has to stay in the foreground/,
    ],
  ])('say so for %s', async (_, local, expected) => {
    const { group } = await wanting(1, { local });
    const reading = await until(group, ({ instances }) => instances[0]?.state === 'crash-looping');
    expect(outputOf(reading)).toMatch(expected);
  });

  it('are unhealthy when they do not become healthy in time', async () => {
    const health = { path: '/health', intervalMs: 50, timeoutMs: 5_000, rise: 1, fall: 1, startMsMax: 1_000 };
    const { setting, group } = await wanting(1, { behaviour: 'sick', local: { health } });
    const reading = await until(
      group,
      ({ instances }) =>
        outputOf({ instances } as GroupReading).includes('status 503') && instances[0]?.state === 'unhealthy',
    );
    expect(outputOf(reading)).toContain(`http://127.0.0.1:${setting.firstPort}/health: answered with status 503`);
    expect(outputOf(reading)).toContain('drover: not healthy within 1 s of its start');
    expect(reading.instances[0]?.restarts).toBe(0);
  });

  it('do not hold up a reading longer than its deadline when they never answer', async () => {
    const { group } = await wanting(1, { behaviour: 'silent' });
    let refused: unknown;
    for (let look = 0; look < 200 && refused === undefined; look += 1) {
      await sleep(20);
      refused = await group.read(AbortSignal.timeout(300)).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    expect(refused).toMatchObject({ code: 'timeout', retriable: true });
  });

  it('are not started on a port that a stranger serves, and not taken for healthy there', async () => {
    const setting = await open();
    const server = await occupy(setting.firstPort);
    const group = setting.open();
    await group.resize({ desired: 2 }, soon());
    const reading = await until(group, ({ instances }) => instances[1]?.state === 'healthy');
    expect(reading.instances[0]?.state).not.toBe('healthy');
    expect(outputOf(reading)).toContain(`port ${setting.firstPort} is in use by process ${process.pid}`);
    expect(pidsOf(setting)).toHaveLength(1);
    server.close();
    await until(group, allHealthy(2));
  });
});

describe('a start that does not happen', () => {
  it('is not explained by what an earlier process of the instance wrote', async () => {
    const { setting, group } = await wanting(1, { behaviour: 'crash' });
    await until(group, (reading) => outputOf(reading).includes('cannot read the catalogue'));
    // Whoever is first on the port while the instance waits for its next start keeps it.
    await occupy(setting.firstPort);
    const taken = await until(group, (reading) => outputOf(reading).includes('is in use by process'));
    expect(taken.instances[0]?.lastOutput).toEqual([
      expect.stringMatching(/^drover: not started: port \d+ .* give the group other `ports` in drover.yaml$/),
    ]);
    await group.close();
    const watched = await setting.open({ mode: 'watch' }).read(soon());
    expect(outputOf(watched)).not.toContain('catalogue');
  });
});

describe('the build of what is started by a command', () => {
  const command = { kind: 'command', files: [] } as const;
  const buildWith = async (env: Readonly<Record<string, string>>) => {
    const setting = await open({ build: command, local: { command: ['run', '{port}'], env, workingDirectory: '/' } });
    return (await setting.open({ mode: 'watch' }).read(soon())).build;
  };

  it('is another one with another variable, the same in another order, and does not show them', async () => {
    const first = await buildWith({ MODE: 'fast', KEY: 's3cret' });
    expect(first).toEqual({ known: true, value: expect.stringMatching(/^command-[0-9a-f]{12}$/) });
    expect(await buildWith({ KEY: 's3cret', MODE: 'fast' })).toEqual(first);
    expect(await buildWith({ KEY: 's3cret', MODE: 'slow' })).not.toEqual(first);
    expect(await buildWith({ KEY: 's3cret' })).not.toEqual(first);
  });
});

describe('stopping local processes', () => {
  it('reports them stopping and lets them serve during the drain', async () => {
    const { setting, group } = await serving(1, {}, { drainMs: 1_500 });
    await group.resize({ desired: 0 }, soon());
    expect((await group.read(soon())).instances[0]?.state).toBe('stopping');
    expect((await fetch(`http://127.0.0.1:${setting.firstPort}/health`)).status).toBe(200);
    await group.resize({ desired: 1 }, soon());
    const kept = await until(group, allHealthy(1));
    expect(kept.instances[0]?.restarts).toBe(0);
    await group.resize({ desired: 0 }, soon());
    await until(group, ({ instances }) => instances.length === 0);
  });

  it('kills what ignores SIGTERM, and not before its time', async () => {
    const { setting, group } = await serving(1, { behaviour: 'stubborn', local: { stopMsMax: 1_000 } });
    const askedMs = performance.now();
    await group.resize({ desired: 0 }, soon());
    await until(group, ({ instances }) => instances.length === 0);
    expect(performance.now() - askedMs).toBeGreaterThanOrEqual(1_000);
    expect(pidsOf(setting)).toEqual([]);
  });

  it('also ends the children that left its session', async () => {
    const { setting, group } = await serving(1, { behaviour: 'parent', local: { stopMsMax: 500 } });
    expect(pidsOf(setting)).toHaveLength(2);
    await group.resize({ desired: 0 }, soon());
    await until(group, ({ instances }) => instances.length === 0);
    expect(pidsOf(setting)).toEqual([]);
  });

  it('goes on under the next controller', async () => {
    const { setting, group: first } = await serving(2, { behaviour: 'stubborn', local: { stopMsMax: 1_000 } });
    await first.resize({ desired: 1 }, soon());
    await first.tick();
    await first.close();
    expect(pidsOf(setting)).toHaveLength(2);
    await until(setting.open(), allHealthy(1));
    expect(pidsOf(setting)).toHaveLength(1);
  });

  it('stops everything with a token of the state directory, and nothing comes back', async () => {
    const { setting, group } = await serving(2, { behaviour: 'parent' });
    await group.close();
    expect(await stopAll(setting.stateDirectory, 500)).toEqual({ stopped: 4, left: [], heldGroups: [] });
    expect(pidsOf(setting)).toEqual([]);
    expect((await setting.open().read(soon())).size?.desired).toBe(0);
  });
});

describe('adopting local processes', () => {
  it('leaves a stranger alone who has got the pid, with another start time or without the token', async () => {
    const setting = await abandoned(2);
    const [other, same] = [startStranger(), startStranger()];
    const fields = await readFile(`/proc/${same.pid}/stat`, 'utf8');
    const startTicks = Number(fields.split(') ').at(-1)?.split(' ')[19]);
    await repoint(setting, 0, { pid: other.pid, startTicks: startTicks - 5 });
    await repoint(setting, 1, { pid: same.pid, startTicks });
    await stopProcesses(setting);
    const second = setting.open();
    const reading = await until(second, ({ instances }) => instances[0]?.state === 'healthy');
    expect(reading.instances[1]?.state).toBe('unhealthy');
    expect(outputOf(reading, 1)).toContain('neither stopped nor replaced');
    await second.resize({ desired: 0 }, soon());
    await until(second, ({ instances }) => instances.length === 1);
    await sleep(500);
    expect([other.exitCode, other.signalCode, same.exitCode, same.signalCode]).toEqual([null, null, null, null]);
  });

  it('finds processes again whose records were deleted', async () => {
    const setting = await abandoned(2);
    const before = pidsOf(setting);
    await rm(recordFile(setting, 1));
    const second = setting.open();
    await until(second, allHealthy(2));
    expect(pidsOf(setting)).toEqual(before);
  });

  it('does nothing with a damaged record but say so, and goes on when it is gone', async () => {
    const setting = await abandoned(2);
    const before = pidsOf(setting);
    await writeFile(recordFile(setting, 0), '{"version":1,');
    const second = setting.open();
    await expect(second.read(soon())).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('instance-0.json'),
    });
    await expect(second.resize({ desired: 0 }, soon())).rejects.toMatchObject({ code: 'corrupt' });
    expect(pidsOf(setting)).toEqual(before);
    await rm(recordFile(setting, 0));
    await second.tick();
    await until(second, allHealthy(2));
    expect(pidsOf(setting)).toEqual(before);
  });

  it('only reads in watch mode, with or without a controller', async () => {
    const setting = await open({ size: { min: 1, max: 4 } });
    const watch = setting.open({ mode: 'watch' });
    expect(await watch.read(soon())).toMatchObject({ size: { min: 1, desired: 1 }, instances: [] });
    await expect(watch.resize({ desired: 2 }, soon())).rejects.toMatchObject({ code: 'refused' });
    const control = setting.open();
    await until(watch, allHealthy(1));
    await control.close();
    expect(allHealthy(1)(await setting.open({ mode: 'watch' }).read(soon()))).toBe(true);
    killFirst(setting, 'SIGKILL');
    const dead = await until(watch, ({ instances }) => instances[0]?.state === 'unhealthy');
    expect(outputOf(dead)).toContain('has ended');
    expect(pidsOf(setting)).toEqual([]);
  });

  it('names a state directory that is a file', async () => {
    const setting = await open();
    const stateDirectory = join(setting.stateDirectory, 'file');
    await writeFile(stateDirectory, '');
    const group = setting.open({ stateDirectory });
    await expect(group.read(soon())).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining(stateDirectory),
    });
  });
});

/** Makes a record point at another process. */
async function repoint(setting: Setting, index: number, changes: object): Promise<void> {
  const file = recordFile(setting, index);
  const record = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(
    file,
    JSON.stringify({ ...record, phase: { ...record.phase, process: { ...record.phase.process, ...changes } } }),
  );
}

async function stopProcesses(setting: Setting): Promise<void> {
  for (const pid of pidsOf(setting)) process.kill(pid, 'SIGKILL');
  while (pidsOf(setting).length > 0) await sleep(20);
}
