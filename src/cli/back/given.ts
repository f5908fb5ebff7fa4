import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isAddress } from '../../config/names.ts';
import type { BalancerConfig } from '../../core/fleet/config.ts';
import { matchesGlob } from '../../core/fleet/glob.ts';
import type { BackendReading } from '../../core/observed/backend.ts';
import type { Context } from '../context.ts';
import type { ExportedState } from './exported-state.ts';
import type { Left, OfflineTarget } from './offline-target.ts';

const callMs = 3000;
const usedAtATime = 4;
/** So few that what is taken back meanwhile finds the balancer free. */
const othersAtATime = 2;

/** Balancers and servers that are named on the command line. */
export type Given = {
  /** Each runtime socket is a process of its own. */
  readonly haproxy?: readonly string[];
  readonly embedded?: string;
  readonly backend?: string;
  readonly origin?: string;
};

/** What was found of one backend. */
export type Found = {
  /** null: the balancer does not tell which it has. */
  readonly backend: string | null;
  /** Empty where it has no such servers, or was not read. */
  readonly targets: readonly OfflineTarget[];
  /** Nobody knows whether it has such servers. */
  readonly unread: Left | null;
};

type Meant = { readonly balancer: BalancerConfig; readonly options: Given; readonly destination: string };

/**
 * Hands over each backend as soon as it was read, so that none waits for another that is slow or silent: those that rollouts of this
 * directory use at once, unfinished ones first, and the others when the balancer has told which it has. One that is named is not asked
 * whether it has such servers: that is tried again and again.
 */
export async function atEachBackend<T>(
  context: Context,
  meant: Meant,
  states: readonly ExportedState[],
  act: (found: Found) => Promise<T>,
): Promise<readonly T[]> {
  const { backend } = meant.options;
  if (backend !== undefined) return [await act({ backend, targets: openedOf(context, meant, backend), unread: null })];
  const used = await usedAt(context, states, meant.balancer);
  const listed = listOf(context, meant.balancer, used);
  const first = turnsOf(usedAtATime);
  const known = used.map(async (name) => {
    const found = await first(() => readOf(context, meant, name));
    const names = found.unread === null ? null : await listed;
    // What a rollout used once may be gone since.
    return Array.isArray(names) && !names.includes(name) ? [] : [await act(found)];
  });
  const names = await listed;
  if (names instanceof Error) {
    const unread = { line: `${meant.balancer.name}: ${names.message}`, isFinal: false };
    return [await act({ backend: null, targets: [], unread }), ...(await Promise.all(known)).flat()];
  }
  const then = turnsOf(othersAtATime);
  const others = names
    .filter((name) => !used.includes(name))
    .map(async (name) => await act(await then(() => readOf(context, meant, name))));
  return [...(await Promise.all(known)).flat(), ...(await Promise.all(others))];
}

/** Which backends it has, or why it does not tell. An embedded balancer never does. */
async function listOf(
  context: Context,
  balancer: BalancerConfig,
  used: readonly string[],
): Promise<readonly string[] | Error> {
  if (balancer.kind === 'embedded' && used.length > 0) return used;
  return await context.world
    .listBackends(balancer, AbortSignal.timeout(callMs))
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
}

async function readOf(context: Context, meant: Meant, backend: string): Promise<Found> {
  const targets: OfflineTarget[] = [];
  for (const target of openedOf(context, meant, backend)) {
    const answer = await target.backend.read(AbortSignal.timeout(callMs)).catch((error: unknown) => error);
    if (!isReading(answer)) {
      const why = answer instanceof Error ? answer.message : String(answer);
      return { backend, targets: [], unread: { line: `${target.id}: ${why}`, isFinal: false } };
    }
    if (answer.servers.some((server) => matchesGlob(meant.destination, server.name))) targets.push(target);
  }
  return { backend, targets, unread: null };
}

/** Some at a time: asked all at once, a balancer with many backends would answer the last ones too late. */
function turnsOf(atATime: number): <T>(act: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = atATime;
  return async (act) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

function openedOf(context: Context, { balancer, options, destination }: Meant, backend: string): OfflineTarget[] {
  const origin: OfflineTarget['origin'] = { kind: 'glob', glob: options.origin ?? null };
  return context.world.openBackends(balancer, { backend }).map((opened) => ({ ...opened, destination, origin }));
}

/** Those of unfinished rollouts first. */
async function usedAt(
  { directory }: Context,
  states: readonly ExportedState[],
  given: BalancerConfig,
): Promise<readonly string[]> {
  const inOrder = [...states.filter(({ completed }) => !completed), ...states.filter(({ completed }) => completed)];
  const used: string[] = [];
  for (const { balancer, backend } of inOrder.flatMap(({ balancers }) => balancers))
    if (await isSame(balancer, given, directory)) used.push(backend);
  return [...new Set(used)];
}

function isReading(answer: unknown): answer is BackendReading {
  return typeof answer === 'object' && answer !== null && 'servers' in answer;
}

/** Sockets as they were typed: a path may be too long when it is written out. */
export function givenBalancers({ haproxy = [], embedded }: Given): readonly BalancerConfig[] {
  if (haproxy.length > 0)
    return haproxy.map((socket) => ({ kind: 'haproxy', name: socket, sockets: [socket], configFile: null }));
  return [{ kind: 'embedded', name: 'embedded', listen: '', socket: embedded ?? '', carries: 'origin' }];
}

/**
 * A rollout of this directory that uses what was named: its controller shall not go forward again. Where nobody could read whether a
 * backend has such servers, what the rollout found there tells.
 */
export async function isUsed(
  { directory }: Context,
  { balancers, completed, asFound }: ExportedState,
  given: BalancerConfig,
  found: Found,
  glob: string,
): Promise<boolean> {
  if (completed || (found.unread === null && found.targets.length === 0)) return false;
  // Servers that came since are found in none of its readings: its own glob tells of them.
  const isMeant =
    found.unread === null ||
    balancers.some(({ destination }) => destination === glob) ||
    Object.values(asFound).some((servers) =>
      Object.entries(servers).some(([name, { side }]) => side === 'destination' && matchesGlob(glob, name)),
    );
  if (!isMeant) return false;
  for (const { balancer, backend } of balancers)
    if (backend === found.backend && (await isSame(balancer, given, directory))) return true;
  return false;
}

/** One process at least is the same, however its socket is spelled. `directory`: what paths are relative to. */
async function isSame(one: BalancerConfig, other: BalancerConfig, directory: string): Promise<boolean> {
  const places = (each: BalancerConfig) => Promise.all(socketsOf(each).map((socket) => placeOf(socket, directory)));
  const [sockets, others] = await Promise.all([places(one), places(other)]);
  return sockets.some((socket) => others.includes(socket));
}

/** Through links, as from `/var/run` to `/run`; also where nobody listens any more. */
async function placeOf(socket: string, directory: string): Promise<string> {
  if (isAddress(socket)) return socket.replace(/^localhost:/, '127.0.0.1:');
  const path = resolve(directory, socket);
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return await realpath(path).catch(() => join(folder, basename(path)));
}

function socketsOf(balancer: BalancerConfig): readonly string[] {
  return balancer.kind === 'haproxy' ? balancer.sockets : [balancer.socket];
}
