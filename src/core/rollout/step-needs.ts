import type { Step } from '../fleet/config.ts';
import { known } from '../observed/reading.ts';
import { destinationNeed } from './capacity.ts';
import { configuredShare, withoutDown } from './effects.ts';
import type { Target } from './events.ts';
import type { Facts } from './facts.ts';
import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';
import { carryingServers, raisedFloor, trafficForStep } from './targets.ts';

/** The judged step with this number (1..n), or null for the whole share (n + 1). */
export function stepAt(state: RolloutState, step: number): Step | null {
  return state.plan.steps[step - 1] ?? null;
}

/** Every destination server that the target gives traffic to can carry it now, and together they can carry their share of the load. */
export function hasEnoughAble(state: RolloutState, observation: Observation, facts: Facts): boolean {
  if (state.intended === null || !facts.destinationAble.known) return false;
  const able = facts.destinationAble.value;
  const carrying = carryingServers(state.intended.target.traffic, state.asFound, state.plan.backends);
  const isAble = new Set(able);
  if (!carrying.every((name) => isAble.has(name))) return false;
  const declared = state.plan.destination.capacityRps;
  const instance = declared === null ? facts.originInstanceRps : known(declared);
  if (carrying.length === 0) return true;
  if (!instance.known || !facts.load.known) return false;
  return largestShare(state, observation) * facts.load.value <= carrying.length * instance.value;
}

/** The step's capacity stands: enough destination servers are able. What is not known does not stand. */
export function isCapable(state: RolloutState, facts: Facts, step: number): boolean {
  const need = needOf(state, facts, step);
  return need !== null && facts.destinationAble.known && facts.destinationAble.value.length >= need;
}

/** Capacity stands under the traffic that a step has been given: as many servers as it needs, and each that is to carry. */
export function stepStands(state: RolloutState, observation: Observation, facts: Facts, step: number): boolean {
  return isCapable(state, facts, step) && hasEnoughAble(state, observation, facts);
}

/** The share that the target would make among the servers that are up, the largest over the backends. */
function largestShare(state: RolloutState, observation: Observation): number {
  let most = 0;
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) continue;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    most = Math.max(most, configuredShare(plan, withoutDown(reading.value), targets) ?? 0);
  }
  return most;
}

/** Destination instances that a step needs under the present load; null: the load is not known. */
export function needOf(state: RolloutState, facts: Facts, step: number): number | null {
  if (!facts.load.known) return null;
  return destinationNeed(state.plan, stepAt(state, step), facts.load.value, facts.originInstanceRps);
}

/** The present target with the floors that a step and the reserve need; null: the target has them already. */
export function withFloors(state: RolloutState, facts: Facts, step: number): Target | null {
  const need = needOf(state, facts, step);
  if (need === null || !facts.reserveNeed.known) return null;
  const target = state.intended?.target;
  const origin = raisedFloor(
    target?.origin ?? null,
    state.asFound.origin,
    capped(facts.reserveNeed.value, state.asFound.origin),
  );
  const destination = raisedFloor(
    target?.destination ?? null,
    state.asFound.destination,
    capped(need, state.asFound.destination),
  );
  if (target !== undefined && origin?.min === target.origin?.min && destination?.min === target.destination?.min)
    return null;
  return { ...(target ?? { requestedShare: 0, traffic: {} }), origin, destination };
}

/** The destination servers that carry a step: those that carry already and still can, then others that can. */
export function chosenServers(state: RolloutState, facts: Facts, step: number): string[] {
  if (!facts.destinationAble.known) return [];
  const able = facts.destinationAble.value;
  const isAble = new Set(able);
  const target = state.intended?.target.traffic ?? {};
  const carrying = carryingServers(target, state.asFound, state.plan.backends).filter((name) => isAble.has(name));
  const isCarrying = new Set(carrying);
  const others = able.filter((name) => !isCarrying.has(name));
  const wanted = stepAt(state, step)?.instances ?? able.length;
  return [...carrying, ...others].slice(0, wanted);
}

/** The target of a step: its weights on the chosen servers, the floors as they are. */
export function targetOfStep(
  state: RolloutState,
  observation: Observation,
  facts: Facts,
  step: number,
  servers: readonly string[] = chosenServers(state, facts, step),
): Target {
  const config = stepAt(state, step);
  return {
    requestedShare: config === null ? 1 : config.kind === 'weight' ? config.share : null,
    traffic: trafficForStep(state, observation, config, servers),
    origin: state.intended?.target.origin ?? null,
    destination: state.intended?.target.destination ?? null,
  };
}

/** A group is never asked for more than its maximum; that it needs more is said elsewhere. */
function capped(need: number, size: { readonly max: number } | null): number {
  return size === null ? need : Math.min(need, size.max);
}
