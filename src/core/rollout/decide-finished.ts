import type { BackendReading } from '../observed/backend.ts';
import { aloneAt, sparing } from './alone.ts';
import type { Decision } from './decision.ts';
import { loweringPart, resizeEffect, trafficEffect } from './effects.ts';
import type { RolloutEvent } from './events.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { sideOf } from './servers.ts';
import type { RolloutState } from './state.ts';

/** Until it is read back. */
const closePollMs = 200;

/**
 * A rollout that has ended: what is left is `retire`, which gives up the reserve, and what a reload has given a destination that
 * was taken back: that is lowered again, to what was found. It ends again when that is done.
 */
export function decideFinished(state: RolloutState, observation: Observation): Decision {
  if (state.stage.kind === 'rolled-back') return decideRolledBack(state, observation);
  const request = observation.requests.find((one) => one.kind === 'retire');
  if (
    request?.kind === 'retire' &&
    state.stage.kind === 'completed' &&
    !state.retired &&
    retireRefusals(state, observation).length === 0
  ) {
    return { events: retired(state, request), effects: [], back: [], wakeAtMs: observation.nowMs, ended: false };
  }
  const pending = state.retired
    ? resizeEffect('origin', observation.origin.reading, state.intended?.target.origin ?? null)
    : null;
  const isRead = observation.origin.reading.known;
  const ended = pending === null && (isRead || !state.retired);
  return { events: [], effects: pending === null ? [] : [pending], back: [], wakeAtMs: null, ended };
}

/** The journal has said since the way back what there is to be: this only lowers. What cannot be read is not waited for. */
function decideRolledBack(state: RolloutState, observation: Observation): Decision {
  const lowering = state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const effect = trafficEffect(plan, reading.value, state.intended?.target.traffic[plan.id] ?? {});
    return effect === null ? [] : (loweringPart(plan, reading.value, effect) ?? []);
  });
  const alone = aloneAt(state, observation);
  const effects = sparing(state, observation, lowering, alone);
  const wakeAtMs = effects.length > 0 ? observation.nowMs + closePollMs : null;
  return { events: [], effects, back: [], wakeAtMs, ended: effects.length === 0 };
}

/**
 * Why the reserve may not be given up yet: the configured weights, which a reload brings back, must agree with where the
 * traffic is. Empty: it may.
 */
export function retireRefusals(state: RolloutState, observation: Observation): string[] {
  const refusals: string[] = [];
  if (state.stage.kind !== 'completed') refusals.push('only a completed rollout has a reserve to give up');
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) {
      refusals.push(`${plan.id} cannot be read${reading === undefined ? '' : `: ${reading.why}`}`);
      continue;
    }
    if (!isMoved(state, plan, reading.value)) {
      refusals.push(`the traffic at ${plan.id} is not where the rollout left it`);
    }
    refusals.push(...configurationToCommit(state, observation).filter((line) => line.startsWith(`${plan.id}:`)));
  }
  return refusals;
}

/** The server lines whose configured weight a reload would bring back against where the traffic is now, one line each. */
export function configurationToCommit(state: RolloutState, observation: Observation): string[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const configured = new Map(reading.value.servers.map((server) => [server.name, server.configuredWeight]));
    return linesOf(state, plan, configured);
  });
}

/** The same by the journal alone: what the configuration has to say of each server, since the start found it the other way. */
export function configurationAfter(state: RolloutState): string[] {
  if (state.stage.kind !== 'completed' || state.retired) return [];
  return state.plan.backends.flatMap((plan) => {
    const found = Object.entries(state.asFound.backends[plan.id] ?? {});
    return linesOf(state, plan, new Map(found.map(([name, { weight }]) => [name, weight])));
  });
}

function linesOf(state: RolloutState, plan: BackendPlan, configured: ReadonlyMap<string, number>): string[] {
  return Object.entries(weightsAfter(state, plan)).flatMap(([name, weight]) => {
    const now = configured.get(name);
    if (now === undefined || now > 0 === weight > 0) return [];
    return [`${plan.id}: server ${name} … weight ${weight} (now weight ${now})`];
  });
}

/**
 * Weights that the configuration should have from completion on. A destination server that did not run when the whole share
 * was taken gets what the others have: when its group grows, nobody else will think of it.
 */
function weightsAfter(state: RolloutState, plan: BackendPlan): Record<string, number> {
  const targets = Object.entries(state.intended?.target.traffic[plan.id] ?? {});
  const full = Math.max(...targets.map(([name, { weight }]) => (sideOf(plan, name) === 'destination' ? weight : 0)));
  return Object.fromEntries(
    targets.map(([name, { weight }]) => [name, sideOf(plan, name) === 'destination' && weight === 0 ? full : weight]),
  );
}

/** Where the rollout left the traffic, or further: nothing at the origin, everything that carried carries. */
function isMoved(state: RolloutState, plan: BackendPlan, reading: BackendReading): boolean {
  const targets = state.intended?.target.traffic[plan.id] ?? {};
  return reading.servers.every(({ name, weight, admin }) => {
    const target = targets[name];
    if (target === undefined) return true;
    return target.weight === 0 ? sideOf(plan, name) === 'destination' || weight === 0 : weight > 0 && admin === 'ready';
  });
}

function retired(
  state: RolloutState,
  request: { readonly by: string; readonly reason: string | null },
): RolloutEvent[] {
  const events: RolloutEvent[] = [{ kind: 'retired', by: request.by, reason: request.reason }];
  if (state.intended === null) return events;
  const found = state.asFound.origin;
  const target = { ...state.intended.target, origin: found && { min: found.min, desired: null, exact: true } };
  events.push({ kind: 'intended', target, why: 'the reserve is given up' });
  return events;
}
