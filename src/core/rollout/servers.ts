import { matchesGlob } from '../fleet/glob.ts';
import type { BackendReading, ServerReading } from '../observed/backend.ts';
import type { GroupReading, InstanceReading } from '../observed/group.ts';
import { instancesAt, knowsAllOf } from '../observed/instances.ts';
import { known, type Reading, unknown } from '../observed/reading.ts';
import type { AsFound } from './events.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import type { RolloutState } from './state.ts';

export type Side = 'origin' | 'destination';

/** Whose server it is; null: neither group's, never touched, never counted. Both globs matching is refused by `check`. */
export function sideOf(plan: BackendPlan, server: string): Side | null {
  if (matchesGlob(plan.origin, server)) return 'origin';
  return matchesGlob(plan.destination, server) ? 'destination' : null;
}

export function serversOf(plan: BackendPlan, reading: BackendReading, side: Side): ServerReading[] {
  return reading.servers.filter((server) => sideOf(plan, server.name) === side);
}

/** Names of the servers of a side of which it holds at every backend that has them. Unknown while any backend cannot be read. */
export function holdingEverywhere(
  plans: readonly BackendPlan[],
  backends: Observation['backends'],
  side: Side,
  holds: (server: ServerReading, plan: BackendPlan) => boolean,
): Reading<readonly string[]> {
  const found = new Map<string, boolean>();
  for (const plan of plans) {
    const reading = backends[plan.id]?.reading;
    if (!reading?.known) return unknown(`${plan.id} cannot be read${reading === undefined ? '' : `: ${reading.why}`}`);
    for (const server of serversOf(plan, reading.value, side))
      found.set(server.name, (found.get(server.name) ?? true) && holds(server, plan));
  }
  return known([...found.keys()].filter((name) => found.get(name)));
}

/** Servers of neither group: left out of every count and never written, so they are named. */
export function othersOf(plan: BackendPlan, servers: readonly ServerReading[]): ServerReading[] {
  return servers.filter((server) => sideOf(plan, server.name) === null);
}

/** Servers that were in maint or drain when the operation began, or were put aside since, belong to whoever did that. */
export function isOurs(state: Pick<RolloutState, 'asFound' | 'byHand'>, backend: string, server: string): boolean {
  return wasFoundReady(state.asFound, backend, server) && state.byHand[backend]?.[server]?.aside !== true;
}

/** Its balancer gives it requests: it has a weight, nobody has put it aside, and its check is not known to fail. */
export function carriesNow({ weight, admin, health }: ServerReading): boolean {
  return weight > 0 && admin === 'ready' && health !== 'down';
}

/** Also of those that were not there yet. */
export function wasFoundReady(asFound: AsFound, backend: string, server: string): boolean {
  const found = asFound.backends[backend]?.[server];
  return found === undefined || found.admin === 'ready';
}

/**
 * Whether a server can carry traffic, by the balancer's check or, where the balancer has none, by the provider's. A check that
 * passes where no instance runs was answered by somebody else's process: that is nobody to send users to.
 * The administrative state is not looked at: maint takes traffic away, not the ability to carry it.
 */
export function isAble(server: ServerReading, group: Reading<GroupReading>): boolean {
  const word = providersWord(server.name, group);
  if (server.health === 'up') return word !== 'none' && word !== 'starting' && word !== 'crash-looping';
  if (server.health !== 'unchecked' || !group.known) return false;
  return instancesAt(group.value, server.name).some(({ state }) => state === 'healthy');
}

/** What a provider that starts the instances itself says of this server's; `none`: there is none. null: it need not know. */
function providersWord(server: string, group: Reading<GroupReading>): InstanceReading['state'] | 'none' | null {
  if (!group.known || !knowsAllOf(group.value)) return null;
  return instancesAt(group.value, server)[0]?.state ?? 'none';
}

/**
 * Whether a server is known not to carry traffic, which is more than that nobody knows: one that is not checked and whose
 * provider tells nothing of it is neither able nor unable, and no more is one that passes its check while its instance starts.
 */
export function isUnable(
  { name, health }: Pick<ServerReading, 'name' | 'health'>,
  group: Reading<GroupReading>,
): boolean {
  if (health === 'down') return true;
  if (health === 'up') {
    const word = providersWord(name, group);
    return word === 'none' || word === 'crash-looping';
  }
  if (health !== 'unchecked' || !group.known) return false;
  const [instance] = instancesAt(group.value, name);
  return instance === undefined ? knowsAllOf(group.value) : instance.state !== 'healthy';
}

/**
 * Origin servers, as `server at backend`, that were in maint or drain when the operation began and carry traffic now: a reload
 * wakes them, and they are not this operation's to write.
 */
export function wokenAtOrigin(
  { asFound, plan: { backends } }: Pick<RolloutState, 'asFound' | 'plan'>,
  observation: Pick<Observation, 'backends'>,
): string[] {
  return backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const servers = serversOf(plan, reading.value, 'origin').filter(
      ({ name }) => !wasFoundReady(asFound, plan.id, name),
    );
    return servers.filter(carriesNow).map((server) => `${server.name} at ${plan.id}`);
  });
}

/** An instance that the provider is taking away can no longer be counted on, whatever its check still says. */
export function isLeaving(server: string, group: Reading<GroupReading>): boolean {
  return group.known && instancesAt(group.value, server).some(leaves);
}

function leaves(instance: InstanceReading): boolean {
  return instance.state === 'stopping';
}

/**
 * Instances that are on their way out: whoever ends them may need this controller to live on. Waited for as long as a group
 * may take to settle, and not longer: one that cannot be ended must not keep an operation from ending.
 */
export function isStillStopping(
  state: Pick<RolloutState, 'stageSinceMs' | 'plan'>,
  observation: Pick<Observation, 'nowMs' | 'origin' | 'destination'>,
): boolean {
  if (observation.nowMs - state.stageSinceMs >= state.plan.policy.settleMsMax) return false;
  return [observation.origin.reading, observation.destination.reading].some(
    (group) => group.known && group.value.instances.some(leaves),
  );
}
