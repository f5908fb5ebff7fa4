import type { BackendReading } from '../observed/backend.ts';
import { carriesByTarget } from './effects.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { sideOf } from './servers.ts';
import type { RolloutState } from './state.ts';
import { stillStanding } from './status.ts';

/** What the world says against the journal, for a rollout that no controller looks after. */
export type Astray = {
  /** Somebody took the traffic back, and the journal does not know; null: nothing says so. */
  readonly taken: string | null;
  /** What stands or cannot be read, a sentence each. */
  readonly lines: readonly string[];
};

/**
 * Compares where the journal says that the traffic is with the back marker and the balancers. A rollout that is on the way
 * back is asked for what still stands; one that was rolled back, for what a reload would undo; one that has given up its reserve
 * is over and says nothing.
 */
export function astray(state: RolloutState, observation: Observation): Astray {
  if (state.stage.kind === 'rolled-back') return { taken: null, lines: undoneByReload(state, observation) };
  if (state.retired) return { taken: null, lines: [] };
  if (state.back !== null)
    return { taken: null, lines: stillStanding(state, observation).map((line) => `still standing: ${line}`) };
  const lines = state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [`${plan.id} cannot be read: ${reading?.why ?? 'it was not asked'}`];
    const names = lostAt(state, plan, reading.value);
    return names.length === 0 ? [] : [`${plan.id}: ${names.join(', ')} should carry traffic, and ${doesDo(names)} not`];
  });
  return { taken: takenBy(state, observation), lines };
}

/** A configured weight that came after the start: nobody watches any more when a reload gives it back to the destination. */
function undoneByReload(state: RolloutState, observation: Observation): string[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const servers = reading.value.servers.filter(
      ({ name, configuredWeight }) => sideOf(plan, name) === 'destination' && configuredWeight > 0,
    );
    const names = servers.map(({ name, configuredWeight }) => `${name} (weight ${configuredWeight})`);
    return names.length === 0
      ? []
      : [
          `${plan.id}: any reload undoes this way back: the balancer's configuration gives traffic to ${names.join(', ')}. Write weight 0 there`,
        ];
  });
}

/** The marker, or every destination server that should carry in maint, as a way back leaves them. */
function takenBy(state: RolloutState, observation: Observation): string | null {
  const { marker } = observation;
  if (marker.known && marker.value !== null) return `the back marker says: ${marker.value}`;
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) continue;
    const meant = meantToCarry(state, plan, reading.value);
    if (meant.length > 0 && meant.every(({ admin }) => admin === 'maint'))
      return `every destination server is in maint at ${plan.id}`;
  }
  return null;
}

function lostAt(state: RolloutState, plan: BackendPlan, reading: BackendReading): string[] {
  return meantToCarry(state, plan, reading)
    .filter(({ admin, weight }) => admin !== 'ready' || weight === 0)
    .map(({ name }) => name);
}

/** Only once it was seen to carry: what was never written is not lost. */
function meantToCarry(state: RolloutState, plan: BackendPlan, reading: BackendReading): BackendReading['servers'] {
  if (state.intended === null || state.confirmed[plan.id]?.intent !== state.intended.seq) return [];
  const targets = state.intended.target.traffic[plan.id] ?? {};
  return reading.servers.filter(
    ({ name }) => sideOf(plan, name) === 'destination' && carriesByTarget(plan, name, targets[name]),
  );
}

function doesDo(names: readonly string[]): string {
  return names.length === 1 ? 'does' : 'do';
}
