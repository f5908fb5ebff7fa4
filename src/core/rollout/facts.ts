import { known, type Reading, unknown } from '../observed/reading.ts';
import { ableServers, instancesFor, originInstanceRps } from './capacity.ts';
import type { Builds } from './events.ts';
import { outWords, takenOut } from './hands.ts';
import { failedWordsOf } from './last-words.ts';
import { loadRps, loadToRaiseBy } from './load.ts';
import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';
import { blamedWords, unexplained } from './taken-back.ts';
import type { Watch } from './watch.ts';

/** What follows from one observation and decides whether anything may go forward. */
export type Facts = {
  readonly load: Reading<number>;
  readonly originInstanceRps: Reading<number>;
  readonly originAble: Reading<readonly string[]>;
  readonly destinationAble: Reading<readonly string[]>;
  /** Origin instances that carry all present traffic and the reserve. */
  readonly reserveNeed: Reading<number>;
  readonly builds: Reading<Builds>;
  /** Why nothing may be raised now, in words; empty: it may. */
  readonly blockers: readonly string[];
  /** Those of them that speak against a change of any kind: all but a reserve that is not there. */
  readonly besidesReserve: readonly string[];
};

type Measured = Omit<Facts, 'blockers' | 'besidesReserve'>;

export function factsOf(state: RolloutState, watch: Watch, observation: Observation): Facts {
  const ids = state.plan.backends.map((plan) => plan.id);
  const load = loadRps(watch.load, ids);
  const perInstance = originInstanceRps(state.plan, watch.originRpsPerInstanceMax);
  const facts = {
    load,
    originInstanceRps: perInstance,
    originAble: ableServers(state, observation, 'origin'),
    destinationAble: ableServers(state, observation, 'destination'),
    reserveNeed: reserveNeed(state, load, perInstance),
    builds: observedBuilds(observation),
  };
  const needToRaise = reserveNeed(state, loadToRaiseBy(watch.load, ids), perInstance);
  const besidesReserve = [...blockersOf(state, observation, facts, needToRaise), ...lowered(state, watch, observation)];
  const lack = reserveLack(state, facts, needToRaise);
  const reserve = lack === null ? [] : [lack + failedWordsOf(observation.origin.reading, observation.nowMs)];
  return { ...facts, blockers: [...besidesReserve, ...reserve], besidesReserve };
}

function reserveNeed(state: RolloutState, load: Reading<number>, perInstance: Reading<number>): Reading<number> {
  if (!load.known) return load;
  if (!perInstance.known) return perInstance;
  return known(instancesFor(load.value, perInstance.value, state.plan.policy.reserve));
}

function observedBuilds(observation: Observation): Reading<Builds> {
  const origin = buildOf(observation, 'origin');
  const destination = buildOf(observation, 'destination');
  if (!origin.known) return unknown(`the origin's build is unknown: ${origin.why}`);
  if (!destination.known) return unknown(`the destination's build is unknown: ${destination.why}`);
  return known({ origin: origin.value, destination: destination.value });
}

function buildOf(observation: Observation, side: 'origin' | 'destination'): Reading<string> {
  const group = observation[side].reading;
  return group.known ? group.value.build : group;
}

function blockersOf(
  state: RolloutState,
  observation: Observation,
  facts: Measured,
  needToRaise: Reading<number>,
): string[] {
  const blockers: string[] = [];
  if (state.held !== null) blockers.push(heldWords(state.held));
  const blamed = unexplained(state, facts.builds);
  if (blamed.length > 0 && (state.held?.blamed ?? []).length === 0) blockers.push(blamedWords(blamed));
  if (!observation.marker.known) blockers.push(`the back marker cannot be read: ${observation.marker.why}`);
  else if (observation.marker.value !== null)
    blockers.push('the back marker is set, and `drover back` goes on with the way back');
  if (!facts.builds.known) blockers.push(facts.builds.why);
  else if (!sameBuilds(facts.builds.value, state.builds)) blockers.push('the builds have just changed');
  if (!facts.originAble.known) blockers.push(facts.originAble.why);
  if (!facts.reserveNeed.known) blockers.push(`the reserve is unknown: ${facts.reserveNeed.why}`);
  else if (facts.originAble.known && !needToRaise.known && reserveLack(state, facts, needToRaise) === null)
    blockers.push(`the reserve is unknown: ${needToRaise.why}`);
  return blockers;
}

function reserveLack(state: RolloutState, facts: Measured, needToRaise: Reading<number>): string | null {
  if (!facts.reserveNeed.known || !facts.originAble.known) return null;
  const able = facts.originAble.value.length;
  const need = Math.max(facts.reserveNeed.value, needToRaise.known ? needToRaise.value : 0);
  return able < need ? reserveBroken(able, need, state) : null;
}

/** That it is held, as one of the reasons why nothing may be raised. */
export function heldWords({ why }: NonNullable<RolloutState['held']>): string {
  return `held: ${why}`;
}

/** Somebody may have taken it back just now: the next reading tells, and until then it stays where it is. */
function lowered(state: RolloutState, watch: Watch, observation: Observation): string[] {
  const lower = state.plan.backends.flatMap((plan) => {
    if ((watch.backends[plan.id]?.lower ?? 0) === 0) return [];
    const reading = observation.backends[plan.id]?.reading;
    const isOut = reading?.known === true && takenOut(state, plan, reading.value).length > 0;
    return isOut ? [] : [`the destination has less at ${plan.id} than it was given`];
  });
  const out = outWords(state, observation);
  return out === null ? lower : [`somebody has taken ${out}`, ...lower];
}

export function sameBuilds(one: Builds, other: Builds): boolean {
  return one.origin === other.origin && one.destination === other.destination;
}

function reserveBroken(able: number, need: number, state: RolloutState): string {
  const declared =
    state.plan.origin.capacityRps === null ? ' (no capacity is declared; the highest load seen counts)' : '';
  return `the reserve is broken: the origin has ${able} able instances and needs ${need} to carry all traffic plus ${Math.round(
    state.plan.policy.reserve * 100,
  )} %${declared}`;
}
