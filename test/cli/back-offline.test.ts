import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backOffline, type OfflineOptions } from '../../src/cli/back/offline.ts';
import type { World } from '../../src/cli/context.ts';
import type { BalancerConfig } from '../../src/core/fleet/config.ts';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { type Backend, PortError } from '../../src/engine/ports.ts';
import { contextInMemory, directoryForEach } from '../made/context.ts';
import { madeReading, madeServer } from '../made/readings.ts';

/** Of a balancer: what each backend does when it is read. `list`: whether the balancer tells which it has. */
type Edge = {
  readonly backends: Readonly<Record<string, 'answers' | 'hangs' | 'refuses' | 'is gone'>>;
  readonly list?: 'hangs' | 'refuses';
};

const directory = directoryForEach();
const hanging = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new PortError('timeout', 'no answer in 3 s', { retriable: true }))),
  );

/** `done`: what was written to balancers and markers, in order. */
function worldOf(edges: Readonly<Record<string, Edge>>, done: string[]): Partial<World> {
  const socketOf = (balancer: BalancerConfig) =>
    balancer.kind === 'haproxy' ? (balancer.sockets[0] ?? '') : balancer.socket;
  return {
    openMarker: () => ({
      read: async () => null,
      write: async (operation) => void done.push(`marker of ${operation}`),
      remove: async () => undefined,
    }),
    openJournal: () => Promise.reject(new PortError('not-found', 'there is none', { retriable: false })),
    listBackends: async (balancer, signal) => {
      const edge = edges[socketOf(balancer)];
      if (edge === undefined) throw new PortError('unreachable', 'no such socket', { retriable: true });
      if (edge.list === 'hangs') return await hanging(signal);
      if (edge.list === 'refuses') throw new PortError('refused', 'it does not tell', { retriable: false });
      return Object.keys(edge.backends).filter((name) => edge.backends[name] !== 'is gone');
    },
    openBackends: (balancer, { backend }) => [
      {
        ...{ id: `edge/${backend}`, address: socketOf(balancer) },
        backend: madeBackend(edges[socketOf(balancer)]?.backends[backend] ?? 'is gone', (what) =>
          done.push(`${backend}: ${what}`),
        ),
      },
    ],
  };
}

function madeBackend(does: Edge['backends'][string], log: (what: string) => void): Backend {
  const servers: Record<string, ServerReading> = {
    'classic-1': madeServer('classic-1', { weight: 50 }),
    'vpc-1': madeServer('vpc-1', { weight: 50, configuredWeight: 0 }),
  };
  const change = (name: string, to: Partial<ServerReading>) => {
    servers[name] = madeServer(name, { ...servers[name], ...to });
  };
  return {
    read: async (signal) => {
      if (does === 'hangs') return await hanging(signal);
      if (does === 'is gone') throw new PortError('not-found', 'no such backend', { retriable: false });
      return madeReading(Object.values(servers));
    },
    attempts: () => Promise.reject(new Error('nobody asks for attempts')),
    setWeights: async (weights) => {
      for (const [name, weight] of Object.entries(weights)) change(name, { weight });
    },
    setStates: async (states) => {
      if (does === 'refuses') {
        log('refused');
        throw new PortError('refused', 'not by this one', { retriable: false });
      }
      for (const [name, admin] of Object.entries(states)) {
        change(name, { admin });
        log(`${name} in ${admin}`);
      }
    },
  };
}

