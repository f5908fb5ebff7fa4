import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { PortError } from '../../src/engine/ports.ts';
import { HaproxyBackend } from '../../src/io/balancer/haproxy/backend.ts';
import { type RunningHaproxy, startHaproxy } from './haproxy-process.ts';

/** One HAProxy for a whole fleet: its runtime socket serves ten connections, and few more may wait. */
const backendCount = 50;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('fifty backends of one HAProxy are read at once, again and again, and each answers', async () => {
  const { backends } = await fleet();
  for (let pass = 0; pass < 3; pass++) {
    const readings = await Promise.all(backends.map((backend) => backend.read(deadline())));
    expect(readings.map(({ servers }) => servers.map(({ name }) => name))).toEqual(
      backends.map(() => ['classic-1', 'vpc-1']),
    );
  }
});

test('fifty ways back at once, while all are being read, reach every backend', async () => {
  const { backends } = await fleet();
  const readings = backends.map((backend) => backend.read(deadline()));
  await Promise.all(backends.map((backend) => backend.setStates({ 'vpc-1': 'maint' }, deadline())));
  await Promise.all(readings);
  const after = await Promise.all(backends.map((backend) => backend.read(deadline())));
  expect(after.every(({ servers }) => servers[1]?.admin === 'maint')).toBe(true);
});

test('where others hold every connection of the socket, a call waits for room, within its deadline', async () => {
  const { haproxy, backends } = await fleet();
  const crowd = await crowdAt(haproxy.socket);
  const reading = backends[0]?.read(deadline());
  const early = await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))]);
  expect(early).toBe('waits');
  for (const socket of crowd) socket.destroy();
  expect((await reading)?.servers).toHaveLength(2);
});

test('a HAProxy that is stopped is called stopped or overloaded, and nobody is told to configure a socket', async () => {
  const { haproxy, backends } = await fleet();
  const worker = await haproxy.worker();
  process.kill(worker, 'SIGSTOP');
  try {
    // Whatever its queue takes is never answered.
    const unanswered = await errorOf(backends[0]?.read(AbortSignal.timeout(300)));
    expect(unanswered).toMatchObject({ code: 'timeout', retriable: true });
    expect(unanswered.message).toMatch(/stopped or overloaded/);
    await crowdAt(haproxy.socket);
    const refused = await errorOf(backends[1]?.read(deadline()));
    expect(refused).toMatchObject({ code: 'unreachable', retriable: true });
    expect(refused.message).toMatch(/overloaded, or stopped/);
    expect(refused.message).not.toContain('stats socket');
    const impatient = await errorOf(backends[2]?.setStates({ 'vpc-1': 'maint' }, AbortSignal.timeout(300)));
    expect(impatient.message).toMatch(/stopped or overloaded/);
  } finally {
    process.kill(worker, 'SIGCONT');
  }
  for (const close of closing.splice(1)) await close();
  expect((await backends[0]?.read(deadline()))?.servers).toHaveLength(2);
});

test('the way back does not wait for readings of other backends that hang', async () => {
  const directory = (await fleet()).haproxy.directory;
  const socket = join(directory, 'half-dead.sock');
  const written: string[] = [];
  await halfDead(socket, written);
  const hanging = new AbortController();
  const readings = Array.from({ length: 30 }, (_, at) =>
    errorOf(new HaproxyBackend({ socket, backend: `s${at}`, configFile: null }).read(hanging.signal)),
  );
  const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
  await backend.setStates({ 'vpc-1': 'maint' }, deadline());
  expect(written).toEqual(['set server web/vpc-1 state maint']);
  expect(await backend.attempts(['vpc-1'], deadline())).toEqual({ 'vpc-1': 3 });
  hanging.abort();
  // Those that never had their turn are told the same as those that got no answer.
  for (const error of await Promise.all(readings)) expect(error.code).toBe('timeout');
});

async function fleet(): Promise<{ haproxy: RunningHaproxy; backends: HaproxyBackend[] }> {
  const names = Array.from({ length: backendCount }, (_, at) => `s${at}`);
  const haproxy = await startHaproxy({
    sections: names.flatMap((name) => [
      `backend ${name}`,
      '  server classic-1 127.0.0.1:9 weight 100',
      '  server vpc-1 127.0.0.1:9 weight 0',
    ]),
  });
  closing.push(haproxy.close);
  const { socket, configFile } = haproxy;
  return { haproxy, backends: names.map((backend) => new HaproxyBackend({ socket, backend, configFile })) };
}

/** Connections that say nothing, until the socket takes no more. */
async function crowdAt(path: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
  });
  for (;;) {
    const socket = connect({ path });
    const outcome = await new Promise((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    socket.on('error', () => socket.destroy());
    if (outcome === 'EAGAIN') return sockets;
    expect(outcome).toBe('connected');
    sockets.push(socket);
  }
}

/** Answers what a write asks for, and never a whole reading. */
async function halfDead(path: string, written: string[]): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', (data) => {
      const line = data.toString().trim();
      if (line.startsWith('show info')) return;
      if (line.startsWith('set server')) written.push(line);
      socket.end(answerTo(line));
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
}

function answerTo(line: string): string {
  if (line.startsWith('show servers state')) return '1\n# be_id be_name srv_id srv_name\n2 web 1 vpc-1\n\n';
  if (line.startsWith('show stat')) return '# pxname,svname,sid,connect,reuse\nweb,vpc-1,1,1,2\n\n';
  return '\n';
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

async function errorOf(call: Promise<unknown> | undefined): Promise<PortError> {
  const outcome = await call?.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof PortError)) throw new Error(`expected a PortError, got ${String(outcome)}`);
  return outcome;
}
