import type { BalancerConfig } from '../../core/fleet/config.ts';
import { matchesGlob } from '../../core/fleet/glob.ts';
import type { Place } from '../command-at.ts';
import { CliError, type Context } from '../context.ts';
import { sayOnSignal } from '../controller/signals.ts';
import { afterwards, type Told } from './afterwards.ts';
import { type ExportedState, exportedStates } from './exported-state.ts';
import { type Left, type OfflineTarget, takeBackAll } from './offline-target.ts';

export type OfflineOptions = {
  readonly all?: true;
  /** Each runtime socket is a process of its own. */
  readonly haproxy?: readonly string[];
  readonly embedded?: string;
  readonly backend?: string;
  readonly destination?: string;
  readonly origin?: string;
  readonly reason?: string;
};

const callMs = 3000;

/**
 * The way back without journal, controller or configuration: the origin gets its weights, the destination goes into maint,
 * on every balancer that can be reached. The marker tells controllers that come back. Exit 2: it is back; 1: something stands.
 */
export async function backOffline(
  context: Context,
  options: OfflineOptions & Place,
  name: string | undefined,
  stateDirectory: string,
): Promise<void> {
  sayOnSignal('the way back was begun at the balancers, and not seen to end: run the same command again');
  const given = options.haproxy !== undefined || options.embedded !== undefined;
  if (given && name !== undefined)
    throw new CliError(
      `"${name}" would be a rollout, and a balancer is named: nothing was done`,
      'leave it out; another HAProxy process is named by --haproxy once more',
    );
  if (options.haproxy !== undefined && options.embedded !== undefined)
    throw new CliError(
      '--haproxy and --embedded name different balancers, and nothing was done',
      'take one after the other',
    );
  const { targets, rollouts, unasked } = given
    ? await givenTargets(context, options, stateDirectory)
    : { ...(await exportedTargets(context, name, stateDirectory, options.reason)), unasked: [] };
  const left = [...unasked, ...(await takeBackAll(context, targets, options.all === true))];
  context.setExitCode(left.length > 0 ? 1 : 2);
  if (left.length > 0) {
    const again = left.every(({ isFinal }) => isFinal) ? '' : '  run the same command again\n';
    const all = targets.length + unasked.length;
    context.stderr.write(
      `drover: still standing after ${all - left.length} of ${all} were taken back:\n${left.map(({ line }) => `  ${line}\n`).join('')}${markedLines(rollouts)}${again}`,
    );
    return;
  }
  const lines = await afterwards(context, options, rollouts, stateDirectory);
  context.stdout.write(`the traffic is back. ${lines.join('\n')}\n`);
}

/** What goes on by itself after a way back that is not whole. */
function markedLines(rollouts: readonly Told[]): string {
  const marked = rollouts.filter(({ isMarked }) => isMarked);
  return marked
    .map(
      ({ exported: { operation } }) =>
        `  the back marker of ${operation} stands: its controller, if one lives or comes back, goes on with the way back\n`,
    )
    .join('');
}

type Targets = { readonly targets: readonly OfflineTarget[]; readonly rollouts: readonly Told[] };

/** `unasked`: balancers that did not tell their backends, which holds up none of the others. */
async function givenTargets(
  context: Context,
  options: OfflineOptions,
  stateDirectory: string,
): Promise<Targets & { readonly unasked: readonly Left[] }> {
  const { destination } = options;
  if (destination === undefined) throw new CliError('--destination GLOB is needed: which servers are to be taken back');
  const given = givenBalancers(options);
  const found = await Promise.allSettled(given.map((balancer) => targetsAt(context, balancer, options, destination)));
  const targets = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const unasked = found.flatMap((one, index) => {
    if (one.status === 'fulfilled') return [];
    const why = one.reason instanceof Error ? one.reason.message : String(one.reason);
    return [{ line: `${given[index]?.name}: ${why}`, isFinal: false }];
  });
  const [failed] = found.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (targets.length === 0 && unasked.length === given.length && given.length === 1) throw failed;
  if (targets.length === 0 && unasked.length === 0)
    throw new CliError(`no backend has a server that matches "${destination}"`);
  const rollouts = await markUsersOf(context, targets, stateDirectory, options.reason);
  return { targets, rollouts, unasked };
}

type GivenTarget = OfflineTarget & { readonly balancer: BalancerConfig; readonly name: string };

async function targetsAt(
  context: Context,
  balancer: BalancerConfig,
  { backend, origin }: OfflineOptions,
  destination: string,
): Promise<readonly GivenTarget[]> {
  const names =
    backend === undefined ? await context.world.listBackends(balancer, AbortSignal.timeout(callMs)) : [backend];
  const targets: GivenTarget[] = [];
  for (const name of names) {
    for (const opened of context.world.openBackends(balancer, { backend: name })) {
      const reading = backend === undefined ? await opened.backend.read(AbortSignal.timeout(callMs)) : null;
      const matches = reading === null || reading.servers.some((server) => matchesGlob(destination, server.name));
      if (matches)
        targets.push({ ...opened, destination, origin: { kind: 'glob', glob: origin ?? null }, balancer, name });
    }
  }
  return targets;
}

