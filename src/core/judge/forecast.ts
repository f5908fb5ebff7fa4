import type { Count } from './counting.ts';
import { dispersionOf } from './dispersion.ts';
import type { Evidence, JudgeState, Rules } from './judge.ts';
import { absolutePromotion, betterThanObjective } from './promote.ts';
import { alphaOfPair, comparedRatios, guardedRatios } from './rollback.ts';

/** What both groups did over some time, as a forecast's assumption about what they will go on doing. */
export type GroupCounts = { readonly origin: Count; readonly destination: Count };

/** `requests`: attempts at both groups together. */
export type PromotionForecast =
  | { readonly kind: 'requests'; readonly requests: number; readonly by: Evidence['by'] }
  | { readonly kind: 'never'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * How many more requests until promotion: (threshold − evidence) / drift, the drift at the observed baseline if both groups
 * fail equally often. Where the drift at the rates as observed is not positive there is no such number, and none where the
 * destination fails so often that the absolute guard will object. The nearer of comparison and objective is told. `seen`: counts of the present step, or of as long as the caller thinks representative.
 */
export function requestsToPromote(state: JudgeState, seen: GroupCounts): PromotionForecast {
  const { origin, destination } = seen;
  if (origin.attempts === 0 || destination.attempts === 0) {
    return { kind: 'unknown', why: 'one of the groups has had no requests since this attempt at the step began' };
  }
  const baseline = Math.min(1, origin.failures / origin.attempts);
  const observed = Math.min(1, destination.failures / destination.attempts);
  if (guardObjects(state.rules.objective, observed)) {
    return { kind: 'never', why: 'cannot promote: the destination fails more often than its objective allows' };
  }
  const share = destination.attempts / (origin.attempts + destination.attempts);
  const ways = [byComparison(state, share, baseline, observed), byObjective(state, share, baseline, observed)];
  let best: PromotionForecast = { kind: 'never', why: 'cannot promote at this ratio' };
  for (const way of ways) {
    if (way === null) continue;
    if (best.kind !== 'requests' || way.requests < best.requests) best = { kind: 'requests', ...way };
  }
  if (best.kind === 'never' && baseline === 0 && observed === 0) {
    return { kind: 'unknown', why: 'nothing has failed yet, so there is nothing to compare, and no objective' };
  }
  return best;
}

/** At this rate the absolute guard's evidence to roll back rises, and nothing is promoted against that. */
function guardObjects(objective: number | null, observed: number): boolean {
  return objective !== null && guardedRatios.some((r) => observed * Math.log(r) > (r - 1) * objective);
}

type Way = { readonly requests: number; readonly by: Evidence['by'] };

function byComparison(state: JudgeState, share: number, baseline: number, observed: number): Way | null {
  const { bad } = state.rules;
  if (promotionDrift(share, bad, baseline, observed) <= 0) return null;
  const drift = promotionDrift(share, bad, baseline, baseline) / dispersionInForce(state);
  return { requests: requestsUntil(promotionThreshold(state) - state.promotion.comparison, drift), by: 'comparison' };
}

function byObjective(state: JudgeState, share: number, baseline: number, observed: number): Way | null {
  const { objective } = state.rules;
  const { absolute } = state.promotion;
  if (objective === null || absolute === null) return null;
  const missing = promotionThreshold(state) - absolutePromotion(absolute);
  const driftAt = (rate: number) => Math.max(...betterThanObjective.map((r) => betterDrift(r, rate, objective)));
  const drift = (share * driftAt(baseline)) / dispersionInForce(state);
  if (driftAt(observed) <= 0 || drift <= 0) return null;
  return { requests: requestsUntil(missing, drift), by: 'absolute' };
}

/** Nats per request (both groups), before φ: failures of either group speak for the destination, its own against it. */
function promotionDrift(share: number, bad: number, originRate: number, destinationRate: number): number {
  const failures = share * destinationRate + (1 - share) * originRate;
  return failures * Math.log1p((bad - 1) * share) - share * destinationRate * Math.log(bad);
}

/** Nats per request at the destination, before φ. */
function betterDrift(ratio: number, rate: number, objective: number): number {
  return rate * Math.log(ratio) + (1 - ratio) * objective;
}

function promotionThreshold(state: JudgeState): number {
  return Math.log(state.rules.objective === null ? 1 : 2) - Math.log(state.beta);
}

function requestsUntil(missing: number, drift: number): number {
  return Math.max(0, Math.ceil(missing / drift));
}

function dispersionInForce(state: JudgeState): number {
  const measured = dispersionOf(state.dispersion);
  return measured.known ? measured.value : state.rules.dispersion;
}

/** The traffic that a forecast of detection assumes. */
export type Traffic = {
  /** Requests per second at both groups together. */
  readonly rps: number;
  /** The destination's share, 0..1. */
  readonly share: number;
  /** The origin's failed fraction. */
  readonly baseline: number;
};

/**
 * Expected seconds until `roll back`, counted from when the destination begins to fail `ratio` times as often as the origin;
 * null: never (the ratio is tolerated, or there is no traffic to see it in). For the first pair of builds, soon after the
 * start, φ = `rules.dispersion`. The threshold plus what the mixtures cost, divided by the drift of the best alternative.
 */
export function secondsToSee(ratio: number, traffic: Traffic, rules: Rules): number | null {
  const error = alphaOfPair(rules.alpha, 1) / (rules.objective === null ? 1 : 2);
  const needed = Math.log(1 / error) + Math.LN2;
  const ratios = comparedRatios(rules.tolerate);
  const compared = ratios.map((R) => comparisonDrift(R, ratio, traffic, rules.tolerate));
  const ways = [secondsUntil(needed + Math.log(ratios.length), compared, traffic.rps / rules.dispersion)];
  if (rules.objective !== null) {
    const { objective } = rules;
    const guarded = guardedRatios.map((r) => guardDrift(r, ratio, traffic, objective));
    ways.push(secondsUntil(needed + Math.log(guardedRatios.length), guarded, traffic.rps / rules.dispersion));
  }
  const soonest = Math.min(...ways);
  return Number.isFinite(soonest) ? soonest : null;
}

function secondsUntil(needed: number, drifts: readonly number[], perSecond: number): number {
  const drift = Math.max(...drifts) * perSecond;
  return drift > 0 ? needed / drift : Number.POSITIVE_INFINITY;
}

function comparisonDrift(R: number, ratio: number, traffic: Traffic, tolerate: number): number {
  const { share, baseline } = traffic;
  if (share <= 0 || share >= 1) return 0;
  const atDestination = share * Math.min(1, ratio * baseline);
  const both = atDestination + (1 - share) * baseline;
  return (
    atDestination * Math.log(R / tolerate) + both * (Math.log1p((tolerate - 1) * share) - Math.log1p((R - 1) * share))
  );
}

function guardDrift(r: number, ratio: number, { share, baseline }: Traffic, objective: number): number {
  return share * (Math.min(1, ratio * baseline) * Math.log(r) - (r - 1) * objective);
}

/** A ratio and when it would be seen; null: it is tolerated or cannot be seen. */
export type Sight = { readonly ratio: number; readonly seconds: number | null };

/** What the judge would see and how soon: 2x, 3x, 5x and 10x. */
export function sights(traffic: Traffic, rules: Rules): Sight[] {
  return [2, 3, 5, 10].map((ratio) => ({ ratio, seconds: secondsToSee(ratio, traffic, rules) }));
}

/**
 * In words: `3x in 8 min, 5x in 1 min, 10x in 15 s; 2x is tolerated (--tolerate 1: in 6 min)`. A ratio that is seen by the
 * objective although the comparison tolerates it is listed with the others.
 */
export function describeSights(traffic: Traffic, rules: Rules): string {
  const all = sights(traffic, rules);
  const seen = all.flatMap(({ ratio, seconds }) => (seconds === null ? [] : [`${ratio}x in ${duration(seconds)}`]));
  const unseen = all.filter(({ seconds }) => seconds === null).map(({ ratio }) => ratio);
  const tolerated = unseen.filter((ratio) => ratio <= rules.tolerate);
  const never = unseen.filter((ratio) => ratio > rules.tolerate);
  const parts = [seen.length === 0 ? unseenIn(traffic) : seen.join(', ')];
  if (seen.length > 0 && never.length > 0) parts.push(`${never.map((ratio) => `${ratio}x`).join(', ')} cannot be seen`);
  if (seen.length > 0) parts.push(...tolerated.map((ratio) => describeTolerated(ratio, traffic, rules)));
  return parts.join('; ');
}

function unseenIn({ baseline, share }: Traffic): string {
  if (baseline === 0) return 'nothing has failed so far, and no multiple of nothing can be seen';
  return `no ratio can be seen in this traffic${share === 0 ? ': the share is 0' : ''}`;
}

function describeTolerated(ratio: number, traffic: Traffic, rules: Rules): string {
  const stricter = secondsToSee(ratio, traffic, { ...rules, tolerate: 1 });
  return `${ratio}x is tolerated${stricter === null ? '' : ` (--tolerate 1: in ${duration(stricter)})`}`;
}

/** Two significant digits at most: a forecast is not a measurement. */
function duration(seconds: number): string {
  if (seconds < 1) return 'under 1 s';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}
