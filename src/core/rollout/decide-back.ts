import { verdict } from '../judge/judge.ts';
import { aloneNow, aloneRemedy, leftAtOrigin, sparing } from './alone.ts';
import { instancesFor } from './capacity.ts';
import { cuttable } from './cut.ts';
import type { Decision, Effect, TrafficEffect } from './decision.ts';
import { blindEffect, carriesByTarget, loweringPart, resizeEffect, trafficEffect } from './effects.ts';
import type { BackCause, RolloutEvent, Target } from './events.ts';
import type { Facts } from './facts.ts';
import { lastWordsOf, unraisedWords } from './last-words.ts';
import { withNewAtDestination } from './latecomers.ts';
import { markedAtMs } from './marker.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { isStillStopping, serversOf, sideOf } from './servers.ts';
import { shareNow } from './share.ts';
import { buildsOf } from './start.ts';
import { hasEnded, type RolloutState } from './state.ts';
import {
  carryingServers,
  raisedFloor,
  shareLeft,
  shareLeftAt,
  trafficAsFound,
  trafficBack,
  trafficCut,
  trafficKept,
} from './targets.ts';
import { destinationFails, judgedBack, tripped } from './tripwires.ts';
import { type Watch, watchedMs } from './watch.ts';

/** `atMs`: when somebody else has taken it; null: it is taken now. */
export type BackReason = { readonly cause: BackCause; readonly all: boolean; readonly atMs: number | null };

/** How long the way back polls between passes: it is watched closely until the last request has left. */
const closePollMs = 200;

/** Why the way back has to be taken now; null: no reason, or it is under way. An operator comes first. */
export function backReason(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  facts: Facts,
): BackReason | null {
  if (state.stage.kind === 'rolled-back') return null;
  const asked = askedBack(observation);
  if (backRefusal(state, asked?.all ?? false) !== null) return null;
  if (state.stage.kind === 'cutting' || state.stage.kind === 'restoring') {
    const more = state.back !== null && !state.back.all && state.stage.kind === 'cutting';
    const fails = () => destinationFails(watch, observation.nowMs) && leavesSome(state, watch, observation);
    return more && (asked?.all || fails()) ? { cause: state.back.cause, all: true, atMs: null } : null;
  }
  // What has happened is journalled as it happened, whether or not there still is a reason for it.
  if (watch.performed !== null)
    return { cause: watch.performed.cause, all: watch.performed.all || asked?.all === true, atMs: null };
  if (asked !== null) return takenBefore(state, observation, asked) ?? asked;
  const found = observation.leased ? foundBack(state, observation) : null;
  if (found !== null) return { cause: found, all: false, atMs: takenAtMs(state, observation) };
  if (hasEnded(state)) return null;
  const cause = judgedBack(watch) ?? tripped(state, watch, observation) ?? failedDrill(state, observation);
  const late = cause ?? neverCapable(state, watch, observation, facts);
  return late === null ? null : { cause: late, all: destinationFails(watch, observation.nowMs), atMs: null };
}

/** Why there is no way back any more; null: there is. `all` is the word of somebody who knows that the origin stands. */
export function backRefusal(state: Pick<RolloutState, 'operation' | 'retired' | 'back'>, all: boolean): string | null {
  if (!state.retired || state.back !== null || all) return null;
  return `${state.operation} has given up its way back: nobody has kept the origin since it was retired`;
}

/** The way back's first effects, performed before they are journalled. Needs no reading: what cannot be read is written blind. */
export function goBack(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  facts: Facts,
  reason: BackReason,
): Decision {
  const few = reason.all ? null : cuttable(state, watch, observation, facts, 0);
  const traffic = few === null ? trafficBack(state, observation) : trafficCut(state, observation, few.cut);
  const target: Target = {
    requestedShare: 0,
    ...leftOf(state, traffic, observation),
    traffic,
    origin: originFloor(state, facts),
    destination: state.intended?.target.destination ?? null,
  };
  const performed: RolloutEvent = {
    kind: 'back-performed',
    cause: reason.cause,
    verdict: reason.cause.kind === 'judge' ? verdict(watch.judge) : null,
    performedAtMs: reason.atMs ?? observation.nowMs,
    // What somebody else has cut was not seen then.
    shareBefore: reason.cause.kind === 'found' ? null : shareNow(state, watch, observation.nowMs),
    // Of a way back that somebody else took before, another build may have come since.
    ran: buildsOf(observation).destination,
    counted: watch.counted,
    // Where more of it is taken, it was taken when it began, and for what was known then.
    ...(state.back && { verdict: state.back.verdict, performedAtMs: state.back.performedAtMs }),
    // Performed already, and not to be journalled until now: that was the way back. Only what it takes may be more by now.
    ...watch.performed,
    all: reason.all,
    target,
  };
  return {
    events: [performed],
    effects: [],
    back: sparing(state, observation, trafficEffects(state, observation, target), few?.alone ?? []),
    wakeAtMs: observation.nowMs,
    ended: false,
  };
}

