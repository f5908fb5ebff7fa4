import type { BackendReading, ServerReading } from '../observed/backend.ts';
import type { GroupReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';
import { aloneAt, sparing } from './alone.ts';
import type { Decision } from './decision.ts';
import { loweringPart, resizeEffect, trafficEffect } from './effects.ts';
import type { RolloutEvent } from './events.ts';
import type { Facts } from './facts.ts';
import { withNewAtDestination } from './latecomers.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { isAble, isLeaving, type Side, serversOf, sideOf, wasFoundReady } from './servers.ts';
import { capacityLack } from './stages.ts';
import type { RolloutState } from './state.ts';
import { isCapable } from './step-needs.ts';

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
    !state.retired &&
    standingRefusals(state, observation).length === 0 &&
    configurationToCommit(state, observation).length === 0
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
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    const effect = trafficEffect(plan, reading.value, withNewAtDestination(state, plan, reading, targets));
    return effect === null ? [] : (loweringPart(plan, reading.value, effect) ?? []);
  });
  const alone = aloneAt(state, observation);
  const effects = sparing(state, observation, lowering, alone);
  const wakeAtMs = effects.length > 0 ? observation.nowMs + closePollMs : null;
  return { events: [], effects, back: [], wakeAtMs, ended: effects.length === 0 };
}

/**
 * Why the reserve may not be given up yet: the traffic is not where the rollout left it, or nobody would carry it there without
 * the origin to go back to. Empty: nothing of this, and the configuration decides (`configurationToCommit`).
 */
export function standingRefusals(state: RolloutState, observation: Observation): string[] {
  if (state.stage.kind !== 'completed') return ['only a completed rollout has a reserve to give up'];
  return state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [`${plan.id} cannot be read${reading === undefined ? '' : `: ${reading.why}`}`];
    const astray = notMoved(state, plan, reading.value);
    const where =
      astray.length === 0
        ? []
        : [`the traffic at ${plan.id} is not where the rollout left it: ${astray.map(standingWords).join(', ')}`];
    return [...where, ...unableAt(plan, reading.value, observation.destination.reading)];
  });
}

/** Nobody who has a weight at the destination may be able to carry: what is not known to be well is none. */
function unableAt(plan: BackendPlan, reading: BackendReading, group: Reading<GroupReading>): string[] {
  const carrying = serversOf(plan, reading, 'destination').filter(
    ({ weight, admin }) => weight > 0 && admin === 'ready',
  );
  if (carrying.some((server) => isAble(server, group) && !isLeaving(server.name, group))) return [];
  const names = carrying.length === 0 ? 'none has a weight' : carrying.map(healthWords).join(', ');
  return [`no server of the destination is known to be up at ${plan.id}: ${names}`];
}

function healthWords({ name, health }: ServerReading): string {
  return `${name} is ${health === 'unchecked' ? 'not checked' : health}`;
}

function standingWords({ name, weight, admin }: ServerReading): string {
  return admin === 'ready' ? `${name} has weight ${weight}` : `${name} is in ${admin}`;
}

/** By the load of this moment: fewer destination instances able than it needs. What is not known is not enough. */
export function capacityRefusals(state: RolloutState, facts: Facts): string[] {
  const whole = state.plan.steps.length + 1;
  if (!facts.load.known) return [`the load is not known: ${facts.load.why}`];
  if (!facts.destinationAble.known) return [`nobody knows who can carry: ${facts.destinationAble.why}`];
  return isCapable(state, facts, whole) ? [] : [capacityLack(state, facts, whole)];
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
    return linesOf(state, plan, new Map(found.map(([name, { weight, configured = weight }]) => [name, configured])));
  });
}

function linesOf(state: RolloutState, plan: BackendPlan, configured: ReadonlyMap<string, number>): string[] {
  const targets = state.intended?.target.traffic[plan.id] ?? {};
  const full = Math.max(
    0,
    ...Object.entries(targets).map(([name, { weight }]) => (sideOf(plan, name) === 'destination' ? weight : 0)),
  );
  return [...configured].flatMap(([name, now]) => {
    const side = sideOf(plan, name);
    if (side === null || !wasFoundReady(state.asFound, plan.id, name)) return [];
    const weight = weightAfter(side, targets[name]?.weight ?? 0, full);
    return now > 0 === weight > 0 ? [] : [`${plan.id}: server ${name} … weight ${weight} (now weight ${now})`];
  });
}

/**
 * The weight that the configuration should have from completion on, also of a server that came or was put aside since. A
 * destination server that did not run when the whole share was taken gets what the others have: when its group grows, nobody
 * else will think of it.
 */
function weightAfter(side: Side, targeted: number, full: number): number {
  return side === 'destination' && targeted === 0 ? full : targeted;
}

/** Servers that are not where the rollout left them, or further: something at the origin, or less of what carried. */
export function notMoved(state: RolloutState, plan: BackendPlan, reading: BackendReading): ServerReading[] {
  const targets = state.intended?.target.traffic[plan.id] ?? {};
  return reading.servers.filter(({ name, weight, admin, health }) => {
    const target = targets[name];
    const side = sideOf(plan, name);
    if (target !== undefined && target.weight > 0) return weight === 0 || admin !== 'ready';
    if (side !== 'origin' || weight === 0) return false;
    // Not the rollout's to write: it counts where it carries.
    return target !== undefined || (admin === 'ready' && health !== 'down');
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
