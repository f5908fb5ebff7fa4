import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHaproxy } from '../../scripts/fetch/haproxy.ts';
import { startHaproxy } from '../../src/cli/demo/haproxy.ts';
import type { Backend } from '../../src/engine/ports.ts';
import { embeddedBackend } from '../../src/io/balancer/embedded/backend.ts';
import { HaproxyBackend } from '../../src/io/balancer/haproxy/backend.ts';
import { closing } from '../frame/closing.ts';
import { freePorts } from './ports.ts';
import { openTee, type Tee } from './tee.ts';
import type { Count } from './users.ts';

export const balancers = ['haproxy', 'embedded'] as const;
export type Balancer = (typeof balancers)[number];

/** What an instance of the destination tells of itself; times are monotonic, in ms. */
export type Seen = {
  readonly pid: number;
  readonly seen: number;
  readonly lastArrivalMs: number;
  readonly lastEndMs: number;
};

/** A fleet of two groups, started by `drover apply`, behind a balancer, and users that keep their connections. */
export type Site = {
  readonly backend: Backend;
  /** Where HAProxy's acknowledgements are seen; null with the embedded balancer. */
  readonly tee: Tee | null;
  /** The verb as a process of its own; what it prints is kept. */
  drover(...args: string[]): Command;
  destination(): Promise<Seen[]>;
  /** What users saw so far. */
  users(): Promise<Count>;
  startUsers(rps: number): void;
  /** Both groups run and are up, and users ask; nothing is under way. A rollout has been begun for it, and taken back. */
  start(rps: number): Promise<void>;
  /** `drover apply` with the present plan. */
  apply(): Promise<Command>;
  /** Every server of a group is up at the balancer. */
  untilUp(group: 'classic' | 'vpc'): Promise<void>;
  close(): Promise<void>;
};

export type Command = {
  /** Resolves when what it has written matches; rejects when it ends before. */
  until(pattern: RegExp): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
};

/** Monotonic time of this machine, the same in every process, in ms. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
/**
 * `perGroup` instances on each side. Its processes are in sessions of their own: Ctrl-C is for the bench, which ends what it has
 * started.
 */
export async function openSite(kind: Balancer, perGroup = 2): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  const [entry = 0, ...ports] = await freePorts(1 + 2 * perGroup);
  const [old = 0, young = 0] = [ports[0], ports[perGroup]];
  const opened: (() => Promise<void>)[] = [];
  const running = new Set<ChildProcess>();
  const close = closing(async () => {
    for (const one of running) one.kill('SIGKILL');
    await Promise.all([...running].map((one) => once(one, 'close')));
    if (existsSync(join(directory, 'drover.yaml'))) await drover('stop', '--yes').ended;
    for (const end of opened.reverse()) await end();
    rmSync(directory, { recursive: true, force: true });
  });
  const drover = (...args: string[]) => command(directory, args, running);
  let tee: Tee | null = null;
  if (kind === 'haproxy') {
    writeFileSync(join(directory, 'haproxy.cfg'), haproxyConfiguration(entry, old, young, perGroup));
    const haproxy = await startHaproxy(await fetchHaproxy(), directory);
    opened.push(() => haproxy.stop());
    const between = await openTee(join(directory, 'tee.sock'), join(directory, 'haproxy.sock'), nowMs);
    opened.push(() => between.close());
    tee = between;
  }
  writeFileSync(join(directory, 'drover.yaml'), configuration(kind, entry, old, young, perGroup));
  const people = fork(join(import.meta.dirname, 'users.ts'), { execPath: process.execPath, detached: true });
  opened.push(async () => void people.kill('SIGKILL'));
  const site: Site = {
    tee,
    drover,
    backend:
      kind === 'haproxy'
        ? new HaproxyBackend({ socket: join(directory, 'haproxy.sock'), backend: 'web', configFile: null })
        : embeddedBackend(join(directory, '.drover', 'edge.sock'), 'web'),
    destination: () => Promise.all(Array.from({ length: perGroup }, (_, index) => seenAt(young + index))),
    users: async () => {
      const answer = once(people, 'message');
      people.send({ kind: 'count' });
      return (await answer)[0] as Count;
    },
    startUsers: (rps) => void people.send({ kind: 'start', url: `http://127.0.0.1:${entry}/`, rps }),
    start: async (rps) => {
      const apply = await site.apply();
      await site.untilUp('classic');
      site.startUsers(rps);
      await apply.until(/step 1: judging/);
      await drover('back', '--reason', 'bench').ended;
      await apply.ended;
      await site.untilUp('vpc');
    },
    apply: async () => {
      const plan = await drover('plan', '--json').ended;
      if (plan.code !== 2) throw new Error(`drover plan ended with ${plan.code}: ${plan.text}`);
      const { hash } = JSON.parse(plan.text) as { readonly hash: string };
      return drover('apply', '--plan', hash, '--reason', 'bench');
    },
    untilUp: (group) => untilUp(site.backend, group),
    close,
  };
  return site;
}

