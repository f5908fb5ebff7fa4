import type { BackendReading, ServerReading } from '../observed/backend.ts';
import type { GroupReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';
import type { TrafficEffect } from './decision.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { isLeaving, isUnable, serversOf, sideOf } from './servers.ts';
import type { RolloutState } from './state.ts';

/**
 * Backends at which no server of the origin is up, as far as is known: whoever takes the destination away there leaves nobody.
 * A backend that cannot be read and a server whose health nobody tells are none of them: the way back works blind.
 */
export function aloneAt(
  { plan, asFound }: Pick<RolloutState, 'plan' | 'asFound'>,
  { backends, origin }: Pick<Observation, 'backends' | 'origin'>,
): string[] {
  return plan.backends.flatMap((backend) => {
    const reading = backends[backend.id]?.reading;
    if (!reading?.known) return [];
    const found = asFound.backends[backend.id] ?? {};
    const isLeft = serversOf(backend, reading.value, 'origin').some((server) =>
      mayCarry(server, found[server.name]?.weight ?? server.weight, origin.reading),
    );
    return isLeft ? [] : [backend.id];
  });
}

/** With `weight`, the server takes requests, or nobody knows that it does not. An operator's maint and drain say that it does not. */
export function mayCarry(
  server: Pick<ServerReading, 'name' | 'admin' | 'health'>,
  weight: number,
  group: Reading<GroupReading>,
): boolean {
  return weight > 0 && server.admin === 'ready' && !isUnable(server, group) && !isLeaving(server.name, group);
}

/** What of an effect leaves those destination servers as they are that carry now; null: nothing. */
export function sparingDestination(
  plan: BackendPlan,
  { servers }: BackendReading,
  effect: TrafficEffect,
): TrafficEffect | null {
  const spared = new Set(
    servers
      .filter(({ name, admin, weight }) => sideOf(plan, name) === 'destination' && admin === 'ready' && weight > 0)
      .map(({ name }) => name),
  );
  const weights = without(effect.weights, spared);
  const states = without(effect.states, spared);
  const isEmpty = Object.keys(weights).length === 0 && Object.keys(states).length === 0;
  return isEmpty ? null : { ...effect, weights, states };
}

/** Why the destination stays at a backend. */
export function aloneWords(backend: string): string {
  return `no origin server is up at ${backend}: taking the destination away would leave nobody`;
}

function without<T>(values: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)));
}