async function back(
  edges: Readonly<Record<string, Edge>>,
  options: OfflineOptions,
  exported: readonly { readonly operation: string; readonly backend: string; readonly completed?: true }[] = [],
  socket = '/run/edge.sock',
) {
  const done: string[] = [];
  const state = join(directory.path, '.drover');
  await mkdir(state, { recursive: true });
  const balancer =
    options.embedded === undefined
      ? { kind: 'haproxy', name: 'edge', sockets: [socket], configFile: null }
      : { kind: 'embedded', name: 'edge', listen: '', socket, carries: 'origin' };
  const found = { 'classic-1': { side: 'origin', weight: 100, admin: 'ready' } };
  for (const { operation, backend, completed = false } of exported)
    await writeFile(
      join(state, `${operation}.json`),
      JSON.stringify({
        ...{ operation, service: 'web', completed, asFound: { [`edge/${backend}`]: found } },
        balancers: [{ backend, origin: 'classic-*', destination: 'vpc-*', balancer }],
      }),
    );
  let errors = '';
  let nowMs = 0;
  const sleep = (ms: number) => {
    nowMs += ms;
    return Promise.resolve();
  };
  const { context, told } = contextInMemory({
    ...{ directory: directory.path, user: 'kim', world: worldOf(edges, done) },
    clock: { now: () => 0, monotonic: () => nowMs, sleep },
    stderr: {
      write: (text) => {
        errors += text;
      },
      terminal: null,
    },
  });
  await backOffline(context, { destination: 'vpc-*', ...options }, undefined, state);
  return { done, code: told.code, errors };
}

const edge = { haproxy: ['/run/edge.sock'] };

test('a backend that answers is taken back at once, whatever else hangs', async () => {
  const hangs = Object.fromEntries(Array.from({ length: 3 }, (_, at) => [`other-${at}`, 'hangs' as const]));
  const whole = back({ '/run/edge.sock': { backends: { ...hangs, web: 'answers' } } }, edge);
  const beside = back({ '/run/edge.sock': { backends: { a: 'hangs', b: 'hangs', web: 'answers' } } }, edge, [
    ...['a', 'b'].map((backend) => ({ operation: `rollout-${backend}-1`, backend, completed: true as const })),
    { operation: 'rollout-web-1', backend: 'web' },
  ]);
  expect(await whole).toMatchObject({ code: 1, done: ['web: vpc-1 in maint'] });
  expect(await beside).toMatchObject({ code: 1, done: ['marker of rollout-web-1', 'web: vpc-1 in maint'] });
  expect((await beside).errors).toContain('1 of 3 were taken back:\n  edge/a: no answer in 3 s\n  edge/b: no answer');
});

test('a backend that was read waits for none whose balancer refuses to take it', async () => {
  const refuses = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`a-${at}`, 'refuses' as const]));
  const { done, code } = await back({ '/run/edge.sock': { backends: { ...refuses, web: 'answers' } } }, edge);
  expect(code).toBe(1);
  expect(done).toContain('web: vpc-1 in maint');
  // Each is tried again some twenty times.
  expect(done.indexOf('web: vpc-1 in maint')).toBeLessThan(30);
});

test('what hangs is marked by what its rollout found there, and what is gone is passed over', async () => {
  const used = [
    { operation: 'rollout-old-1', backend: 'old', completed: true as const },
    { operation: 'rollout-web-1', backend: 'web' },
  ];
  const { done, code, errors } = await back(
    { '/run/edge.sock': { backends: { web: 'hangs', old: 'is gone' } } },
    edge,
    used,
  );
  expect({ done, code }).toEqual({ done: ['marker of rollout-web-1'], code: 1 });
  expect(errors).toContain('0 of 1 were taken back:\n  edge/web: no answer in 3 s\n');
});

test('a rollout is told of it however the socket is spelled', async () => {
  const place = join(await realpath(directory.path), 'edge.sock');
  await writeFile(place, '');
  await symlink(place, join(directory.path, 'link.sock'));
  const edges = Object.fromEntries(
    ['./edge.sock', 'link.sock'].map((spelled) => [spelled, { backends: { web: 'answers' as const } }]),
  );
  const used = [{ operation: 'rollout-web-1', backend: 'web' }];
  const expected = { code: 2, done: ['marker of rollout-web-1', 'web: vpc-1 in maint'] };
  for (const spelled of Object.keys(edges))
    expect(await back(edges, { haproxy: [spelled] }, used, place)).toMatchObject(expected);
});

test('an embedded balancer does not tell what it has, and is taken back by what rollouts here use', async () => {
  const given = { '/run/edge.sock': { backends: { web: 'answers' as const }, list: 'refuses' as const } };
  const used = [{ operation: 'rollout-web-1', backend: 'web' }];
  expect(await back(given, { embedded: '/run/edge.sock' }, used)).toMatchObject({
    ...{ code: 2, done: ['marker of rollout-web-1', 'web: vpc-1 in maint'] },
  });
});
