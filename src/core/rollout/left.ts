import type { BackendReading } from '../observed/backend.ts';
import { aloneAt, mayCarry } from './alone.ts';
import type { AsFound } from './events.ts';
import type { Observation } from './observation.ts';
import { carriesNow, othersOf, type Side, serversOf } from './servers.ts';
import type { RolloutState } from './state.ts';

type Rollout = Pick<RolloutState, 'plan' | 'asFound' | 'byHand' | 'back' | 'stage'>;
type Seen = Pick<Observation, 'backends' | 'origin' | 'destination'>;

/** Backends whose traffic nobody carries, a sentence each: no server of any group that has a weight there may carry it. */
export function unserved(state: Rollout, observation: Seen): string[] {
  const alone = aloneAt(state, observation);
  return unservedAt(state, observation).map(({ backend, strangers }) => {
    if (strangers.length > 0)
      return `${backend}: somebody else answers at ${strangers.join(', ')}: whether its traffic is carried is not known`;
    if (alone.includes(backend)) return `no origin server is up at ${backend}: nobody carries its traffic`;
    return `no server that has a weight is up at ${backend}: nobody carries its traffic${givingWords(state)}`;
  });
}

/** The origin is up, and waits there without a weight. */
function givingWords({ back, stage }: Rollout): string {
  if (stage.kind === 'rolled-back') return '';
  return `; \`drover back${back === null ? '' : ' --all'}\` gives it to the origin`;
}

/** `strangers`: servers that the balancer sends its traffic to, and that are none of ours by another word than its own. */
export function unservedAt(
  { plan: { backends } }: Pick<RolloutState, 'plan'>,
  observation: Seen,
): { readonly backend: string; readonly strangers: readonly string[] }[] {
  return backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const isCarriedBy = (side: Side) =>
      serversOf(plan, reading.value, side).some((server) => mayCarry(server, server.weight, observation[side].reading));
    const isOther = othersOf(plan, reading.value.servers).some(carriesNow);
    if (isCarriedBy('origin') || isCarriedBy('destination') || isOther) return [];
    const strangers = reading.value.servers.filter((server) => carriesNow(server) && server.health === 'up');
    return [{ backend: plan.id, strangers: strangers.map(({ name }) => name) }];
  });
}

/** What a way back has left: nobody to carry the traffic, servers that somebody has changed since. Empty: everything is as it was found. */
export function leftAfterBack(state: Rollout, observation: Seen): string[] {
  const changed = state.plan.backends.flatMap(({ id }) => {
    const reading = observation.backends[id]?.reading;
    return reading?.known ? notAsFound(id, state.asFound.backends[id] ?? {}, reading.value) : [];
  });
  return [...changed, ...unserved(state, observation)];
}

/** Servers of both groups whose state or weight is another one than was found: what Drover wrote it has written back. */
function notAsFound(id: string, found: AsFound['backends'][string], { servers }: BackendReading): string[] {
  const now = new Map(servers.map((server) => [server.name, server]));
  return Object.entries(found).flatMap(([name, was]) => {
    const server = now.get(name);
    if (server === undefined) return [`${id}: ${name} was found, and is gone`];
    const changes: string[] = [];
    if (server.admin !== was.admin)
      changes.push(`is ${stateWords[server.admin]}, and was found ${stateWords[was.admin]}`);
    if (server.weight !== was.weight) changes.push(`has weight ${server.weight}, and was found with ${was.weight}`);
    return changes.map((change) => `${id}: ${name} ${change}`);
  });
}

const stateWords = { ready: 'ready', drain: 'in drain', maint: 'in maint' } as const;