/** Cutting: until every backend is read back without destination traffic. Restoring: until everything is as found. */
export function decideBack(state: RolloutState, watch: Watch, observation: Observation, facts: Facts): Decision {
  if (state.intended === null) throw new Error(`${state.operation}: on the way back without a target`);
  const target = state.intended.target;
  const traffic = trafficEffects(state, observation, target);
  const sizes = resizeEffects(observation, target);
  // An origin that was up when the target was set may be gone by now.
  const alone = state.back?.all ? [] : aloneNow(state, watch, observation);
  const effects: Effect[] = [
    ...sparing(state, observation, traffic, alone),
    ...sizes.filter((effect) => !effect.shrinks || isIdle(state, watch)),
  ];
  const events = state.stage.kind === 'cutting' ? cutting(state, watch, observation, facts, traffic) : [];
  const isAsFound = traffic.length === 0 && sizes.length === 0 && isAllRead(state, observation);
  if (state.stage.kind === 'restoring' && isAsFound && !isStillStopping(state, observation)) {
    events.push({ kind: 'rolled-back', tookMs: observation.nowMs - (state.back?.performedAtMs ?? observation.nowMs) });
  }
  const wakeAtMs = events.length > 0 ? observation.nowMs : observation.nowMs + closePollMs;
  return { events, effects, back: [], wakeAtMs, ended: false };
}

function cutting(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  facts: Facts,
  pending: readonly TrafficEffect[],
): RolloutEvent[] {
  if (state.intended === null) return [];
  const { target, atMs } = state.intended;
  const left = carryingServers(target.traffic, state.asFound, state.plan.backends);
  if (left.length > 0) return cutMore(state, watch, observation, facts, target);
  if (pending.length > 0 || !isAllRead(state, observation)) return [];
  const afterMs = observation.nowMs - (state.back?.performedAtMs ?? observation.nowMs);
  const inFlight = inFlightNow(state, watch);
  const gone =
    isIdle(state, watch) &&
    (inFlight === 0 || watchedMs(watch, atMs, observation.nowMs) >= state.plan.policy.drainMsMax);
  if (!gone) return [];
  const found = state.asFound;
  const restored: Target = {
    requestedShare: 0,
    traffic: trafficAsFound(state, observation),
    origin: found.origin && { min: found.origin.min, desired: null, exact: true },
    destination: found.destination && { min: found.destination.min, desired: found.destination.desired, exact: true },
  };
  return [
    { kind: 'drained', inFlight, afterMs, counted: watch.counted },
    { kind: 'intended', target: restored, why: 'weights, states and sizes as they were found' },
  ];
}

/** The origin could not carry everything at once: take away as much more as it can carry by now. */
function cutMore(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  facts: Facts,
  target: Target,
): RolloutEvent[] {
  // Where nothing that grows makes room, the way back still ends: one server after the other.
  // By the journal's time, so that it is not for ever the first minute of one process after the other.
  const waitedMs = observation.nowMs - (state.intended?.atMs ?? observation.nowMs);
  const atLeast = waitedMs >= state.plan.policy.settleMsMax ? 1 : 0;
  const { cut, beyondShare, alone } = cuttable(state, watch, observation, facts, atLeast);
  // One reading that fails says nothing of what the origin can carry: a part that was left for want of room waits for the next.
  const isUnread = atLeast === 0 && !leftAtOrigin(state, observation).known;
  const traffic = isUnread ? target.traffic : trafficKept(state, observation, cut, beyondShare, alone);
  const origin = originFloor(state, facts);
  const grown = origin !== null && origin.min > (target.origin?.min ?? 0);
  if (!grown && !state.plan.backends.some((plan) => isLess(state, plan, target.traffic, traffic, observation)))
    return [];
  return [
    {
      kind: 'intended',
      target: {
        requestedShare: 0,
        ...leftOf(state, traffic, observation),
        traffic,
        origin,
        destination: target.destination,
      },
      why:
        alone.length === 0
          ? 'as much of the way back as the origin can carry'
          : `the way back where an origin is up (${alone.map(aloneRemedy).join('; ')})`,
    },
  ];
}

