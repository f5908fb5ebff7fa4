import type { Decision } from './decision.ts';
import { resizeEffect, trafficEffect } from './effects.ts';
import type { RolloutEvent } from './events.ts';
import type { Observation } from './observation.ts';
import { serversOf } from './servers.ts';
import type { RolloutState } from './state.ts';

/** A rollout that has ended: only `retire` is left, which gives up the reserve, and ends again when that is done. */
export function decideFinished(state: RolloutState, observation: Observation): Decision {
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
    if (trafficEffect(plan, reading.value, state.intended?.target.traffic[plan.id] ?? {}) !== null) {
      refusals.push(`the traffic at ${plan.id} is not where the rollout left it`);
    }
    refusals.push(...configurationToCommit(state, observation).filter((line) => line.startsWith(`${plan.id}:`)));
  }
  return refusals;
}

/** The server lines whose configured weight a reload would bring back against where the traffic is now, one line each. */
export function configurationToCommit(state: RolloutState, observation: Observation): string[] {
  const lines: string[] = [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) continue;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    for (const side of ['origin', 'destination'] as const) {
      for (const server of serversOf(plan, reading.value, side)) {
        const target = targets[server.name];
        if (target === undefined || server.configuredWeight > 0 === target.weight > 0) continue;
        lines.push(
          `${plan.id}: server ${server.name} … weight ${target.weight} (now weight ${server.configuredWeight})`,
        );
      }
    }
  }
  return lines;
}

/** The same by the journal alone: what the configuration has to say of each server, since the start found it the other way. */
export function configurationAfter(state: RolloutState): string[] {
  if (state.stage.kind !== 'completed' || state.retired) return [];
  return state.plan.backends.flatMap((plan) => {
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    const found = state.asFound.backends[plan.id] ?? {};
    return Object.entries(targets)
      .filter(([name, { weight }]) => (found[name]?.weight ?? 0) > 0 !== weight > 0)
      .map(
        ([name, { weight }]) =>
          `${plan.id}: server ${name} … weight ${weight} (now weight ${found[name]?.weight ?? 0})`,
      );
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
