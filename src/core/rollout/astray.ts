import type { BackendReading } from '../observed/backend.ts';
import { type AgainstBack, againstBack } from './configured.ts';
import { carriesByTarget } from './effects.ts';
import { unserved } from './left.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { serversOf, sideOf } from './servers.ts';
import type { RolloutState } from './state.ts';
import { stillCarrying, stillStanding } from './status.ts';

/** What the world says against the journal, for a rollout that no controller looks after. */
export type Astray = {
  /** Somebody took the traffic back, and the journal does not know; null: nothing says so. */
  readonly taken: string | null;
  /**
   * Its servers are in maint, so that a controller takes the way back for performed. A marker alone can still be removed. null: a
   * balancer that was not read may have them there.
   */
  readonly isCut: boolean | null;
  /** Of a way back that was taken: what of the destination carries all the same, or again, or cannot be read. */
  readonly standing: readonly string[];
  /** What stands or cannot be read, a sentence each. */
  readonly lines: readonly string[];
  /** Of a rollout that was rolled back: what a reload would undo. */
  readonly againstBack: readonly AgainstBack[];
};

/**
 * Compares where the journal says that the traffic is with the back marker and the balancers. A rollout that is on the way
 * back is asked for what still stands; one that was rolled back, for what a reload would undo, and both for
 * traffic that nobody carries; one that has given up its reserve is over and says nothing.
 */
export function astray(state: RolloutState, observation: Observation): Astray {
  if (state.stage.kind === 'rolled-back') {
    const standing = undone(state, observation);
    return {
      ...untaken([...standing, ...unserved(state, observation)]),
      standing,
      againstBack: againstBack(state, observation),
    };
  }
  if (state.retired) return untaken([]);
  if (state.back !== null) {
    const standing = stillStanding(state, observation);
    return { ...untaken([...standing.map(standingWords), ...unserved(state, observation)]), standing };
  }
  const unread = state.plan.backends.flatMap(({ id }) => {
    const reading = observation.backends[id]?.reading;
    return reading?.known ? [] : [`${id} cannot be read: ${reading?.why ?? 'it was not asked'}`];
  });
  const cut = cutAt(state, observation);
  const { marker } = observation;
  const said = marker.known && marker.value !== null ? `the back marker says: ${marker.value}` : null;
  const seen = cut === null ? null : `every destination server is in maint at ${cut}`;
  const taken = said ?? seen;
  const isCut = cut === null && unread.length > 0 ? null : cut !== null;
  if (taken === null) {
    const lines = [...unread, ...lost(state, observation), ...unserved(state, observation)];
    return { taken, isCut, standing: [], lines, againstBack: [] };
  }
  // Whoever took it wants that nothing is carried there. Those that cannot be read are told already.
  const carrying = stillCarrying(state, observation).map(standingWords);
  return {
    taken,
    isCut,
    standing: stillStanding(state, observation),
    lines: [...carrying, ...unread, ...unserved(state, observation)],
    againstBack: [],
  };
}

function untaken(lines: readonly string[]): Astray {
  return { taken: null, isCut: false, standing: [], lines, againstBack: [] };
}

function standingWords(line: string): string {
  return `still standing: ${line}`;
}

/** What has been given back to the destination of a rollout that was rolled back: nobody watches any more. */
function undone(state: RolloutState, observation: Observation): string[] {
  return destinations(state, observation).flatMap(({ id, servers }) => {
    const carrying = servers.filter(({ admin, weight }) => admin === 'ready' && weight > 0);
    if (carrying.length === 0) return [];
    const names = carrying.map(({ name, weight }) => `${name} (weight ${weight})`).join(', ');
    const verb = carrying.length === 1 ? 'carries' : 'carry';
    return [
      `${id}: the way back is undone: ${names} ${verb} traffic again. \`drover back ${state.operation}\` takes it away`,
    ];
  });
}

/** Where a balancer was read. */
function destinations(state: RolloutState, { backends }: Observation) {
  return state.plan.backends.flatMap((plan) => {
    const reading = backends[plan.id]?.reading;
    return reading?.known ? [{ id: plan.id, servers: serversOf(plan, reading.value, 'destination') }] : [];
  });
}

/** A backend where every destination server that should carry is in maint, as a way back leaves them; null: there is none. */
function cutAt(state: RolloutState, observation: Observation): string | null {
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) continue;
    const meant = meantToCarry(state, plan, reading.value);
    if (meant.length > 0 && meant.every(({ admin }) => admin === 'maint')) return plan.id;
  }
  return null;
}

function lost(state: RolloutState, { backends }: Observation): string[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = backends[plan.id]?.reading;
    const names = reading?.known ? lostAt(state, plan, reading.value) : [];
    return names.length === 0 ? [] : [`${plan.id}: ${names.join(', ')} should carry traffic, and ${doesDo(names)} not`];
  });
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