/** Fewer servers carry at this backend, its share is lower by more than rounding makes it, or somebody carries where nobody did. */
function isLess(
  state: RolloutState,
  plan: BackendPlan,
  before: Target['traffic'],
  after: Target['traffic'],
  observation: Observation,
): boolean {
  const count = (traffic: Target['traffic']) => carryingServers(traffic, state.asFound, [plan]).length;
  const [was, is] = [before, after].map((traffic) => shareLeftAt(plan, traffic[plan.id], observation));
  if (was == null) return is != null || count(after) < count(before);
  return count(after) < count(before) || (is ?? 0) < was - 0.02;
}

function leftOf(state: RolloutState, traffic: Target['traffic'], observation: Observation): Pick<Target, 'leftShare'> {
  const leftShare = shareLeft(state, traffic, observation);
  return leftShare === null ? {} : { leftShare };
}

function originFloor(state: RolloutState, facts: Facts): Target['origin'] {
  const current = state.intended?.target.origin ?? null;
  if (!facts.load.known || !facts.originInstanceRps.known) return current;
  const need = instancesFor(facts.load.value, facts.originInstanceRps.value, state.plan.policy.reserve);
  const max = state.plan.origin.size?.max ?? need;
  return raisedFloor(current, state.asFound.origin, Math.min(need, max));
}

/** On the way back nothing is raised, not even towards a target that stands in the journal and was never reached. */
function trafficEffects(state: RolloutState, observation: Observation, target: Target): TrafficEffect[] {
  const effects: TrafficEffect[] = [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    const targets = withNewAtDestination(state, plan, reading, target.traffic[plan.id] ?? {});
    const effect = reading?.known ? trafficEffect(plan, reading.value, targets) : blindEffect(plan, targets);
    const allowed = effect?.raises && reading?.known ? loweringPart(plan, reading.value, effect) : effect;
    if (allowed !== null) effects.push(allowed);
  }
  return effects;
}

/** Users are still sent to the destination by the target, or where it stands alone, and `all` would take that too. */
function leavesSome(state: RolloutState, watch: Watch, observation: Observation): boolean {
  if (state.intended === null) return false;
  const { target } = state.intended;
  if (carryingServers(target.traffic, state.asFound, state.plan.backends).length > 0) return true;
  const alone = aloneNow(state, watch, observation);
  return trafficEffects(state, observation, target).some(({ backend }) => alone.includes(backend));
}

function resizeEffects(observation: Observation, target: Target) {
  const origin = resizeEffect('origin', observation.origin.reading, target.origin);
  const destination = resizeEffect('destination', observation.destination.reading, target.destination);
  return [origin, destination].filter((effect) => effect !== null);
}

function isAllRead(state: RolloutState, observation: Observation): boolean {
  const groups = [observation.origin.reading, observation.destination.reading];
  return (
    groups.every((group) => group.known) &&
    state.plan.backends.every((plan) => observation.backends[plan.id]?.reading.known)
  );
}

/** No attempt reached the destination in the last two readings of every backend. */
export function isIdle(state: RolloutState, watch: Watch): boolean {
  return state.plan.backends.every((plan) => (watch.backends[plan.id]?.idleReadings ?? 0) >= 2);
}

function inFlightNow(state: RolloutState, watch: Watch): number {
  let total = 0;
  for (const plan of state.plan.backends) total += watch.backends[plan.id]?.destinationInFlight ?? 0;
  return total;
}

function askedBack(observation: Observation): BackReason | null {
  for (const request of observation.requests) {
    if (request.kind === 'back') {
      return { cause: { kind: 'asked', by: request.by, reason: request.reason }, all: request.all, atMs: null };
    }
  }
  return null;
}

