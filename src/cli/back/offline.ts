import type { BalancerConfig } from '../../core/fleet/config.ts';
import type { Place } from '../command-at.ts';
import { CliError, type Context } from '../context.ts';
import { sayOnSignal } from '../controller/signals.ts';
import { afterwards, type Told } from './afterwards.ts';
import { type ExportedState, exportedStates } from './exported-state.ts';
import { atEachBackend, type Found, type Given, givenBalancers, isUsed } from './given.ts';
import { type Left, type OfflineTarget, takeBackAll } from './offline-target.ts';

export type OfflineOptions = Given & {
  readonly all?: true;
  readonly destination?: string;
  readonly reason?: string;
};

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
  const { count, left, rollouts } = given
    ? await takeGiven(context, options, stateDirectory)
    : await takeExported(context, name, stateDirectory, options);
  context.setExitCode(left.length > 0 ? 1 : 2);
  if (left.length > 0) {
    const again = left.every(({ isFinal }) => isFinal) ? '' : '  run the same command again\n';
    context.stderr.write(
      `drover: still standing after ${count - left.length} of ${count} were taken back:\n${left.map(({ line }) => `  ${line}\n`).join('')}${markedLines(rollouts)}${again}`,
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

/** `count`: backends that were asked for, of which `left` still stand. */
type Taken = { readonly count: number; readonly left: readonly Left[]; readonly rollouts: readonly Told[] };

/** Each backend is asked, marked and taken back by itself: one that is slow or silent holds up none of the others. */
async function takeGiven(context: Context, options: OfflineOptions, stateDirectory: string): Promise<Taken> {
  const { destination } = options;
  if (destination === undefined) throw new CliError('--destination GLOB is needed: which servers are to be taken back');
  const balancers = givenBalancers(options);
  const { states } = await exportedStates(stateDirectory);
  const marks = new Map<ExportedState, Promise<boolean>>();
  const take = async (balancer: BalancerConfig, found: Found) => {
    for (const state of states)
      if (await isUsed(context, state, balancer, found, destination)) {
        const marked = marks.get(state) ?? mark(context, state, stateDirectory, options.reason);
        marks.set(state, marked);
        await marked;
      }
    const unread = found.unread === null ? [] : [found.unread];
    const left = [...unread, ...(await takeBackAll(context, found.targets, options.all === true))];
    return { count: found.targets.length + unread.length, left };
  };
  const parts = await Promise.all(
    balancers.map(async (balancer) => {
      const meant = { balancer, options, destination };
      const rows = await atEachBackend(context, meant, states, async (found) => await take(balancer, found));
      return { count: rows.reduce((sum, { count }) => sum + count, 0), left: rows.flatMap(({ left }) => left) };
    }),
  );
  const none = `no backend has a server that matches "${destination}"`;
  if (parts.every(({ count }) => count === 0)) throw new CliError(none);
  const left = parts.flatMap((part, index) =>
    part.count === 0 ? [{ line: `${balancers[index]?.name}: ${none}`, isFinal: true }] : part.left,
  );
  const told = [...marks].map(async ([exported, isMarked]) => ({ exported, isMarked: await isMarked }));
  return {
    count: parts.reduce((sum, { count }) => sum + Math.max(1, count), 0),
    left,
    rollouts: await Promise.all(told),
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
    const why = messageOf(error);
    context.stderr.write(
      `drover: the back marker of ${state.operation} could not be written (${why}): a controller that comes back is told by the servers in maint only\n`,
    );
    return false;
  }
}

/** What the rollout exported before its first change. */
async function takeExported(
  context: Context,
  name: string | undefined,
  stateDirectory: string,
  { reason, all }: OfflineOptions,
): Promise<Taken> {
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
  const left = await takeBackAll(context, targets, all === true);
  return { count: targets.length, left, rollouts: [{ exported: chosen, isMarked }] };
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
