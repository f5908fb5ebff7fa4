import { controllability } from '../fleet/controllability.ts';
import { aloneNow, sparing } from './alone.ts';
import { checkpointDue, checkpointOf } from './checkpoint.ts';
import { isIdle } from './decide-back.ts';
import type { Decision, Effect, TrafficEffect } from './decision.ts';
import { loweringPart, resizeEffect, trafficEffect } from './effects.ts';
import type { RolloutEvent } from './events.ts';
import { type Facts, sameBuilds } from './facts.ts';
import { handWords, originHandWords, outWords, respecting, setByHand } from './hands.ts';
import { beside, type HeldEvent, heldForOut, withBefore } from './held-for.ts';
import { serversThatCame, targetWithAll } from './latecomers.ts';
import type { Observation, OperatorRequest } from './observation.ts';
import { sideOf } from './servers.ts';
import { stageEvents } from './stages.ts';
import { configuredToCarry } from './start.ts';
import type { RolloutState } from './state.ts';
import { hasEnoughAble } from './step-needs.ts';
import { heldFor, triedAgain, unexplained } from './taken-back.ts';
import type { Watch } from './watch.ts';
import { drillWeight } from './weights.ts';

/** Readings in a row that must show it before a deviation counts as somebody else's doing. */
const deviationReadings = 2;

/** The stages that move traffic forward, and the overlay `held`. */
export function decideForward(state: RolloutState, watch: Watch, observation: Observation, facts: Facts): Decision {
  const readBack = confirmed(state, observation);
  const asked = operators(state, observation, facts);
  const events: RolloutEvent[] = [
    ...restarted(state, observation),
    ...serversThatCame(state, observation),
    ...readBack,
    ...drillWoken(state, observation, readBack),
    ...setByHand(state, watch, observation),
    // A reason is given for what runs now.
    ...deployments(state, facts),
    ...asked,
    // What somebody has just said is not said over: it is looked at anew with it.
    ...(asked.length > 0 ? [] : holds(state, watch, observation)),
  ];
  // What has just been learned is journalled before anything is built on it.
  if (events.length === 0) events.push(...targetWithAll(state, observation));
  if (events.length === 0) events.push(...stageEvents(state, watch, observation, facts));
  const isDue = events.length === 0 && checkpointDue(state, observation.nowMs);
  // Whoever asks for a hold may be the end of this controller: nothing that it has counted is to end with it.
  const isAsked = observation.requests.some((request) => request.kind === 'hold');
  if (isDue || isAsked) events.push(checkpointOf(state, watch, observation.nowMs));
  const effects = forwardEffects(state, watch, observation, facts);
  return { events, effects, back: [], wakeAtMs: events.length > 0 ? observation.nowMs : null, ended: false };
}

/** What Drover holds it for by itself, in one entry: a build that was taken back is named beside what is seen as well. */
function holds(state: RolloutState, watch: Watch, observation: Observation): RolloutEvent[] {
  const tried = triedAgain(state);
  const lowered = foreign(state, watch, observation);
  if (tried !== null) return [withBefore(state, beside(state, observation, tried, lowered))];
  return lowered !== null ? [lowered] : uncontrolled(state, observation);
}

/** What the journalled target still asks for. What raises waits until nothing speaks against it. */
function forwardEffects(state: RolloutState, watch: Watch, observation: Observation, facts: Facts): Effect[] {
  if (state.intended === null) return [];
  const target = state.intended.target;
  const mayRaise = facts.blockers.length === 0 && hasEnoughAble(state, observation, facts);
  const traffic: TrafficEffect[] = [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known || awaitsRestartEntry(state, plan.id, reading.value.process)) continue;
    const asked = trafficEffect(plan, reading.value, target.traffic[plan.id] ?? {});
    const effect = asked && respecting(state, watch, plan, reading.value, asked);
    const allowed = effect === null || mayRaise ? effect : loweringPart(plan, reading.value, effect);
    if (allowed !== null) traffic.push(allowed);
  }
  // What is lowered here was raised by somebody, and may be all that users have.
  const alone = aloneNow(state, watch, observation);
  let effects: Effect[] = sparing(state, observation, traffic, alone);
  if (state.stage.kind === 'drill-back') {
    // It takes something back at every backend at once, or waits.
    const drill = drillEffect(state, observation);
    const isDue = drill !== null && drill.servers.length > 0;
    if (drill === null || outWords(state, observation) !== null || (isDue && alone.length > 0))
      effects = besidesDrill(state, observation, effects);
    else if (isDue) return [drill];
  }
  const idle = isIdle(state, watch);
  const sizes = [
    resizeEffect('origin', observation.origin.reading, target.origin),
    resizeEffect('destination', observation.destination.reading, target.destination),
  ].filter((effect) => effect !== null && (!effect.shrinks || idle));
  for (const effect of sizes) if (effect !== null) effects.push(effect);
  return effects;
}

