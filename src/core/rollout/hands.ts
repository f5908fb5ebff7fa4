import type { BackendReading, ServerReading } from '../observed/backend.ts';
import type { TrafficEffect } from './decision.ts';
import type { HandSet, RolloutEvent } from './events.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { carriesNow, sideOf, wasFoundReady } from './servers.ts';
import type { RolloutState } from './state.ts';
import type { Watch } from './watch.ts';
import { drillWeight } from './weights.ts';

type Seen = Pick<Watch, 'backends'>;
type Hands = Readonly<Record<string, HandSet>>;

/** Entries where the weights that somebody has set are others than those that are journalled. */
export function setByHand(
  state: RolloutState,
  watch: Seen,
  { backends }: Pick<Observation, 'backends'>,
): RolloutEvent[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const servers = handsAt(state, watch, plan, reading.value);
    return isSame(servers, state.byHand[plan.id] ?? {}) ? [] : [{ kind: 'set-by-hand', backend: plan.id, servers }];
  });
}

/**
 * Weights that somebody has set: what is another one than was written and read back, by backend or server. A new process brings what
 * is configured, and is nobody's hand. An origin server at 0 is put aside, whatever is being written at the moment: no step before
 * the whole share gives it that. It is out only while others of its group carry: else nobody would be left to go back to. Given the
 * weight that it had, or was found with, it is a server like the others; any other weight is a hand too.
 */
function handsAt(state: RolloutState, watch: Seen, plan: BackendPlan, reading: BackendReading): Hands {
  const confirmed = state.confirmed[plan.id];
  const isNew = confirmed !== undefined && confirmed.process !== reading.process;
  if (state.intended === null || isNew) return {};
  const targets = state.intended.target.traffic[plan.id] ?? {};
  const hands: Record<string, HandSet> = {};
  const waiting = waitingForDrill(state, plan, reading);
  for (const { name, weight, configuredWeight } of reading.servers) {
    if (!wasFoundReady(state.asFound, plan.id, name)) continue;
    const before = state.byHand[plan.id]?.[name];
    const target = targets[name];
    const was = name === waiting ? drillWeight : (target?.weight ?? before?.was);
    if (was === undefined || (target?.admin === 'maint' && name !== waiting) || weight === was) continue;
    if (target === undefined && weight === state.asFound.backends[plan.id]?.[name]?.weight) continue;
    const isZero = weight === 0 && sideOf(plan, name) === 'origin';
    const aside = before?.aside === true ? isZero : isZero && originCarries(plan, reading);
    const isWritten = confirmed?.intent === state.intended.seq || watch.backends[plan.id]?.written[name] === was;
    const isNobodys = confirmed === undefined && configuredWeight === 0;
    if (before !== undefined || isWritten || (aside && !isNobodys)) hands[name] = { was, is: weight, aside };
  }
  return hands;
}

/** The server that the drill is about to put into maint still has the weight that it was measured with. */
function waitingForDrill(
  { stage, drilled }: RolloutState,
  plan: BackendPlan,
  { servers }: BackendReading,
): string | null {
  if (stage.kind !== 'drill-back') return null;
  return servers.find(({ name, admin }) => name === drilled[plan.id] && admin === 'ready')?.name ?? null;
}

function originCarries(plan: BackendPlan, { servers }: BackendReading): boolean {
  return servers.some((server) => sideOf(plan, server.name) === 'origin' && carriesNow(server));
}

function isSame(one: Hands, other: Hands): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => one[name]?.is === other[name]?.is && one[name]?.aside === other[name]?.aside)
  );
}

/**
 * Destination servers that are to carry or to wait, and that are in maint or drain, whoever did that: nobody but whoever did puts
 * them back. Only what the drill has put into maint is Drover's own to wake.
 */
export function takenOut(state: RolloutState, plan: BackendPlan, { servers }: BackendReading): ServerReading[] {
  const targets = state.intended?.target.traffic[plan.id] ?? {};
  return servers.filter(({ name, admin }) => {
    const wanted = targets[name]?.admin ?? null;
    if (admin === 'ready' || wanted === null || sideOf(plan, name) !== 'destination') return false;
    return admin === 'drain' || (wanted === 'ready' && state.drilled[plan.id] !== name);
  });
}

/** `new-1 out (maint), new-2 out (drain, as configured) at edge`, of every balancer; null: nobody is, as far as they were read. */
export function outWords(state: RolloutState, { backends }: Pick<Observation, 'backends'>): string | null {
  const places = state.plan.backends.flatMap((plan) => {
    const reading = backends[plan.id]?.reading;
    const out = reading?.known ? takenOut(state, plan, reading.value) : [];
    return out.length === 0 ? [] : [`${out.map(stateWords).join(', ')} at ${plan.id}`];
  });
  return places.length === 0 ? null : places.join('; ');
}

function stateWords({ name, admin, configuredAdmin }: ServerReading): string {
  const isConfigured = configuredAdmin.known && configuredAdmin.value === admin;
  return `${name} out (${admin}${isConfigured ? ', as configured' : ''})`;
}

/** Why it is held: a weight of the origin that is neither what was written nor 0. null: no such weight stands. */
export function originHandWords(
  state: RolloutState,
  watch: Seen,
  plan: BackendPlan,
  reading: BackendReading,
): string | null {
  const hands = Object.entries(handsAt(state, watch, plan, reading)).filter(
    ([name, { aside }]) => !aside && sideOf(plan, name) === 'origin',
  );
  if (hands.length === 0) return null;
  return `somebody set ${hands.map(([name, set]) => handWords(name, set)).join(', ')} at ${plan.id}; it is left so (resume to write the weights of the step again)`;
}

/** `classic-1 from weight 100 to 0`. */
export function handWords(name: string, { was, is, aside }: HandSet): string {
  return `${name} from weight ${was} to ${is}${aside ? ', which puts it aside' : ''}`;
}

/** A hand at the origin is not put back: the effect without it. null: nothing is left. */
export function respecting(
  state: RolloutState,
  watch: Seen,
  plan: BackendPlan,
  reading: BackendReading,
  effect: TrafficEffect,
): TrafficEffect | null {
  const hands = handsAt(state, watch, plan, reading);
  const weights = Object.fromEntries(
    Object.entries(effect.weights).filter(
      ([name]) => hands[name] === undefined || sideOf(plan, name) === 'destination',
    ),
  );
  const isEmpty = Object.keys(weights).length === 0 && Object.keys(effect.states).length === 0;
  return isEmpty ? null : { ...effect, weights };
}

/** What stands now, one line each. */
export function handLines({ byHand, plan }: Pick<RolloutState, 'byHand' | 'plan'>): string[] {
  return plan.backends.flatMap(({ id }) =>
    Object.entries(byHand[id] ?? {}).map(([name, set]) => `${id}: ${handWords(name, set)}`),
  );
}