/** Asked to write down what was taken without the journal: it enters as what was observed, with its own time and reason. */
function takenBefore(state: RolloutState, observation: Observation, asked: BackReason): BackReason | null {
  const marked = markedCause(observation);
  if (marked === null || asked.cause.kind !== 'asked') return null;
  const { by, reason } = asked.cause;
  const detail = `${marked.detail}; then ${by} asked for it${reason === null ? '' : `: ${reason}`}`;
  return { cause: { kind: 'found', detail }, all: asked.all, atMs: takenAtMs(state, observation) };
}

/** By the marker, where a balancer bears it out; null: nothing of it was performed until now, or nobody knows when. */
function takenAtMs(state: RolloutState, observation: Observation): number | null {
  const { marker, nowMs } = observation;
  const atMs = marker.known && marker.value !== null ? markedAtMs(marker.value) : null;
  const isPossible = atMs !== null && atMs >= state.startedAtMs && atMs <= nowMs;
  return isPossible && isBegun(state, observation) ? atMs : null;
}

/**
 * Some balancer sends nothing to the destination, or nothing to a server of it that was to carry: as much of the way back as could
 * be performed then.
 */
function isBegun(state: RolloutState, observation: Observation): boolean {
  return state.plan.backends.some((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return false;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    const servers = serversOf(plan, reading.value, 'destination');
    const still = servers.filter(({ admin, weight }) => admin !== 'maint' && weight > 0);
    return (
      still.length === 0 ||
      servers.some((server) => !still.includes(server) && carriesByTarget(plan, server.name, targets[server.name]))
    );
  });
}

function markedCause({ marker }: Observation): Extract<BackCause, { kind: 'found' }> | null {
  return marker.known && marker.value !== null
    ? { kind: 'found', detail: `the back marker says: ${marker.value}` }
    : null;
}

/** Somebody answered for going forward, and it was too late: the traffic is back already. */
function askedToGoOn({ requests }: Observation): string {
  const asked = requests.find((request) => request.kind === 'resume');
  return asked === undefined
    ? ''
    : `; then ${asked.by} asked to go on${asked.reason === null ? '' : `: ${asked.reason}`}`;
}

/** The marker, or a destination wholly in maint though the journal wants it to carry: somebody took the way back. */
function foundBack(state: RolloutState, observation: Observation): BackCause | null {
  const marked = markedCause(observation);
  if (marked !== null) return { ...marked, detail: marked.detail + askedToGoOn(observation) };
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    // Only once it was seen to carry: a server on its way out of the drill's maint is no sign of anything.
    if (!reading?.known || state.confirmed[plan.id]?.intent !== state.intended?.seq) continue;
    const carrying = reading.value.servers.filter((server) => {
      const target = targets[server.name];
      return sideOf(plan, server.name) === 'destination' && target?.admin === 'ready' && target.weight > 0;
    });
    if (carrying.length > 0 && carrying.every((server) => server.admin === 'maint')) {
      return { kind: 'found', detail: `every destination server is in maint at ${plan.id}` };
    }
  }
  return null;
}

function failedDrill(state: RolloutState, observation: Observation): BackCause | null {
  if (state.drill !== null && !state.drill.passed) return { kind: 'drill', detail: state.drill.note };
  if (state.stage.kind !== 'drill-back' || observation.drill === null || observation.drill.known) return null;
  return { kind: 'drill', detail: `it could not be measured: ${observation.drill.why}` };
}

/** Before any traffic has moved nothing is lost by giving up; later the world holds still instead. */
function neverCapable(state: RolloutState, watch: Watch, observation: Observation, facts: Facts): BackCause | null {
  if (state.stage.kind !== 'preparing' || state.held !== null) return null;
  const waitedMs = watchedMs(watch, state.stageSinceMs, observation.nowMs);
  if (waitedMs < state.plan.policy.capacityMsMax) return null;
  const able = facts.destinationAble.known ? facts.destinationAble.value.length : 0;
  const wrote = unraisedWords(lastWordsOf(observation.destination.reading));
  const blockers = facts.blockers.length > 0 ? `; ${facts.blockers.join('; ')}` : '';
  return {
    kind: 'capacity',
    detail: `${able} destination servers became able in ${waitedMs / 1000} s${wrote}${blockers}`,
  };
}
