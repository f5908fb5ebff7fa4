import { configuredShare, withoutDown } from './effects.ts';
import type { Target } from './events.ts';
import type { Facts } from './facts.ts';
import { recentTally } from './load.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import type { RolloutState } from './state.ts';
import { chosenServers, targetOfStep } from './step-needs.ts';
import { carryingServers } from './targets.ts';
import type { Watch } from './watch.ts';

/** Attempts of both groups after which an observed share says something. */
const attemptsMin = 20;
/** Passes in which the same servers must have been able before the weights follow them. */
const stablePasses = 3;

type ServerTargets = Target['traffic'][string];

export type ShareCheck =
  | { readonly kind: 'too few' }
  | { readonly kind: 'near' }
  | { readonly kind: 'off'; readonly why: string };

/**
 * Whether the observed share of the last seconds is what the weights should make: within 2 points and three standard errors of
 * the range that they made in that time, over the backends, among the servers that were up. A server that fails its check
 * moves that range at once and the observed share only as fast as requests come. The requested share is compared with nothing.
 */
export function shareCheck(state: RolloutState, watch: Pick<Watch, 'since' | 'recent' | 'expected'>): ShareCheck {
  const { origin, destination } = latestAttempts(state, watch);
  const total = origin + destination;
  const range = watch.expected.filter((one) => one.intent === state.intended?.seq);
  if (total < attemptsMin || range.length === 0) return { kind: 'too few' };
  const observed = destination / total;
  const low = Math.min(...range.map((one) => one.low));
  const high = Math.max(...range.map((one) => one.high));
  const error = 3 * Math.sqrt(Math.max(high * (1 - high), low * (1 - low), 1 / total) / total);
  if (observed >= low - 0.02 - error && observed <= high + 0.02 + error) return { kind: 'near' };
  const made = low === high ? percent(low) : `${percent(low)} to ${percent(high)}`;
  return {
    kind: 'off',
    why: `the share is not what the weights make: ${made} by the weights of the servers that are up, observed ${percent(observed)} of ${total} attempts`,
  };
}

/** Attempts under the present intent, of the last seconds only: a balancer that begins to deviate later is seen too. */
export function latestAttempts(
  state: RolloutState,
  watch: Pick<Watch, 'since' | 'recent'>,
): { readonly origin: number; readonly destination: number } {
  const since = attemptsSince(state, watch);
  const origin = recentTally(watch.recent, 'origin').attempts;
  const destination = recentTally(watch.recent, 'destination').attempts;
  return origin + destination < since.origin + since.destination ? { origin, destination } : since;
}

export function attemptsSince(state: RolloutState, watch: Pick<Watch, 'since'>): Watch['since'] {
  return watch.since.intent === state.intended?.seq ? watch.since : { intent: 0, origin: 0, destination: 0 };
}

/**
 * The groups changed for good (not for one reading) so that the present weights no longer fit the step: another set of
 * servers can carry it, or the weights would make another share.
 */
export function isRebalanceDue(
  pass: {
    readonly state: RolloutState;
    readonly watch: Watch;
    readonly observation: Observation;
    readonly facts: Facts;
  },
  step: number,
): boolean {
  const { state, watch, observation, facts } = pass;
  if (watch.able.passes < stablePasses || facts.blockers.length > 0 || state.intended === null) return false;
  if (!facts.destinationAble.known || facts.destinationAble.value.length === 0) return false;
  const plans = state.plan.backends;
  const target = state.intended.target;
  const before = carryingServers(target.traffic, state.asFound, plans);
  const after = chosenServers(state, facts, step);
  if (before.length !== after.length || after.some((name) => !before.includes(name))) return true;
  const share = target.requestedShare;
  if (share === null || share >= 1) return false;
  const off = plans.filter((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return false;
    const made = configuredShare(plan, withoutDown(reading.value), target.traffic[plan.id] ?? {}) ?? share;
    return Math.abs(made - share) > Math.max(0.005, 0.05 * share);
  });
  if (off.length === 0) return false;
  // Integers may not come nearer: only other weights are worth an entry.
  const wanted = targetOfStep(state, observation, facts, step);
  return off.some(({ id }) => !sameWeights(target.traffic[id] ?? {}, wanted.traffic[id] ?? {}));
}

function sameWeights(one: ServerTargets, other: ServerTargets): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name]?.weight === other[name]?.weight);
}

/** Smallest and largest share that the weights in force make among servers that are up, over the backends. */
export function expectedShares(
  plans: readonly BackendPlan[],
  observation: Observation,
): { readonly low: number; readonly high: number } | null {
  let low = 1;
  let high = 0;
  for (const plan of plans) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return null;
    const share = configuredShare(plan, withoutDown(reading.value), {});
    if (share === null) return null;
    low = Math.min(low, share);
    high = Math.max(high, share);
  }
  return { low, high };
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