/** What takes from the servers of the destination, while the drill waits: its own keeps what it is to be measured with. */
function besidesDrill(state: RolloutState, observation: Observation, allowed: readonly Effect[]): Effect[] {
  const traffic = allowed.filter((effect) => effect.kind === 'traffic');
  return state.plan.backends.flatMap((plan) => {
    const effect = traffic.find(({ backend }) => backend === plan.id);
    const reading = observation.backends[plan.id]?.reading;
    const lowering = effect && reading?.known ? loweringPart(plan, reading.value, effect) : null;
    if (lowering === null || !reading?.known) return [];
    const own = reading.value.servers.find(({ name }) => name === state.drilled[plan.id]);
    const { [own?.name ?? '']: lowered, ...others } = lowering.weights;
    const isMore = own !== undefined && lowered !== undefined && own.weight > drillWeight;
    const weights = isMore ? { ...others, [own.name]: drillWeight } : others;
    return Object.keys(weights).length === 0 ? [] : [{ ...lowering, weights, states: {} }];
  });
}

/** The server that is to be taken back by the drill: in maint by the target, not yet in the world. null: not every backend was read. */
function drillEffect(state: RolloutState, observation: Observation): Extract<Effect, { kind: 'drill' }> | null {
  const servers: { backend: string; server: string }[] = [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return null;
    for (const server of reading.value.servers) {
      const target = state.intended?.target.traffic[plan.id]?.[server.name];
      if (target?.admin === 'maint' && server.admin === 'ready')
        servers.push({ backend: plan.id, server: server.name });
    }
  }
  return { kind: 'drill', servers };
}

/** A process that nobody has journalled yet has lost what was written to the one before. */
function restarted(state: RolloutState, observation: Observation): RolloutEvent[] {
  const events: RolloutEvent[] = [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (reading?.known && awaitsRestartEntry(state, plan.id, reading.value.process)) {
      events.push({ kind: 'balancer-restarted', backend: plan.id, process: reading.value.process });
    }
  }
  return events;
}

function awaitsRestartEntry(state: RolloutState, backend: string, process: string): boolean {
  const confirmed = state.confirmed[backend];
  return confirmed !== undefined && confirmed.process !== process;
}

function confirmed(
  state: RolloutState,
  observation: Observation,
): Extract<RolloutEvent, { readonly kind: 'confirmed' }>[] {
  if (state.intended === null) return [];
  const events: Extract<RolloutEvent, { readonly kind: 'confirmed' }>[] = [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) continue;
    const before = state.confirmed[plan.id];
    const process = reading.value.process;
    if (before !== undefined && (before.intent === state.intended.seq || before.process !== process)) continue;
    if (trafficEffect(plan, reading.value, state.intended.target.traffic[plan.id] ?? {}) !== null) continue;
    events.push({ kind: 'confirmed', backend: plan.id, process, intent: state.intended.seq });
  }
  return events;
}

/** What has been put back is no longer the drill's: `readBack`, that its backend is as intended, says so too. */
function drillWoken(
  state: RolloutState,
  observation: Observation,
  readBack: readonly Extract<RolloutEvent, { readonly kind: 'confirmed' }>[],
): RolloutEvent[] {
  return state.plan.backends.flatMap(({ id }): RolloutEvent[] => {
    if (readBack.some(({ backend }) => backend === id)) return [];
    const name = state.drilled[id];
    const reading = observation.backends[id]?.reading;
    const targets = state.intended?.target.traffic[id] ?? {};
    if (name === undefined || !reading?.known || targets[name]?.admin !== 'ready') return [];
    const isReady = reading.value.servers.some((server) => server.name === name && server.admin === 'ready');
    return isReady ? [{ kind: 'drill-woken', backend: id }] : [];
  });
}

