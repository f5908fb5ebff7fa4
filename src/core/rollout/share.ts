import { newestShare } from './checkpoint.ts';
import { configuredShare, withoutDown } from './effects.ts';
import type { Target } from './events.ts';
import type { Facts } from './facts.ts';
import { seenLately } from './load.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { attemptsToTell, type ShareSpan } from './share-seen.ts';
import type { RolloutState } from './state.ts';
import { chosenServers, targetOfStep } from './step-needs.ts';
import { carryingServers } from './targets.ts';
import type { Watch } from './watch.ts';

/** Passes in which the same servers must have been able before the weights follow them. */
const stablePasses = 3;
/** For how long one must have been able before it is given traffic in the middle of a step: one that comes and goes stays out. */
const addedMs = 10_000;

type ServerTargets = Target['traffic'][string];

export type ShareCheck =
  | { readonly kind: 'too few'; readonly attempts: number }
  | { readonly kind: 'near'; readonly observed: number }
  | { readonly kind: 'off'; readonly observed: number; readonly why: string };

/**
 * Whether the observed share is what the weights should make: within 2 points and three standard errors of the range that they
 * made in that time, over the backends, among the servers that were up. A server that fails its check moves that range at once
 * and the observed share only as fast as requests come. The requested share is compared with nothing.
 */
export function shareCheck({ intended }: RolloutState, { share }: Pick<Watch, 'share'>): ShareCheck {
  const spans = share !== null && share.intent === intended?.seq ? share.spans : [];
  const { origin, destination } = sumOf(spans);
  const total = origin + destination;
  if (total < attemptsToTell) return { kind: 'too few', attempts: total };
  const observed = destination / total;
  const low = Math.min(...spans.map((span) => span.low));
  const high = Math.max(...spans.map((span) => span.high));
  const error = 3 * Math.sqrt(Math.max(high * (1 - high), low * (1 - low), 1 / total) / total);
  if (observed >= low - 0.02 - error && observed <= high + 0.02 + error) return { kind: 'near', observed };
  const made = low === high ? percent(low) : `${percent(low)} to ${percent(high)}`;
  return {
    kind: 'off',
    observed,
    why: `the share is not what the weights make: ${made} by the weights of the servers that are up, observed ${percent(observed)} of ${total} attempts`,
  };
}

/** The observed share of this moment: by the attempts under the present weights, else by the newest that say something; null: there are none. */
export function shareNow(state: RolloutState, watch: Pick<Watch, 'share' | 'recent'>, nowMs: number): number | null {
  const check = shareCheck(state, watch);
  return check.kind === 'too few' ? newestShare({ recent: seenLately(watch.recent, nowMs) }) : check.observed;
}

/** Attempts still reach the origin under a target that gives it none, more than are about to end. null: none do, or too few tell. */
export function shareNotWhole(state: RolloutState, { share }: Pick<Watch, 'share'>): number | null {
  const { origin, destination } = sumOf(share !== null && share.intent === state.intended?.seq ? share.spans : []);
  const total = origin + destination;
  const observed = destination / total;
  return total >= attemptsToTell && observed < 1 - 0.02 - 3 / total ? observed : null;
}

function sumOf(spans: readonly ShareSpan[]): { readonly origin: number; readonly destination: number } {
  let origin = 0;
  let destination = 0;
  for (const span of spans) {
    origin += span.origin;
    destination += span.destination;
  }
  return { origin, destination };
}

type Pass = {
  readonly state: RolloutState;
  readonly watch: Watch;
  readonly observation: Observation;
  readonly facts: Facts;
};

/**
 * What the step asks for now that the groups have changed, for good and not for one reading: another set of servers can carry it,
 * or the weights would make another share. null: the present weights fit. While the reserve is broken nothing is raised; but an
 * origin that has become smaller has raised the share by itself, and gets back what it can carry before the destination is
 * overloaded.
 */
export function rebalanced(pass: Pass, step: number): Target | null {
  const { state, watch, observation, facts } = pass;
  if (watch.able.passes < stablePasses || facts.besidesReserve.length > 0 || state.intended === null) return null;
  if (!facts.destinationAble.known || facts.destinationAble.value.length === 0) return null;
  const { target } = state.intended;
  const before = carryingServers(target.traffic, state.asFound, state.plan.backends);
  const isLowering = facts.blockers.length > 0;
  const there = new Set(before);
  const after = isLowering ? before : lastingOf(chosenServers(state, facts, step), there, pass);
  const isOther = before.length !== after.length || after.some((name) => !there.has(name));
  const missed = isOther ? [] : backendsOffShare(pass, target, isLowering);
  if (!isOther && missed.length === 0) return null;
  const wanted = targetOfStep(state, observation, facts, step, after);
  if (isOther) return wanted;
  if (isLowering && !originCarries(facts, 1 - (wanted.requestedShare ?? 1))) return null;
  // Integers may not come nearer: only other weights are worth an entry.
  return missed.some(({ id }) => !sameWeights(target.traffic[id] ?? {}, wanted.traffic[id] ?? {})) ? wanted : null;
}

/** Those who carry already, and who have been able for long enough; all, where nobody else is left. */
function lastingOf(chosen: readonly string[], there: ReadonlySet<string>, { watch, observation }: Pass) {
  const sinceMs = (name: string) => watch.able.sinceMs[name] ?? observation.nowMs;
  const lasting = chosen.filter((name) => there.has(name) || observation.nowMs - sinceMs(name) >= addedMs);
  return lasting.length === 0 ? chosen : lasting;
}

/** Where the present weights miss the share of a step by weights; `isOver`: only where they make more. */
function backendsOffShare({ state, observation }: Pass, target: Target, isOver: boolean): readonly BackendPlan[] {
  const share = target.requestedShare;
  if (share === null || share >= 1) return [];
  return state.plan.backends.filter((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return false;
    const made = configuredShare(plan, withoutDown(reading.value), target.traffic[plan.id] ?? {}) ?? share;
    return (isOver ? made - share : Math.abs(made - share)) > Math.max(0.005, 0.05 * share);
  });
}

function originCarries({ load, originAble, originInstanceRps }: Facts, part: number): boolean {
  if (!load.known || !originAble.known || !originInstanceRps.known) return false;
  return load.value * part <= originAble.value.length * originInstanceRps.value;
}

function sameWeights(one: ServerTargets, other: ServerTargets): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name]?.weight === other[name]?.weight);
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
