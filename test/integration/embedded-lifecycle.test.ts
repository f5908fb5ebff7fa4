import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PortError } from '../../src/engine/ports.ts';
import { embeddedBackend } from '../../src/io/balancer/embedded/backend.ts';
import type { EmbeddedConfig } from '../../src/io/balancer/embedded/config.ts';
import { startEmbedded, stopEmbedded } from '../../src/io/balancer/embedded/lifecycle.ts';
import { carry, users } from './embedded/load.ts';
import { openUpstream, type Upstream } from './embedded/upstreams.ts';
import { freePort } from './free-ports.ts';

/** The balancer as a process of its own: started once, found again, never mistaken for another, never left behind. */
let directory: string;
let upstream: Upstream;
let config: EmbeddedConfig;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drover-lifecycle-'));
  upstream = await openUpstream('only-1');
  config = configOf('test', '127.0.0.1:0');
});
afterEach(async () => {
  await stopEmbedded('test', directory);
  await upstream.close();
  expect(balancersOf(directory)).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

test('a controller that is killed leaves it running, with what was written; the next one finds it', async () => {
  const entry = fileURLToPath(new URL('./embedded/controller-process.ts', import.meta.url));
  const controller = spawn(process.execPath, [entry, directory, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = Number(String((await once(controller.stdout, 'data'))[0]));
  controller.kill('SIGKILL');
  await once(controller, 'exit');
  const running = await startEmbedded(config, directory);
  expect(running).toMatchObject({ pid, reused: true });
  expect(await carry(`http://${running.listening.web}`, { method: 'GET', path: '/', body: null })).toBe(200);
  const reading = await embeddedBackend(running.socket, 'web').read(AbortSignal.timeout(20_000));
  expect(reading.servers[0]?.weight).toBe(77);
});

test('started twice at once it runs once', async () => {
  config = configOf('test', `127.0.0.1:${await freePort()}`);
  const both = await Promise.all([startEmbedded(config, directory), startEmbedded(config, directory)]);
  expect(new Set(both.map(({ pid }) => pid)).size).toBe(1);
  expect(both.map(({ reused }) => reused).sort()).toEqual([false, true]);
});

test('a port in use is said, with the address, and nothing stays behind', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const address = blocker.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  config = configOf('test', `127.0.0.1:${port}`);
  const error = await refusalOf(startEmbedded(config, directory));
  expect(error).toContain(`cannot listen on 127.0.0.1:${port} (backend web): the port is in use`);
  blocker.close();
  expect((await startEmbedded(config, directory)).reused).toBe(false);
});

test('a configuration with mistakes is refused before anything starts, all of them named', async () => {
  const wrong = { ...config, backends: [{ ...config.backends[0], listen: 'nowhere', weight: 3 }] };
  const start = startEmbedded(wrong as EmbeddedConfig, directory);
  await expect(start).rejects.toThrow(/backends\.0\.listen: expected host:port or a port, found "nowhere"/u);
  await expect(start).rejects.toThrow(/weight/u);
});

test('it runs with another configuration: refused, and left as it is', async () => {
  const first = await startEmbedded(config, directory);
  const [backend] = config.backends;
  if (backend === undefined) throw new Error('no backend to change');
  const other = { ...config, backends: [{ ...backend, retriesMax: 7 }] };
  expect(await refusalOf(startEmbedded(other, directory))).toContain('with another configuration');
  expect((await startEmbedded(config, directory)).pid).toBe(first.pid);
});

test('it runs with other configured weights: read again, and the weights in force stay', async () => {
  const first = await startEmbedded(config, directory);
  const other = configOf('test', config.backends[0]?.listen ?? '', 50);
  expect(await startEmbedded(other, directory)).toMatchObject({ pid: first.pid, reused: true });
  const read = async () => (await embeddedBackend(config.socket, 'web').read(AbortSignal.timeout(20_000))).servers[0];
  expect(await read()).toMatchObject({ weight: 100, configuredWeight: 50 });
  expect(await startEmbedded(other, directory)).toMatchObject({ pid: first.pid, reused: true });
  await stopEmbedded('test', directory);
  await startEmbedded(other, directory);
  expect(await read()).toMatchObject({ weight: 50, configuredWeight: 50 });
});

test('somebody else answers on its socket: refused, and theirs is not touched', async () => {
  const first = await startEmbedded(config, directory);
  const thief = { ...configOf('thief', '127.0.0.1:0'), socket: config.socket };
  expect(await refusalOf(startEmbedded(thief, directory))).toContain(`pid ${first.pid} answers`);
  expect(await stopEmbedded('thief', directory)).toBe('not-running');
  expect((await startEmbedded(config, directory)).reused).toBe(true);
});

test('killed without a word, it starts again over what it left', async () => {
  const first = await startEmbedded(config, directory);
  expect(balancersOf(directory)).toEqual([String(first.pid)]);
  process.kill(first.pid, 'SIGKILL');
  await expect.poll(() => balancersOf(directory), { timeout: 20_000 }).toEqual([]);
  const second = await startEmbedded(config, directory);
  expect(second.reused).toBe(false);
  expect(await carry(`http://${second.listening.web}`, { method: 'GET', path: '/', body: null })).toBe(200);
});

test('a record whose pid is now another process: not running, and that process lives', async () => {
  const first = await startEmbedded(config, directory);
  const record = readdirSync(directory).find((name) => name.endsWith('.running')) ?? '';
  const text = readFileSync(join(directory, record), 'utf8');
  await stopEmbedded('test', directory);
  const bystander = await sleeper();
  writeFileSync(join(directory, record), text.replace(`"pid":${first.pid}`, `"pid":${bystander.pid}`));
  expect(await stopEmbedded('test', directory)).toBe('not-running');
  expect(bystander.exitCode).toBe(null);
  expect((await startEmbedded(config, directory)).reused).toBe(false);
  expect(bystander.exitCode).toBe(null);
  bystander.kill();
  await once(bystander, 'exit');
});

test('the control socket, the record and the log are for this user alone', async () => {
  await startEmbedded(config, directory);
  const files = readdirSync(directory);
  expect(files.sort()).toEqual(['balancer-test.json', 'balancer-test.json.running', 'balancer-test.log', 'test.sock']);
  for (const file of files) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
});

test('stopping lets present requests end, takes no new ones, and removes the socket and the record', async () => {
  const { listening } = await startEmbedded(config, directory);
  upstream.answerWith((_, response) => {
    setTimeout(() => response.end('late'), 1000);
  });
  const present = carry(`http://${listening.web}`, { method: 'GET', path: '/', body: null });
  await expect.poll(() => upstream.taken.length).toBe(1);
  expect(await stopEmbedded('test', directory)).toBe('stopped');
  expect(await present).toBe(200);
  expect(await carry(`http://${listening.web}`, { method: 'GET', path: '/', body: null })).toBe(0);
  expect(readdirSync(directory).sort()).toEqual(['balancer-test.json', 'balancer-test.log']);
  expect(await stopEmbedded('test', directory)).toBe('not-running');
});

test('stopping under keep-alive load does not wait for users to go away', async () => {
  const { listening } = await startEmbedded(config, directory);
  const load = users(`http://${listening.web}`, 8);
  await load.more(100);
  const startedAt = performance.now();
  expect(await stopEmbedded('test', directory)).toBe('stopped');
  // The grace is 5 s: without closing connections between two requests all of it would pass.
  expect(performance.now() - startedAt).toBeLessThan(4500);
  await load.end();
});

test('one that hangs is stopped all the same', async () => {
  const { pid } = await startEmbedded(config, directory);
  process.kill(pid, 'SIGSTOP');
  expect(await refusalOf(startEmbedded(config, directory))).toContain(`pid ${pid}`);
  expect(await stopEmbedded('test', directory)).toBe('stopped');
});

test('what is not of its language on the control socket is refused, and it goes on', async () => {
  const { socket } = await startEmbedded(config, directory);
  const backend = embeddedBackend(socket, 'nosuch');
  await expect(backend.read(AbortSignal.timeout(20_000))).rejects.toMatchObject({ code: 'not-found' });
  const said = await talk(socket, 'good morning\n{"id":7,"op":"fly"}\n{"id":8,"op":"read","backend":"web","x":1}\n');
  const replies = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(replies.map(({ id, error }) => [id, error.code])).toEqual([
    [null, 'refused'],
    [7, 'refused'],
    [8, 'refused'],
  ]);
  await talk(socket, 'x'.repeat(3_000_000));
  expect((await embeddedBackend(socket, 'web').read(AbortSignal.timeout(20_000))).servers).toHaveLength(1);
});

function configOf(name: string, listen: string, weight = 100): EmbeddedConfig {
  const servers = [{ name: 'only-1', address: `127.0.0.1:${upstream.port}`, weight }];
  return { name, socket: join(directory, `${name}.sock`), backends: [{ name: 'web', listen, servers }] };
}

async function refusalOf(start: Promise<unknown>): Promise<string> {
  const outcome = await start.then(
    () => 'it started',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(PortError);
  if (!(outcome instanceof PortError)) return '';
  expect(outcome.code).toBe('refused');
  return outcome.message;
}

/** Pids of balancers whose command line names this directory. */
function balancersOf(place: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/u.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${place}/balancer-`);
    } catch {
      return false;
    }
  });
}

async function sleeper(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

/** All that comes back within a moment. */
function talk(path: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = createConnection(path, () => socket.write(text));
    socket.setEncoding('utf8');
    socket.setTimeout(700, () => socket.destroy());
    socket.on('data', (chunk: string) => {
      said += chunk;
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(said));
  });
}
