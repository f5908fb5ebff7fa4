import { matchesGlob } from '../../core/fleet/glob.ts';
import type { BackendReading, ServerReading } from '../../core/observed/backend.ts';
import { unknown } from '../../core/observed/reading.ts';
import { aloneWords, mayCarry } from '../../core/rollout/alone.ts';
import type { Backend } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';

/** One backend of one balancer process that gives its traffic back to the origin, without a journal. */
export type OfflineTarget = {
  readonly id: string;
  readonly backend: Backend;
  readonly destination: string;
  readonly origin: Origin;
};

/** `found`: the weights that the rollout found; servers that came since are the origin's by its glob. `glob`: nobody knows them, so the configured ones count; null: all other servers. */
type Origin =
  | { readonly kind: 'found'; readonly weights: Readonly<Record<string, number>>; readonly glob: string | null }
  | { readonly kind: 'glob'; readonly glob: string | null };

/** Deadline of one attempt, and how long a balancer that does not answer is tried again. */
const callMs = 3000;
const tryMsMax = 12_000;
const pauseMs = 500;
/** For servers that are named as the origin but stand with weight 0 in the configuration. */
const weightOtherwise = 100;

/** What still stands, with its reason. `isFinal`: the same command would not do better. */
export type Left = { readonly line: string; readonly isFinal: boolean };

/** All at once, none waiting for another. Answers with what still stands. `all`: also where no server of the origin is up. */
export async function takeBackAll(context: Context, targets: readonly OfflineTarget[], all: boolean): Promise<Left[]> {
  const outcomes = await Promise.all(targets.map((target) => persistently(context, target, all)));
  return outcomes.filter((outcome) => outcome !== null);
}

async function persistently(context: Context, target: OfflineTarget, all: boolean): Promise<Left | null> {
  const endsAt = context.clock.monotonic() + tryMsMax;
  for (let tries = 1; ; tries++) {
    try {
      const { count, origin } = await takeBack(target, all);
      context.stdout.write(`${target.id}: ${count} destination servers are in maint; ${originWords[origin]}\n`);
      return null;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof CliError || context.clock.monotonic() > endsAt)
        return { line: `${target.id}: ${why}`, isFinal: error instanceof OtherCommand };
      if (tries === 1)
        context.stderr.write(`${target.id}: ${why} (trying again for ${Math.round(tryMsMax / 1000)} s)\n`);
    }
    await context.clock.sleep(pauseMs, new AbortController().signal);
  }
}

/** It has to name other servers. */
class OtherCommand extends CliError {}

const originWords = {
  up: 'the origin carries everything',
  down: 'no origin server is up, so nobody carries anything',
  untold: 'the balancer does not tell whether the origin is up',
} as const;
type OriginHealth = keyof typeof originWords;

/** Answers with the number of servers that are in maint. Throws PortError, or CliError where trying again does not help. */
async function takeBack(
  { id, backend, destination: glob, origin }: OfflineTarget,
  all: boolean,
): Promise<{ readonly count: number; readonly origin: OriginHealth }> {
  const signal = AbortSignal.timeout(callMs);
  const reading = await backend.read(signal);
  const destination = reading.servers.filter((server) => matchesGlob(glob, server.name));
  if (destination.length === 0) throw new OtherCommand(`no server matches "${glob}"`);
  const others = reading.servers.filter((server) => !destination.includes(server));
  const weights = weightsOf(others, origin);
  if (!others.some((server) => server.admin === 'ready' && (weights[server.name] ?? server.weight) > 0))
    throw new OtherCommand(nobodyLeft);
  if (!all && healthOf(others, weights, origin) === 'down')
    throw new CliError(`${aloneWords(id)}; --all takes it anyway`);
  const changed = others.filter(({ name, weight }) => weights[name] !== undefined && weights[name] !== weight);
  if (changed.length > 0)
    await backend.setWeights(Object.fromEntries(changed.map(({ name }) => [name, weights[name] ?? 0])), signal);
  await backend.setStates(Object.fromEntries(destination.map(({ name }) => [name, 'maint' as const])), signal);
  // As a rollout finds them: whoever wakes them later gives them no traffic by that.
  await backend.setWeights(Object.fromEntries(destination.map(({ name }) => [name, 0])), signal);
  const after = await backend.read(signal);
  expectBack(after, destination, weights);
  const left = after.servers.filter(({ name }) => others.some((other) => other.name === name));
  return { count: destination.length, origin: healthOf(left, weights, origin) };
}

/** `down` only where the balancer says so of every server that has a weight. */
function healthOf(
  others: readonly ServerReading[],
  weights: Readonly<Record<string, number>>,
  origin: Origin,
): OriginHealth {
  const carrying = others.filter(
    (server) =>
      isOrigin(server, origin) &&
      mayCarry(server, weights[server.name] ?? server.weight, unknown('no provider was asked')),
  );
  if (carrying.length === 0) return 'down';
  return carrying.some(({ health }) => health === 'up') ? 'up' : 'untold';
}

function isOrigin({ name }: ServerReading, origin: Origin): boolean {
  if (origin.kind === 'glob') return matchesGlob(origin.glob ?? '*', name);
  return origin.weights[name] !== undefined || (origin.glob !== null && matchesGlob(origin.glob, name));
}

const nobodyLeft =
  'no other server has a weight, so nothing would carry the traffic: name the origin with --origin GLOB, and its servers get weights';

/** Only what the rollout may have lowered: a weight that nobody knows stays as it is. */
function weightsOf(others: readonly ServerReading[], origin: Origin): Record<string, number> {
  if (origin.kind === 'found') return { ...origin.weights };
  const weights: Record<string, number> = {};
  for (const { name, weight, configuredWeight } of others) {
    if (weight > 0 || (origin.glob !== null && !matchesGlob(origin.glob, name))) continue;
    if (configuredWeight > 0) weights[name] = configuredWeight;
    else if (origin.glob !== null) weights[name] = weightOtherwise;
  }
  return weights;
}

function expectBack(
  { servers }: BackendReading,
  destination: readonly ServerReading[],
  weights: Readonly<Record<string, number>>,
): void {
  const isLeft = (server: ServerReading) =>
    destination.some(({ name }) => name === server.name)
      ? server.admin !== 'maint' || server.weight !== 0
      : (weights[server.name] ?? server.weight) !== server.weight;
  const left = servers.filter(isLeft);
  if (left.length > 0) throw new Error(`${left.map(({ name }) => name).join(', ')} are not as they were written`);
}
