import type { ServerReading } from '../observed/backend.ts';
import type { GroupReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';
import type { TrafficEffect } from './decision.ts';
import { recentMs } from './load.ts';
import type { Observation } from './observation.ts';
import { holdingEverywhere, isLeaving, isOurs, isUnable, serversOf, sideOf } from './servers.ts';
import type { RolloutState } from './state.ts';

type Rollout = Pick<RolloutState, 'plan' | 'asFound' | 'byHand'>;

/**
 * Backends at which no server of the origin is up, as far as is known: whoever takes the destination away there leaves nobody.
 * A backend that cannot be read and a server whose health nobody tells are none of them: the way back works blind.
 */
export function aloneAt(state: Rollout, { backends, origin }: Pick<Observation, 'backends' | 'origin'>): string[] {
  return state.plan.backends.flatMap((backend) => {
    const reading = backends[backend.id]?.reading;
    if (!reading?.known) return [];
    const carries = mayCarryAsFound(state, backend.id, origin.reading);
    return serversOf(backend, reading.value, 'origin').some(carries) ? [] : [backend.id];
  });
}

/** Names of the origin servers that may carry, at every backend that has them; unknown while any backend cannot be read. */
export function leftAtOrigin(
  state: Rollout,
  { backends, origin }: Pick<Observation, 'backends' | 'origin'>,
): Reading<readonly string[]> {
  return holdingEverywhere(state.plan.backends, backends, 'origin', (server, { id }) =>
    mayCarryAsFound(state, id, origin.reading)(server),
  );
}

/** With the weight that the way back gives a server; it gives none to one that somebody has put aside by weight. */
function mayCarryAsFound({ asFound, byHand }: Rollout, id: string, group: Reading<GroupReading>) {
  return (server: ServerReading) => {
    const found = byHand[id]?.[server.name]?.aside ? undefined : asFound.backends[id]?.[server.name];
    return mayCarry(server, found?.weight ?? server.weight, group);
  };
}

/** When each balancer last told that nobody of the origin is up there, and when it last told nothing. */
type Told = {
  readonly aloneAtMs: Readonly<Record<string, number>>;
  readonly silentAtMs: Readonly<Record<string, number>>;
};

/**
 * The same as this controller knows it: what a balancer told of late counts on where this pass got no answer, be it that somebody
 * who asks for the way back did not let it wait for one. Of one that told nothing the others tell, where they have its servers;
 * and of one that has just woken, too: that the origin is up it may know from before it stood still.
 */
export function aloneNow(state: RolloutState, { aloneAtMs, silentAtMs }: Told, observation: Observation): string[] {
  const told = aloneAt(state, observation);
  const isLate = (atMs: number | undefined) => atMs !== undefined && observation.nowMs - atMs <= recentMs;
  const woken = state.plan.backends.map(({ id }) => id).filter((id) => isLate(silentAtMs[id]));
  return state.plan.backends.flatMap(({ id }) => {
    if (told.includes(id)) return [id];
    const isRead = observation.backends[id]?.reading.known === true;
    if (isRead && !woken.includes(id)) return [];
    const isTold = !isRead && isLate(aloneAtMs[id]);
    return isTold || isGoneElsewhere(state, observation, id, woken) ? [id] : [];
  });
}

/** Every origin server of this backend is known not to carry at each of the others that have it; `woken` are not believed that it does. */
function isGoneElsewhere(
  state: Rollout,
  { backends, origin }: Pick<Observation, 'backends' | 'origin'>,
  id: string,
  woken: readonly string[],
): boolean {
  const found = Object.entries(state.asFound.backends[id] ?? {}).filter(
    ([name, server]) => server.side === 'origin' && server.weight > 0 && isOurs(state, id, name),
  );
  const isGone = ([name]: (typeof found)[number]) => {
    const seen = state.plan.backends.flatMap((other) => {
      if (other.id === id) return [];
      const reading = backends[other.id]?.reading;
      const server = reading?.known ? reading.value.servers.find((one) => one.name === name) : undefined;
      if (server === undefined) return [];
      const carries = mayCarryAsFound(state, other.id, origin.reading)(server);
      return carries && woken.includes(other.id) ? [] : [carries];
    });
    return seen.length > 0 && !seen.includes(true);
  };
  return found.length > 0 && found.every(isGone);
}

/** When a balancer last told that the destination stands alone there; a reading that tells otherwise takes it out. */
export function aloneSince(
  before: Readonly<Record<string, number>>,
  state: RolloutState,
  observation: Observation,
): Readonly<Record<string, number>> {
  const told = aloneAt(state, observation);
  return Object.fromEntries(
    state.plan.backends.flatMap(({ id }) => {
      const timed = observation.backends[id];
      const atMs = timed?.reading.known ? (told.includes(id) ? timed.atMs : undefined) : before[id];
      return atMs === undefined ? [] : [[id, atMs]];
    }),
  );
}

/** When each balancer last gave no answer. Where somebody asks for something nobody may have waited for one. */
export function silentSince(
  before: Readonly<Record<string, number>>,
  { plan }: Pick<RolloutState, 'plan'>,
  { backends, requests, nowMs }: Observation,
): Readonly<Record<string, number>> {
  if (requests.length > 0) return before;
  const silent = plan.backends.filter(({ id }) => !backends[id]?.reading.known);
  return { ...before, ...Object.fromEntries(silent.map(({ id }) => [id, nowMs])) };
}

/** With `weight`, the server takes requests, or nobody knows that it does not. An operator's maint and drain say that it does not. */
export function mayCarry(
  server: Pick<ServerReading, 'name' | 'admin' | 'health'>,
  weight: number,
  group: Reading<GroupReading>,
): boolean {
  return weight > 0 && server.admin === 'ready' && !isUnable(server, group) && !isLeaving(server.name, group);
}

/** The effects without what would take the destination away from users who have nothing else. */
export function sparing(
  state: RolloutState,
  observation: Observation,
  effects: readonly TrafficEffect[],
  alone: readonly string[],
): TrafficEffect[] {
  return effects.flatMap((effect) => {
    const plan = state.plan.backends.find(({ id }) => id === effect.backend);
    if (plan === undefined || !alone.includes(effect.backend)) return [effect];
    const reading = observation.backends[effect.backend]?.reading;
    // Nobody knows which of them carry where it cannot be read.
    const carries = (name: string) =>
      !reading?.known || reading.value.servers.some((one) => one.name === name && isCarrying(one));
    const spared = (name: string) => sideOf(plan, name) === 'destination' && carries(name);
    return without(effect, spared) ?? [];
  });
}

function isCarrying({ admin, weight }: ServerReading): boolean {
  return admin === 'ready' && weight > 0;
}

/** null: nothing is left. */
function without(effect: TrafficEffect, spared: (name: string) => boolean): TrafficEffect | null {
  const weights = filtered(effect.weights, spared);
  const states = filtered(effect.states, spared);
  const isEmpty = Object.keys(weights).length === 0 && Object.keys(states).length === 0;
  return isEmpty ? null : { ...effect, weights, states };
}

/** Why the destination stays at a backend. */
export function aloneWords(backend: string): string {
  return `no origin server is up at ${backend}: taking the destination away would leave nobody`;
}

/** The same with what takes it all the same. */
export function aloneRemedy(backend: string): string {
  return `${aloneWords(backend)}; \`drover back --all\` takes it anyway`;
}

function filtered<T>(values: Readonly<Record<string, T>>, spared: (name: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !spared(name)));
}
