import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '../../../src/core/journal/entry.ts';
import type { RolloutEvent } from '../../../src/core/rollout/events.ts';
import { PortError } from '../../../src/engine/ports.ts';
import { HaproxyBackend } from '../../../src/io/balancer/haproxy/backend.ts';
import { openSqliteJournal } from '../../../src/io/journal/sqlite.ts';
import type { RunningHaproxy } from '../haproxy-process.ts';
import { type Commands, type Drover, openCommands } from './drover.ts';
import { openFronts, type Weights } from './fronts.ts';
import { type Gate, openGate } from './gate.ts';
import { type Load, startLoad } from './load.ts';
import type { Behaviour } from './servers.ts';

/** Baseline of both environments; a bad build fails ten times as often. */
export const baseline = 0.02;

export type ServerState = { readonly weight: number; readonly admin: string };
export type World = Readonly<Record<string, ServerState>>;

/** Services behind real HAProxies, under load, with a drover.yaml that moves them: `classic-*` to `vpc-*`. */
export type Site = Pick<Commands, 'drover' | 'run' | 'plan' | 'start' | 'shell'> & {
  readonly directory: string;
  readonly haproxies: readonly RunningHaproxy[];
  readonly load: Load;
  /** What the destination of a service does; both of its servers at once. */
  readonly destination: Readonly<Record<string, Behaviour>>;
  /** `apply --plan` with the present plan. */
  apply(...args: string[]): Promise<Drover>;
  /** Weights and states at one HAProxy. */
  world(service?: string, haproxy?: number): Promise<World>;
  journal(operation: string): Promise<readonly Entry<RolloutEvent>[]>;
  kinds(operation: string): Promise<readonly string[]>;
  /** Another directory with the same drover.yaml. */
  elsewhere(): string;
  /** Between Drover and the first HAProxy, where the site was opened with one. */
  readonly gate: Gate | null;
  /** Reads HAProxy's configuration again, with other weights for a service. */
  reload(weights: Weights): Promise<void>;
  close(): Promise<void>;
};

export type SiteOptions = {
  readonly services?: readonly string[];
  readonly haproxies?: number;
  /** One balancer of several processes, in place of one for each. */
  readonly oneBalancer?: boolean;
  readonly rps?: number;
  readonly gated?: boolean;
  /** A server that fails more than its group does. */
  readonly failing?: { readonly server: string; readonly failures: number };
  /** Lines of `rollout:` beside the defaults of these tests. */
  readonly policy?: readonly string[];
  readonly steps?: readonly string[];
};

export async function openSite({
  services = ['web'],
  haproxies: count = 1,
  oneBalancer = false,
  rps = 200,
  gated = false,
  failing,
  policy = [],
  steps = ['{ weight: 50%, bake: 1s }'],
}: SiteOptions = {}): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-rollout-'));
  const directories = [directory];
  const origin = { failures: baseline, build: 'v1' };
  const destination = Object.fromEntries(services.map((name) => [name, { failures: baseline, build: 'v2' }]));
  const fronts = await openFronts(services, count, (service, server) => {
    if (server === failing?.server)
      return { failures: failing.failures, build: server.startsWith('vpc') ? 'v2' : 'v1' };
    return (server.startsWith('vpc') ? destination[service] : undefined) ?? origin;
  });
  const { haproxies } = fronts;
  const balancers = oneBalancer ? [haproxies] : haproxies.map((one) => [one]);
  const gateSocket = join(directory, 'gate.sock');
  const gate = gated && haproxies[0] !== undefined ? await openGate(gateSocket, haproxies[0].socket) : null;
  const plain = configuration(services, balancers, policy, steps);
  const yaml = gate === null ? plain : plain.replace(haproxies[0]?.socket ?? '', gateSocket);
  writeFileSync(join(directory, 'drover.yaml'), yaml);
  const load = startLoad(fronts.urls, rps);
  const commands = openCommands(directory);
  const { drover, run, plan } = commands;
  const journal = (operation: string) => entriesOf(directory, operation);
  return {
    ...{ directory, haproxies, load, destination, drover, run, plan, journal, gate },
    start: commands.start,
    shell: commands.shell,
    apply: async (...args) => drover('apply', '--plan', await plan(), ...args),
    world: (service = services[0] ?? 'web', index = 0) => worldOf(haproxies[index], service),
    kinds: async (operation) => (await journal(operation)).map(({ body }) => body.kind),
    elsewhere() {
      const other = mkdtempSync(join(tmpdir(), 'drover-elsewhere-'));
      directories.push(other);
      writeFileSync(join(other, 'drover.yaml'), yaml);
      return other;
    },
    reload: fronts.reload,
    async close() {
      await commands.endAll();
      await load.stop();
      await gate?.close();
      await fronts.close();
      for (const one of directories) rmSync(one, { recursive: true, force: true });
    },
  };
}

