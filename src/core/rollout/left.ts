import type { BackendReading } from '../observed/backend.ts';
import { aloneAt, mayCarry } from './alone.ts';
import type { AsFound } from './events.ts';
import type { Observation } from './observation.ts';
import { carriesNow, othersOf, type Side, serversOf } from './servers.ts';
import type { RolloutState } from './state.ts';

type Rollout = Pick<RolloutState, 'plan' | 'asFound' | 'byHand'>;
type Seen = Pick<Observation, 'backends' | 'origin' | 'destination'>;

/** Backends whose traffic nobody carries, a sentence each: no server of any group that has a weight there may carry it. */
export function unserved(state: Rollout, observation: Seen): string[] {
  const alone = aloneAt(state, observation);
  return state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const isCarriedBy = (side: Side) =>
      serversOf(plan, reading.value, side).some((server) => mayCarry(server, server.weight, observation[side].reading));
    const isOther = othersOf(plan, reading.value.servers).some(carriesNow);
    if (isCarriedBy('origin') || isCarriedBy('destination') || isOther) return [];
    // By another word than the balancer's they are none of ours, and it sends them traffic all the same.
    const strangers = reading.value.servers.filter((server) => carriesNow(server) && server.health === 'up');
    if (strangers.length > 0) {
      const names = strangers.map(({ name }) => name).join(', ');
      return [`${plan.id}: somebody else answers at ${names}: whether its traffic is carried is not known`];
    }
    const who = alone.includes(plan.id) ? 'no origin server is up' : 'no server that has a weight is up';
    return [`${who} at ${plan.id}: nobody carries its traffic`];
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
