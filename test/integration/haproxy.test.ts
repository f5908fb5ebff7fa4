import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Counting, countBackend } from '../../src/core/judge/counting.ts';
import type { BackendReading } from '../../src/core/observed/backend.ts';
import { PortError } from '../../src/engine/ports.ts';
import { HaproxyBackend } from '../../src/io/balancer/haproxy/backend.ts';
import { backendNames } from '../../src/io/balancer/haproxy/backend-names.ts';
import { askRuntime } from '../../src/io/balancer/haproxy/runtime-socket.ts';
import { freePort } from './free-ports.ts';
import { type HaproxyHarness, type HaproxyHarnessOptions, openHaproxy } from './haproxy-harness.ts';
import { type RunningHaproxy, startHaproxy } from './haproxy-process.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(options?: HaproxyHarnessOptions): Promise<HaproxyHarness> {
  const harness = await openHaproxy(options);
  closing.push(harness.close);
  return harness;
}

async function started(sections: readonly string[], master = false): Promise<RunningHaproxy> {
  const haproxy = await startHaproxy({ sections, master });
  closing.push(haproxy.close);
  return haproxy;
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

describe('adopting what is there', () => {
  test('existing weights, maintenance and features are read as they are, and nothing is changed', async () => {
    const { backend, haproxy } = await open({
      names: ['a-1', 'a-2', 'b-1', 'b-2'],
      server: (name) =>
        ({ 'a-1': 'weight 100', 'a-2': 'weight 40', 'b-1': 'weight 0', 'b-2': 'weight 0 disabled' })[name] ?? '',
    });
    const reading = await backend.read(deadline());
    expect(
      reading.servers.map(({ name, weight, configuredWeight, admin }) => [name, weight, configuredWeight, admin]),
    ).toEqual([
      ['a-1', 100, 100, 'ready'],
      ['a-2', 40, 40, 'ready'],
      ['b-1', 0, 0, 'ready'],
      ['b-2', 0, 0, 'maint'],
    ]);
    expect(reading.servers.map(({ configuredAdmin }) => configuredAdmin)).toEqual(
      ['ready', 'ready', 'ready', 'maint'].map((value) => ({ known: true, value })),
    );
    expect(await backend.read(deadline())).toEqual(reading);
    expect(await backendNames(haproxy.socket, deadline())).toEqual(['web']);
  });

  test('a server that is down is down, also where somebody has switched its check off', async () => {
    const { backend, haproxy, behave } = await open({ server: () => 'check inter 50ms fall 1 rise 1' });
    const healthOf = async (name: string) =>
      (await backend.read(deadline())).servers.find((server) => server.name === name)?.health;
    await behave('a-1', 'refuse');
    await vi.waitFor(async () => expect(await healthOf('a-1')).toBe('down'), 10_000);
    await askRuntime(haproxy.socket, ['disable health web/a-1', 'disable health web/a-2'], deadline());
    expect(await healthOf('a-1')).toBe('down');
    expect(await healthOf('a-2')).toBe('unchecked');
  });

  test('unequal weights within a group keep their ratio while the group shrinks beside another', async () => {
    const { backend, traffic } = await open({ names: ['a-1', 'a-2', 'b-1'] });
    await backend.setWeights({ 'a-1': 180, 'a-2': 60, 'b-1': 60 }, deadline());
    const { servers } = await traffic(300);
    expect(Object.entries(servers).map(([name, { answered }]) => [name, Math.round(answered / 10)])).toEqual([
      ['a-1', 18],
      ['a-2', 6],
      ['b-1', 6],
    ]);
  });

  test('a reload by SIGUSR2 is a new process, with new counters and the weights of the file', async () => {
    const { backend, haproxy, traffic } = await open({ process: { master: true } });
    await traffic(30);
    await backend.setWeights({ 'a-1': 7 }, deadline());
    const before = await backend.read(deadline());
    await haproxy.reload();
    const after = await backend.read(deadline());
    expect(after.process).not.toBe(before.process);
    expect(after.servers.map(({ weight, counters }) => [weight, counters.attempts])).toEqual([
      [100, 0],
      [100, 0],
      [100, 0],
    ]);
    expect(await backend.attempts(['a-1'], deadline())).toEqual({ 'a-1': 0 });
  });

  test('after a reload with other servers, numbers of servers are not mistaken', async () => {
    const port = await freePort();
    const section = (names: readonly string[]) => [
      'backend web',
      ...names.map((name) => `  server ${name} 127.0.0.1:${port}`),
    ];
    const haproxy = await started(section(['one', 'two']));
    const backend = new HaproxyBackend({ socket: haproxy.socket, backend: 'web', configFile: null });
    await backend.read(deadline());
    await haproxy.reload(section(['new', 'one']));
    expect(await backend.attempts(['one'], deadline())).toEqual({ one: 0 });
    await backend.setWeights({ new: 9 }, deadline());
    expect((await backend.read(deadline())).servers.map(({ name, weight }) => [name, weight])).toEqual([
      ['new', 9],
      ['one', 1],
    ]);
    await expect(backend.attempts(['two'], deadline())).rejects.toThrow(/no server web\/two/);
  });

  test('hundreds of servers are written in one call, over a socket on TCP', async () => {
    const [port, runtime] = [await freePort(), await freePort()];
    const names = Array.from({ length: 400 }, (_, at) => `destination-with-a-long-name-${at}`);
    const haproxy = await startHaproxy({
      global: [`stats socket ipv4@127.0.0.1:${runtime} level admin`],
      sections: ['backend web', ...names.map((name) => `  server ${name} 127.0.0.1:${port} weight 0`)],
    });
    closing.push(haproxy.close);
    const backend = new HaproxyBackend({ socket: `127.0.0.1:${runtime}`, backend: 'web', configFile: null });
    await backend.setWeights(Object.fromEntries(names.map((name, at) => [name, at % 257])), deadline());
    await backend.setStates(Object.fromEntries(names.map((name) => [name, 'drain'])), deadline());
    const { servers } = await backend.read(deadline());
    expect(servers.map(({ weight }) => weight)).toEqual(names.map((_, at) => at % 257));
    expect(servers.every(({ admin }) => admin === 'drain')).toBe(true);
  });
});

describe('failures counted as users and servers know them', () => {
  const faults = [
    ['error', 'HTTP 500', []],
    ['refuse', 'refused connections', ['retries 0']],
    ['refuse', 'refused connections, hidden by redispatch', ['retries 2', 'option redispatch 1']],
    ['close', 'requests closed without an answer', []],
    ['close', 'the same, hidden by retries', ['retries 2', 'option redispatch 1', 'retry-on empty-response']],
    ['error', 'HTTP 500, hidden by retries', ['retries 2', 'option redispatch 1', 'retry-on 500']],
  ] as const;

  test.each(faults)('%s: %s', async (behaviour, _, lines) => {
    const harness = await open({ backend: ['balance roundrobin', ...lines] });
    const first = await harness.backend.read(deadline());
    await harness.traffic(30);
    await harness.behave('b-1', behaviour);
    const ledger = await harness.traffic(120);
    const { window } = count(first, await settled(harness));
    const failedAtServer = ledger.servers['b-1']?.failed ?? 0;
    expect(window?.destination.failures).toBeGreaterThanOrEqual(Math.max(1, failedAtServer, ledger.users.failed));
    expect(window?.destination.failures).toBe((window?.destination.attempts ?? 0) - 10);
    expect(window?.origin.failures).toBe(0);
    const answered = (ledger.servers['a-1']?.answered ?? 0) + (ledger.servers['a-2']?.answered ?? 0);
    expect(window?.origin.attempts).toBe(20 + answered);
  });

  function count(first: BackendReading, last: BackendReading) {
    const side = (name: string) => (name.startsWith('a') ? 'origin' : 'destination');
    const counting: Counting = countBackend(null, first, 0, side).counting;
    return countBackend(counting, last, 1000, side);
  }
});

describe('what stands in the way is said with the line to add', () => {
  const sections = ['backend web', '  server a 127.0.0.1:9 weight 10', '  server b 127.0.0.1:9 weight 10'];

  test.each(['user', 'operator'])('a socket of level %s reads and may not write', async (level) => {
    const { directory } = await started(sections);
    const socket = join(directory, `${level}.sock`);
    const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
    const before = await backend.read(deadline());
    expect(before.traits.readOnly).toMatchObject({ value: { why: expect.stringContaining(`level ${level}`) } });
    const error = await errorOf(backend.setWeights({ a: 1, b: 1 }, deadline()));
    expect(error).toMatchObject({ code: 'denied', retriable: false });
    expect(error.message).toContain(`stats socket ${socket} mode 660 level admin`);
    expect(error.message).toContain('2 of 2');
    expect(await backend.read(deadline())).toEqual(before);
  });

  test("the master's socket is not a worker's", async () => {
    const { directory } = await started(sections, true);
    let error = await errorOf(read(join(directory, 'master.sock')));
    // The master executes itself again once its worker runs, and listens only then.
    while (error.code === 'unreachable') error = await errorOf(read(join(directory, 'master.sock')));
    expect(error).toMatchObject({ code: 'refused', retriable: false });
    expect(error.message).toMatch(/master process.*stats socket/);
  });

  test('a static algorithm refuses weights, in its own words and with what would have to change', async () => {
    const { socket } = await started([...sections.slice(0, 1), '  balance static-rr', ...sections.slice(1)]);
    const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
    const error = await errorOf(backend.setWeights({ a: 5 }, deadline()));
    expect(error).toMatchObject({ code: 'refused', retriable: false });
    expect(error.message).toMatch(/static LB algorithm.*balance roundrobin/);
  });

  test('a process that was stopped and takes no connection is named, and not its configuration', async () => {
    const { backend, haproxy } = await open();
    const pid = await haproxy.worker();
    process.kill(pid, 'SIGSTOP');
    const waiting: Socket[] = [];
    closing.push(async () => {
      for (const socket of waiting) socket.destroy();
      process.kill(pid, 'SIGCONT');
    });
    // The kernel keeps so many connections for a process that does not take them.
    for (let code: unknown = null; code !== 'EAGAIN'; ) {
      const socket = connect({ path: haproxy.socket });
      waiting.push(socket);
      code = await new Promise((resolve) => {
        socket.once('connect', () => resolve(null));
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      });
    }
    const error = await errorOf(backend.read(deadline()));
    expect(error).toMatchObject({ code: 'unreachable', retriable: true });
    expect(error.message).toMatch(/takes no connection.*SIGSTOP/);
    expect(error.message).not.toContain('stats socket');
  });

  test('no socket, a socket nobody listens on, a backend that is not there, a name with a command in it', async () => {
    const haproxy = await started(sections);
    const gone = await errorOf(read(join(haproxy.directory, 'nosuch.sock')));
    expect(gone).toMatchObject({ code: 'unreachable', retriable: true });
    expect(gone.message).toMatch(/no such socket.*level admin/);
    expect(await errorOf(read(haproxy.socket, 'nosuch'))).toMatchObject({ code: 'not-found', retriable: false });
    const smuggled = await errorOf(read(haproxy.socket, 'web;set server web/a state maint'));
    expect(smuggled).toMatchObject({ code: 'not-found' });
    expect(await errorOf(read(`127.0.0.1:${await freePort()}`))).toMatchObject({
      code: 'unreachable',
      retriable: true,
    });
    await haproxy.kill();
    const refused = await errorOf(read(haproxy.socket));
    expect(refused).toMatchObject({ code: 'unreachable', retriable: true });
    expect(refused.message).toContain('level admin');
  });

  const pretenders: readonly (readonly [string, () => string | undefined, string, RegExp])[] = [
    ['says nothing', () => undefined, 'timeout', /no answer in time/],
    ['speaks HTTP', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', 'refused', /HTTP server answers/],
    ['answers half', () => 'Name: HAProxy\nPid: 1\n', 'protocol', /5 whole answers/],
    ['answers nonsense', () => 'a\n\nb\n\nc\n\nd\n\ne\n\n', 'protocol', /Pid/],
  ];

  test.each(pretenders)('something that %s is not taken for HAProxy', async (_, answer, code, message) => {
    const port = await pretender(answer);
    const error = await errorOf(read(`127.0.0.1:${port}`, 'web', AbortSignal.timeout(500)));
    expect(`${error.code}: ${error.message}`).toMatch(message);
    expect(error.code).toBe(code);
  });

  function read(socket: string, backend = 'web', signal = deadline()): Promise<BackendReading> {
    return new HaproxyBackend({ socket, backend, configFile: null }).read(signal);
  }

  async function pretender(answer: () => string | undefined): Promise<number> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('data', () => {
        const text = answer();
        if (text !== undefined) socket.end(text);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }
});

async function errorOf(call: Promise<unknown>): Promise<PortError> {
  const outcome = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof PortError)) throw new Error(`expected a PortError, got ${String(outcome)}`);
  return outcome;
}

/** Streams end a moment after their user has the answer. */
async function settled({ backend }: HaproxyHarness): Promise<BackendReading> {
  for (;;) {
    const reading = await backend.read(deadline());
    if (reading.servers.every(({ counters }) => counters.scur === 0)) return reading;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