/** The entries of an operation, as somebody else reads them; none while there is no journal. */
export async function entriesOf(directory: string, operation: string): Promise<readonly Entry<RolloutEvent>[]> {
  const path = join(directory, '.drover', 'journal.db');
  if (!existsSync(path)) return [];
  const opened = await openSqliteJournal(path, { readOnly: true }).catch((error: unknown) => {
    // In the moment in which it is made it is there, and empty.
    if (error instanceof PortError && error.message.includes('it is empty')) return null;
    throw error;
  });
  if (opened === null) return [];
  try {
    return (await opened.read(operation, 0)) as Entry<RolloutEvent>[];
  } finally {
    await opened.close();
  }
}

export async function worldOf(haproxy: RunningHaproxy | undefined, service: string): Promise<World> {
  if (haproxy === undefined) throw new Error('no such HAProxy');
  const backend = new HaproxyBackend({ socket: haproxy.socket, backend: service, configFile: null });
  const { servers } = await backend.read(AbortSignal.timeout(20_000));
  return Object.fromEntries(servers.map(({ name, weight, admin }) => [name, { weight, admin }]));
}

/** As the site's servers were before anything moved. */
export const asFound: World = {
  'classic-1': { weight: 10, admin: 'ready' },
  'classic-2': { weight: 20, admin: 'ready' },
  'vpc-1': { weight: 0, admin: 'ready' },
  'vpc-2': { weight: 0, admin: 'ready' },
};

export function isMoved(world: World): boolean {
  return Object.entries(world).every(
    ([name, { weight, admin }]) => admin === 'ready' && weight > 0 === name.startsWith('vpc'),
  );
}

function configuration(
  services: readonly string[],
  balancers: readonly (readonly RunningHaproxy[])[],
  policy: readonly string[],
  steps: readonly string[],
): string {
  const traffic = (service: string) =>
    balancers.map(
      (_, index) =>
        `      - { balancer: edge-${index + 1}, backend: ${service}, origin: "classic-*", destination: "vpc-*" }`,
    );
  return [
    'version: 1',
    'name: shop',
    'environments: { classic: { provider: none }, vpc: { provider: none } }',
    'balancers:',
    ...balancers.map((processes, index) => {
      const sockets = processes.map(({ socket }) => socket).join(', ');
      return `  edge-${index + 1}: { haproxy: { sockets: [${sockets}], config: ${processes[0]?.configFile} } }`;
    }),
    'services:',
    ...services.flatMap((service) => [
      `  ${service}:`,
      `    owner: team-${service}`,
      '    kind: stateless',
      '    objective: { failures: 20% }',
      '    traffic:',
      ...traffic(service),
      '    origin: { environment: classic, capacity: 1000/s, build: { http: /build } }',
      '    destination: { environment: vpc, capacity: 1000/s, build: { http: /build } }',
    ]),
    'waves:',
    `  - { name: first, services: [${services.join(', ')}], value: "The new network carries them." }`,
    'rollout:',
    `  steps: [${steps.join(', ')}]`,
    '  control-share: 50%',
    '  judge: { dispersion: 1 }',
    '  drill: { requests: 5, time: 2s }',
    '  attempt: 2s',
    '  drain: 5s',
    ...policy.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
