import type { BackendReading, ServerReading } from '../observed/backend.ts';
import type { GroupReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';
import { aloneAt, mayCarry } from './alone.ts';
import type { AsFound } from './events.ts';
import type { Observation } from './observation.ts';
import { othersOf, serversOf } from './servers.ts';
import type { RolloutState } from './state.ts';

type Rollout = Pick<RolloutState, 'plan' | 'asFound'>;
type Seen = Pick<Observation, 'backends' | 'origin' | 'destination'>;

/** Backends whose traffic nobody carries, a sentence each: no server of the origin is up there, and none of any other group gets traffic and may carry it. */
export function unserved(state: Rollout, observation: Seen): string[] {
  return aloneAt(state, observation)
    .filter((id) => {
      const plan = state.plan.backends.find((one) => one.id === id);
      const reading = observation.backends[id]?.reading;
      if (plan === undefined || !reading?.known) return false;
      const carries = (group: Reading<GroupReading>) => (server: ServerReading) =>
        mayCarry(server, server.weight, group);
      const destination = serversOf(plan, reading.value, 'destination');
      const others = othersOf(plan, reading.value.servers).filter(
        ({ weight, admin }) => weight > 0 && admin === 'ready',
      );
      return (
        !destination.some(carries(observation.destination.reading)) && !others.some(({ health }) => health !== 'down')
      );
    })
    .map((id) => `no origin server is up at ${id}: nobody carries its traffic`);
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