async function untilUp(backend: Backend, group: string): Promise<void> {
  const endsAtMs = nowMs() + 30_000;
  for (;;) {
    const reading = await backend.read(AbortSignal.timeout(5000)).catch(() => null);
    const servers = reading?.servers.filter(({ name }) => name.startsWith(group)) ?? [];
    if (servers.length > 0 && servers.every(({ health }) => health === 'up')) return;
    if (nowMs() > endsAtMs) throw new Error(`the servers of ${group} do not come up`);
    await sleep(50);
  }
}

function command(directory: string, args: readonly string[], running: Set<ChildProcess>): Command {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: directory,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, text };
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  return {
    ended,
    async until(pattern) {
      while (!pattern.test(text)) {
        if (isOver) throw new Error(`drover ${args.join(' ')} ended without ${pattern}: ${text}`);
        await sleep(5);
      }
    },
  };
}

async function seenAt(port: number): Promise<Seen> {
  const response = await fetch(`http://127.0.0.1:${port}/seen`, { headers: { connection: 'close' } });
  return (await response.json()) as Seen;
}

function configuration(kind: Balancer, entry: number, old: number, young: number, perGroup: number): string {
  const balancer =
    kind === 'haproxy'
      ? '{ haproxy: { socket: ./tee.sock, config: haproxy.cfg } }'
      : `{ embedded: { listen: "127.0.0.1:${entry}" } }`;
  const group = (side: string, environment: string, port: number) => [
    `    ${side}:`,
    `      environment: ${environment}`,
    `      size: ${perGroup}..${perGroup}`,
    '      capacity: 1000/s',
    `      command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(join(import.meta.dirname, 'server.ts'))}]`,
    `      env: { PORT: "{port}", INSTANCE: "${environment}-{index}" }`,
    `      build: ${environment}`,
    `      ports: ${port}`,
    `      server: "${environment}-{index}"`,
    '      health: { path: /healthz, interval: 200ms }',
  ];
  return [
    'version: 1',
    'name: bench',
    'environments: { classic: { provider: local }, vpc: { provider: local } }',
    `balancers: { edge: ${balancer} }`,
    'services:',
    '  web:',
    '    owner: bench',
    '    kind: stateless',
    '    objective: { failures: 5% }',
    '    traffic: { balancer: edge, backend: web, origin: "classic-*", destination: "vpc-*" }',
    ...group('origin', 'classic', old),
    ...group('destination', 'vpc', young),
    'rollout:',
    '  steps: [{ weight: 50%, bake: 10m }]',
    '  control-share: 5%',
    '  attempt: 7s',
    '  drill: { requests: 5, time: 5s }',
    '  drain: 10s',
    '',
  ].join('\n');
}

function haproxyConfiguration(entry: number, old: number, young: number, perGroup: number): string {
  const servers = (name: string, port: number, weight: number) =>
    Array.from(
      { length: perGroup },
      (_, index) => `  server ${name}-${index + 1} 127.0.0.1:${port + index} weight ${weight}`,
    );
  return [
    'global',
    '  stats socket unix@haproxy.sock level admin mode 600',
    '  nbthread 1',
    'defaults',
    '  mode http',
    '  balance roundrobin',
    '  option redispatch 1',
    '  retries 3',
    '  retry-on conn-failure empty-response',
    '  timeout connect 1s',
    '  timeout client 60s',
    '  timeout server 5s',
    '  default-server check inter 200ms rise 1 fall 2',
    '  option httpchk GET /healthz',
    'frontend entry',
    `  bind 127.0.0.1:${entry}`,
    '  default_backend web',
    'backend web',
    ...servers('classic', old, 20),
    ...servers('vpc', young, 0),
    '',
  ].join('\n');
}
