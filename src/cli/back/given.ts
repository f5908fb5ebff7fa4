import type { BalancerConfig } from '../../core/fleet/config.ts';
import { matchesGlob } from '../../core/fleet/glob.ts';
import type { BackendReading } from '../../core/observed/backend.ts';
import type { Context } from '../context.ts';
import type { ExportedState } from './exported-state.ts';
import type { Left, OfflineTarget } from './offline-target.ts';

const callMs = 3000;

/** Balancers and servers that are named on the command line. */
export type Given = {
  /** Each runtime socket is a process of its own. */
  readonly haproxy?: readonly string[];
  readonly embedded?: string;
  readonly backend?: string;
  readonly origin?: string;
};

/** What one look has found at a balancer. */
export type Found = {
  /** Those that have such servers; of those that were not read nobody knows it. `unreadBackends` null: the balancer does not tell which it has. */
  readonly backends: readonly string[];
  readonly unreadBackends: readonly string[] | null;
  readonly targets: readonly OfflineTarget[];
  /** Of what is not read nobody knows whether it has such servers. */
  readonly unread: readonly Left[];
};

type Meant = {
  readonly balancer: BalancerConfig;
  readonly options: Given;
  readonly destination: string;
  /** Backends of this balancer that rollouts of this directory use. */
  readonly used: readonly string[];
};

/**
 * Two looks at once: at the backends that rollouts of this directory use, which are not kept waiting by whatever else the balancer
 * has, and at the others.
 */
export function findTargets(
  context: Context,
  states: readonly ExportedState[],
  balancer: BalancerConfig,
  options: Given,
  destination: string,
): readonly Promise<Found>[] {
  const meant = { balancer, options, destination, used: usedAt(states, balancer) };
  const listed = options.backend === undefined ? listOf(context, balancer) : null;
  return [knownTargets(context, meant, listed), otherTargets(context, meant, listed)];
}

/** The backends of a balancer, or why it does not tell them. null: one is named. */
type Listed = Promise<readonly string[] | Error> | null;

function listOf(context: Context, balancer: BalancerConfig): NonNullable<Listed> {
  return context.world
    .listBackends(balancer, AbortSignal.timeout(callMs))
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
}

/** Where a backend is named it is not asked whether it has such servers: that is tried again and again. */
async function knownTargets(context: Context, meant: Meant, listed: Listed): Promise<Found> {
  const { backend } = meant.options;
  if (backend === undefined) {
    const found = await readOf(context, meant, meant.used);
    const names = found.unread.length === 0 ? null : await listed;
    // What a rollout used once may be gone since.
    return Array.isArray(names) && !found.unreadBackends?.some((name) => names.includes(name))
      ? { ...found, unread: [], unreadBackends: [] }
      : found;
  }
  const targets = openedOf(context, meant, backend);
  return { backends: [backend], unreadBackends: [], targets, unread: [] };
}

async function otherTargets(context: Context, meant: Meant, listed: Listed): Promise<Found> {
  const nothing = { backends: [], targets: [], unread: [] };
  const names = await listed;
  if (names === null) return { ...nothing, unreadBackends: [] };
  if (names instanceof Error) {
    const unread = [{ line: `${meant.balancer.name}: ${names.message}`, isFinal: false }];
    return { ...nothing, unreadBackends: null, unread };
  }
  const others = names.filter((name) => !meant.used.includes(name));
  return await readOf(context, meant, others);
}

/** One after the other: asked all at once, a balancer with many would answer the last ones too late. */
async function readOf(context: Context, meant: Meant, names: readonly string[]): Promise<Found> {
  const found = { backends: [] as string[], targets: [] as OfflineTarget[] };
  const unread: Left[] = [];
  const unreadBackends: string[] = [];
  for (const name of names) {
    for (const target of openedOf(context, meant, name)) {
      const answer = await target.backend.read(AbortSignal.timeout(callMs)).catch((error: unknown) => error);
      if (!isReading(answer)) {
        unreadBackends.push(name);
        unread.push({
          line: `${target.id}: ${answer instanceof Error ? answer.message : String(answer)}`,
          isFinal: false,
        });
      } else if (answer.servers.some((server) => matchesGlob(meant.destination, server.name))) {
        found.backends.push(name);
        found.targets.push(target);
      }
    }
  }
  return { ...found, unreadBackends, unread };
}

function openedOf(context: Context, { balancer, options, destination }: Meant, backend: string): OfflineTarget[] {
  const origin: OfflineTarget['origin'] = { kind: 'glob', glob: options.origin ?? null };
  return context.world.openBackends(balancer, { backend }).map((opened) => ({ ...opened, destination, origin }));
}

function usedAt(states: readonly ExportedState[], given: BalancerConfig): readonly string[] {
  const used = states.flatMap(({ balancers }) =>
    balancers.flatMap(({ balancer, backend }) =>
      socketsOf(balancer).some((socket) => socketsOf(given).includes(socket)) ? [backend] : [],
    ),
  );
  return [...new Set(used)];
}

function isReading(answer: unknown): answer is BackendReading {
  return typeof answer === 'object' && answer !== null && 'servers' in answer;
}

export function givenBalancers({ haproxy = [], embedded }: Given): readonly BalancerConfig[] {
  if (haproxy.length > 0)
    return haproxy.map((socket) => ({ kind: 'haproxy', name: socket, sockets: [socket], configFile: null }));
  return [{ kind: 'embedded', name: 'embedded', listen: '', socket: embedded ?? '', carries: 'origin' }];
}

/**
 * A rollout of this directory that uses what was named: its controller shall not go forward again. Where nobody could read whether a
 * backend has such servers, what the rollout found there tells.
 */
export function isUsed(
  { balancers, completed, asFound }: ExportedState,
  given: BalancerConfig,
  { backends, unreadBackends }: Found,
  glob: string,
): boolean {
  if (completed) return false;
  const sockets = socketsOf(given);
  // Servers that came since are found in none of its readings: its own glob tells of them.
  const isMeant =
    balancers.some(({ destination }) => destination === glob) ||
    Object.values(asFound).some((servers) =>
      Object.entries(servers).some(([name, { side }]) => side === 'destination' && matchesGlob(glob, name)),
    );
  return balancers.some(
    ({ balancer, backend }) =>
      socketsOf(balancer).some((socket) => sockets.includes(socket)) &&
      (backends.includes(backend) || (isMeant && (unreadBackends?.includes(backend) ?? true))),
  );
}

function socketsOf(balancer: BalancerConfig): readonly string[] {
  return balancer.kind === 'haproxy' ? balancer.sockets : [balancer.socket];
}