function givenBalancers({ haproxy = [], embedded }: OfflineOptions): readonly BalancerConfig[] {
  if (haproxy.length > 0)
    return haproxy.map((socket) => ({ kind: 'haproxy', name: socket, sockets: [socket], configFile: null }));
  return [{ kind: 'embedded', name: 'embedded', listen: '', socket: embedded ?? '', carries: 'origin' }];
}

/** Rollouts of this directory that use these backends of the balancers which were named: their controllers shall not go forward again. */
async function markUsersOf(
  context: Context,
  targets: readonly GivenTarget[],
  stateDirectory: string,
  reason: string | undefined,
): Promise<Told[]> {
  const told: Told[] = [];
  const isMeant = (balancer: BalancerConfig, backend: string) =>
    targets.some(
      (one) => one.name === backend && socketsOf(one.balancer).some((socket) => socketsOf(balancer).includes(socket)),
    );
  const { states } = await exportedStates(stateDirectory);
  for (const state of states) {
    const uses = state.balancers.some((one) => isMeant(one.balancer, one.backend));
    if (!uses || state.completed) continue;
    told.push({ exported: state, isMarked: await mark(context, state, stateDirectory, reason) });
  }
  return told;
}

function socketsOf(balancer: BalancerConfig): readonly string[] {
  return balancer.kind === 'haproxy' ? balancer.sockets : [balancer.socket];
}

/** A disk that takes no marker must not stop the way back: false, and it is said. One that is there stays, with its time and reason. */
async function mark(
  context: Context,
  state: ExportedState,
  stateDirectory: string,
  reason: string | undefined,
): Promise<boolean> {
  try {
    const marker = context.world.openMarker(stateDirectory);
    const first = await marker.read(state.operation).catch(() => null);
    await marker.write(state.operation, `${context.user}, offline${reason === undefined ? '' : `: ${reason}`}`);
    if (first !== null)
      context.stderr.write(
        `drover: ${state.operation} was taken back before, which is what will be written down: ${first}\n`,
      );
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    context.stderr.write(
      `drover: the back marker of ${state.operation} could not be written (${why}): a controller that comes back is told by the servers in maint only\n`,
    );
    return false;
  }
}

/** What the rollout exported before its first change. */
async function exportedTargets(
  context: Context,
  name: string | undefined,
  stateDirectory: string,
  reason: string | undefined,
): Promise<Targets> {
  const { states, problems } = await exportedStates(stateDirectory);
  for (const problem of problems) context.stderr.write(`drover: ${problem}\n`);
  const chosen = chooseExported(states, name, stateDirectory);
  const isMarked = await mark(context, chosen, stateDirectory, reason);
  const targets = chosen.balancers.flatMap(({ balancer, backend, origin = null, destination }) =>
    context.world.openBackends(balancer, { backend }).map(({ id, backend: opened }) => ({
      ...{ id, backend: opened, destination },
      origin: originOf(chosen.asFound[id], origin),
    })),
  );
  if (targets.length === 0) throw new CliError(`the exported state of ${chosen.operation} names no balancer`, nameIt);
  return { targets, rollouts: [{ exported: chosen, isMarked }] };
}

function chooseExported(
  states: readonly ExportedState[],
  name: string | undefined,
  stateDirectory: string,
): ExportedState {
  const open = states.filter((state) => !state.completed);
  const candidates =
    name === undefined
      ? open.length > 0
        ? open
        : states.slice(-1)
      : states.filter((state) => state.operation === name || state.service === name).slice(-1);
  const [state, other] = candidates;
  if (state !== undefined && other === undefined) return state;
  const names = states.map(({ operation, completed }) => `${operation}${completed ? ' (completed)' : ''}`).join(', ');
  throw new CliError(
    `${other === undefined ? 'no' : 'more than one'} exported rollout in ${stateDirectory} to take back${names === '' ? '' : `; it has ${names}`}`,
    nameIt,
  );
}

const nameIt =
  'name the rollout, or the balancer: drover back --offline --haproxy SOCKET --destination GLOB --origin GLOB';

/** A backend that the rollout did not find is one of which nobody knows the weights. */
function originOf(found: ExportedState['asFound'][string] | undefined, glob: string | null): OfflineTarget['origin'] {
  if (found === undefined) return { kind: 'glob', glob };
  const weights: Record<string, number> = {};
  for (const [name, { side, weight, admin }] of Object.entries(found))
    if (side === 'origin' && admin === 'ready') weights[name] = weight;
  return { kind: 'found', weights, glob };
}