function operators(state: RolloutState, observation: Observation, { builds }: Facts): RolloutEvent[] {
  const events: RolloutEvent[] = [];
  const blamed = unexplained(state, builds);
  let held = state.held !== null;
  for (const request of observation.requests) {
    if (request.kind === 'hold' && (!held || amends(state, request))) {
      events.push({ kind: 'held', why: request.why, by: request.by });
      held = true;
    } else if (request.kind === 'resume' && request.reason === null && held && blamed.length > 0) {
      if ((state.held?.blamed ?? []).length === 0) events.push(withBefore(state, heldFor(blamed)));
    } else if (request.kind === 'resume' && (held || request.marked !== undefined)) {
      const out = heldForOut(state, observation, request);
      // What was removed for it is told all the same.
      if (out === null || request.marked !== undefined) events.push({ ...request, kind: 'resumed' }, ...again(state));
      if (out !== null) events.push(out);
      held = out !== null;
    }
  }
  return events;
}

function amends({ held }: RolloutState, request: Extract<OperatorRequest, { kind: 'hold' }>): boolean {
  return request.amends === true && (held?.why !== request.why || held.by !== request.by);
}

/**
 * Less for the destination than was confirmed on the same process: somebody took it back, and knows why. A weight of the origin is
 * his as well, unless it only puts a server aside.
 */
function foreign(state: RolloutState, watch: Watch, observation: Observation): HeldEvent | null {
  if (state.held !== null) return null;
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    // What was seen before it fell silent somebody may have answered for since.
    if (reading?.known && (watch.backends[plan.id]?.lower ?? 0) >= deviationReadings) {
      const out = heldForOut(state, observation, null);
      if (out !== null) return out;
      const why = `somebody lowered the destination's share at ${plan.id}${handsIn(state, plan.id)}; it is left there (resume to raise it again)`;
      return { kind: 'held', why, by: 'drover' };
    }
    // What was journalled by the reading before, and still stands.
    const isTold = Object.keys(state.byHand[plan.id] ?? {}).length > 0;
    const why = isTold && reading?.known ? originHandWords(state, watch, plan, reading.value) : null;
    if (why !== null) return { kind: 'held', why, by: 'drover' };
  }
  return null;
}

function handsIn({ byHand }: RolloutState, backend: string): string {
  const hands = Object.entries(byHand[backend] ?? {}).map(([name, set]) => handWords(name, set));
  return hands.length === 0 ? '' : ` (${hands.join(', ')})`;
}

/** What would have kept the rollout from starting has come about since: a reload with another algorithm, say. */
function uncontrolled(state: RolloutState, observation: Observation): RolloutEvent[] {
  if (state.held !== null) return [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) continue;
    const ours = reading.value.servers.filter((server) => sideOf(plan, server.name) !== null);
    const found = controllability(reading.value.traits, ours).find((finding) => finding.severity === 'refuse');
    if (found !== undefined) {
      const why = `${plan.id} cannot be steered any more: ${found.what}. ${found.why} ${found.remedy} Then resume`;
      return [{ kind: 'held', why, by: 'drover' }];
    }
    const weighted = isComparing(state) ? configuredToCarry(plan, reading.value) : null;
    if (weighted !== null) return [{ kind: 'held', why: `${weighted}. Then resume`, by: 'drover' }];
  }
  return [];
}

/** With the whole share at the destination its owner may write its weights down: that is what the end asks for. */
function isComparing({ stage, plan }: RolloutState): boolean {
  if (stage.kind === 'finishing') return false;
  return !('step' in stage) || stage.step <= plan.steps.length;
}

function deployments(state: RolloutState, facts: Facts): RolloutEvent[] {
  if (!facts.builds.known || sameBuilds(facts.builds.value, state.builds)) return [];
  // Before any traffic there is no evidence that could have been gathered on other builds.
  const pair = state.stage.kind === 'preparing' ? state.pair : state.pair + 1;
  return [{ kind: 'builds-changed', builds: facts.builds.value, pair }, ...again(state)];
}

/** Evidence to promote does not survive a hold or a new build: the step is entered again. */
function again(state: RolloutState): RolloutEvent[] {
  const stage = state.stage;
  if (stage.kind === 'growing') return [{ kind: 'stage-entered', stage, attempt: 0 }];
  if (stage.kind !== 'judging' && stage.kind !== 'shifting') return [];
  return [{ kind: 'stage-entered', stage: { kind: 'shifting', step: stage.step }, attempt: 0 }];
}
