import { type Counting, countBackend, type Window } from '../judge/counting.ts';
import { enterStep, type JudgeState, judgeWindows, newPair, ownFromMs } from '../judge/judge.ts';
import type { BackendReading, ServerReading } from '../observed/backend.ts';
import { aloneSince, silentSince } from './alone.ts';
import { ableServers } from './capacity.ts';
import { countedAfter, unservedAfter } from './counted.ts';
import { type DrillRate, drillRate } from './drill.ts';
import { deviation } from './effects.ts';
import { attemptKey, type BackPerformed, type Counted, type RolloutEvent, type Target } from './events.ts';
import { factsOf } from './facts.ts';
import { takenOut } from './hands.ts';
import {
  addLoad,
  addWindow,
  catchUpMs,
  type RecentLoad,
  recentTally,
  seenLately,
  sideRps,
  type Tally,
} from './load.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { type Restarts, restartsAfter, startRestarts } from './restarts.ts';
import { carriesNow, isOurs, serversOf, sideOf } from './servers.ts';
import { shareCheck } from './share.ts';
import { attemptsOf, type ShareSeen, shareSeen } from './share-seen.ts';
import type { RolloutState } from './state.ts';
import { stepStands } from './step-needs.ts';

/**
 * What a controller has seen since it started: a fold over observations, seeded from the last checkpoint. Lost in a crash
 * without harm: evidence goes on from the checkpoint, everything else is seen again.
 */
export type Watch = {
  /** When this controller first looked; null: not yet. */
  readonly sinceMs: number | null;
  readonly counting: Readonly<Record<string, Counting>>;
  readonly judge: JudgeState;
  readonly judged: { readonly pair: number; readonly stageSeq: number };
  readonly recent: RecentLoad;
  /**
   * The windows that tell a load: not those in which a backend had no server that carries. Who was turned away there is counted
   * by nobody, and comes back; until a whole window tells, its load is the last that was known, as of one that is not read.
   */
  readonly load: RecentLoad;
  /** The windows counted in this pass, for the samples. */
  readonly windows: Readonly<Record<string, Window>>;
  readonly backends: Readonly<Record<string, BackendWatch>>;
  /** null: not every backend was confirmed with the present intent yet. */
  readonly share: ShareSeen | null;
  /** What was counted since the stage of this entry was entered, and only of these builds: for forecasts, never for the judge. */
  readonly inStage: { readonly seq: number; readonly origin: Tally; readonly destination: Tally };
  /** Destination attempts since the drill began. */
  readonly drillAttempts: number;
  /** What the drill's server was given while every backend was confirmed, by backend: nothing of before and after. */
  readonly drillRate: DrillRate;
  readonly restarts: Restarts;
  /** Since when this controller has been told of destination instances that do not stay up; null: there is none. */
  readonly loopingSinceMs: number | null;
  /** Who of both groups is able, and in how many passes in a row that has been so; since when each of the destination's has been. */
  readonly able: {
    readonly key: string;
    readonly passes: number;
    readonly sinceMs: Readonly<Record<string, number>>;
  };
  /** How many origin servers were able, over as long as the recent load reaches back; oldest first. */
  readonly originAble: readonly { readonly atMs: number; readonly count: number }[];
  readonly originRpsPerInstanceMax: number | null;
  /** When a backend last told that no origin server is up there; absent: the last it told is otherwise. */
  readonly aloneAtMs: Readonly<Record<string, number>>;
  /** When a backend last gave no answer; absent: it always has. */
  readonly silentAtMs: Readonly<Record<string, number>>;
  /** When a counter last fell without a new process; null: none did. */
  readonly fellAtMs: number | null;
  readonly counted: Counted;
  /** Since when a backend has had nobody who carries its traffic, as this controller saw it. */
  readonly unservedSinceMs: Readonly<Record<string, number>>;
  /** Since when the observed share has not been what the weights make; null: it is, or too little is known. */
  readonly shareOffSinceMs: number | null;
  /** Since when the capacity of the step that is being judged does not stand; null: it does, or none is being judged. */
  readonly notStandingSinceMs: number | null;
  /** The first way back that this controller has performed and that no journal has taken yet; null: none. */
  readonly performed: BackPerformed | null;
};

export type BackendWatch = {
  readonly process: string;
  /** At the last counted reading, and at what was read since without being counted, some server of either group carried. */
  readonly isServed: boolean;
  /** Consecutive readings without a new destination attempt. */
  readonly idleReadings: number;
  readonly destinationInFlight: number;
  /**
   * Consecutive readings that showed less for the destination than was confirmed on this process or than it had there already,
   * or a server that was taken out.
   */
  readonly lower: number;
  /** By destination server: its weight. */
  readonly weights: Readonly<Record<string, number>>;
  /** Destination servers with less than the target and than they had before, also where the target was not read back yet. */
  readonly fallen: readonly string[];
  /** By server: the weight that was intended and read back on this process, last of all. What it has instead later, somebody has set. */
  readonly written: Readonly<Record<string, number>>;
};

/** `performed`: a way back that is still to be journalled, whatever else is forgotten. */
export function startWatch(state: RolloutState, performed: BackPerformed | null = null): Watch {
  return {
    performed,
    sinceMs: null,
    counting: {},
    judge: state.judge,
    judged: { pair: state.pair, stageSeq: state.stageSeq },
    recent: {},
    load: {},
    windows: {},
    backends: {},
    share: null,
    inStage: { seq: state.stageSeq, origin: nothing, destination: nothing },
    drillAttempts: 0,
    drillRate: {},
    restarts: startRestarts(state),
    loopingSinceMs: null,
    able: { key: '', passes: 0, sinceMs: {} },
    originAble: [],
    originRpsPerInstanceMax: state.seen.originRpsPerInstanceMax,
    aloneAtMs: {},
    silentAtMs: {},
    fellAtMs: null,
    counted: state.counted,
    unservedSinceMs: {},
    shareOffSinceMs: null,
    notStandingSinceMs: null,
  };
}

/** After the way back of a decision was performed: until it is journalled it stays what happened, and when. */
export function performedBack(before: Watch, events: readonly RolloutEvent[]): Watch {
  const event = events.find((one) => one.kind === 'back-performed');
  return event === undefined ? before : { ...before, performed: event };
}

/** How long this controller has watched something that began at `sinceMs`: nothing is given up for the time in which nobody looked. */
export function watchedMs(watch: Watch, sinceMs: number, nowMs: number): number {
  return nowMs - Math.max(sinceMs, watch.sinceMs ?? nowMs);
}

/** The watch after one more observation, made while the journal stood at `state`. */
export function watch(before: Watch, state: RolloutState, observation: Observation): Watch {
  const counting: Record<string, Counting> = { ...before.counting };
  const backends: Record<string, BackendWatch> =
    state.held === null ? { ...before.backends } : answered(before.backends);
  const windows: Record<string, Window> = {};
  let { recent, load } = before;
  let fellAtMs = before.fellAtMs;
  for (const plan of state.plan.backends) {
    const timed = observation.backends[plan.id];
    if (timed === undefined || !timed.reading.known) continue;
    const reading = timed.reading.value;
    const counted = countBackend(before.counting[plan.id] ?? null, reading, timed.atMs, (server) =>
      sideOf(plan, server),
    );
    counting[plan.id] = counted.counting;
    if (counted.restarted !== null && before.counting[plan.id]?.process === reading.process) fellAtMs = timed.atMs;
    if (counted.window !== null) {
      windows[plan.id] = counted.window;
      recent = addWindow(recent, plan.id, counted.window);
      const isWhole = before.backends[plan.id]?.isServed === true && isServed(plan, reading);
      if (isWhole) load = addLoad(load, plan.id, counted.window);
    }
    const isCounted = counted.counting.atMs === timed.atMs;
    backends[plan.id] = watchBackend(backends[plan.id], state, plan, reading, counted.window, isCounted);
  }
  const origin = originAble(before, state, observation, recent);
  const share = shareSeen(before.share, state, observation, windows);
  const isOff = shareCheck(state, { share }).kind === 'off';
  const next: Watch = {
    share,
    recent,
    load,
    shareOffSinceMs: isOff ? (before.shareOffSinceMs ?? observation.nowMs) : null,
    sinceMs: before.sinceMs ?? observation.nowMs,
    ...judged(before, state, observation, windows),
    counting,
    windows,
    backends,
    inStage: inStage(before, state, windows),
    drillAttempts: drillAttempts(before, state, windows),
    drillRate: drillRate(before.drillRate, state, windows),
    restarts: restartsAfter(before.restarts, state, observation),
    loopingSinceMs: loopingSince(before, observation),
    able: able(before, state, observation),
    originAble: origin,
    aloneAtMs: aloneSince(before.aloneAtMs, state, observation),
    silentAtMs: silentSince(before.silentAtMs, state, observation),
    originRpsPerInstanceMax: highestLoad({ ...before, fellAtMs }, state, seenLately(recent, observation.nowMs), origin),
    fellAtMs,
    ...unservedAfter(
      { counted: countedAfter(before, state, counting, windows), unservedSinceMs: before.unservedSinceMs },
      state,
      observation,
    ),
    notStandingSinceMs: before.notStandingSinceMs,
    performed: state.back === null ? before.performed : null,
  };
  return isStanding(state, next, observation)
    ? { ...next, notStandingSinceMs: null }
    : { ...next, notStandingSinceMs: before.notStandingSinceMs ?? observation.nowMs };
}

function isStanding(state: RolloutState, watched: Watch, observation: Observation): boolean {
  if (state.stage.kind !== 'judging') return true;
  return stepStands(state, observation, factsOf(state, watched, observation), state.stage.step);
}

function judged(
  before: Watch,
  state: RolloutState,
  observation: Observation,
  windows: Watch['windows'],
): Pick<Watch, 'judge' | 'judged'> {
  let judge = before.judge;
  if (before.judged.pair !== state.pair) judge = newPair(judge, state.pair, state.pairSinceMs);
  if (before.judged.stageSeq !== state.stageSeq && state.stage.kind === 'judging') {
    judge = enterStep(judge, state.attempts[attemptKey(state.stage.step, state.builds)] ?? 1, state.stageSinceMs);
  }
  const step = state.stage.kind === 'judging' ? state.plan.steps[state.stage.step - 1] : undefined;
  judge = judgeWindows(judge, windows, {
    attemptMsMax: state.plan.policy.attemptMsMax,
    baked: step !== undefined && observation.nowMs - state.stageSinceMs >= step.bakeMs,
    unguarded: state.plan.backends.map((plan) => plan.id).filter((id) => abortsOnClose(observation, id)),
  });
  return { judge, judged: { pair: state.pair, stageSeq: state.stageSeq } };
}

/** Impatient clients look like failures there, so its failures say nothing absolute. */
function abortsOnClose(observation: Observation, backend: string): boolean {
  const reading = observation.backends[backend]?.reading;
  return reading?.known === true && reading.value.traits.abortOnClose.known && reading.value.traits.abortOnClose.value;
}

function watchBackend(
  before: BackendWatch | undefined,
  state: RolloutState,
  plan: BackendPlan,
  reading: BackendReading,
  window: Window | null,
  isCounted: boolean,
): BackendWatch {
  const destination = serversOf(plan, reading, 'destination').filter((server) => isOurs(state, plan.id, server.name));
  const targets = state.intended?.target.traffic[plan.id] ?? {};
  const confirmed = state.confirmed[plan.id];
  const isConfirmed = confirmed?.process === reading.process && confirmed.intent === state.intended?.seq;
  const fallen = before?.process === reading.process ? fallenSince(before, destination, targets) : [];
  const isLower =
    (isConfirmed && deviation(plan, reading, targets) === 'lower') ||
    takenOut(state, plan, reading).length > 0 ||
    fallen.length > 0;
  return {
    process: reading.process,
    isServed: isServed(plan, reading) && (isCounted || before?.isServed !== false),
    idleReadings: window !== null && window.destination.attempts === 0 ? (before?.idleReadings ?? 0) + 1 : 0,
    destinationInFlight: destination.reduce((total, server) => total + server.counters.scur, 0),
    lower: isLower ? (before?.lower ?? 0) + 1 : 0,
    weights: Object.fromEntries(destination.map(({ name, weight }) => [name, weight])),
    fallen,
    written: written(
      before?.process === reading.process ? before.written : {},
      reading,
      targets,
      state.byHand[plan.id] ?? {},
    ),
  };
}

/** What is lowered while it is held, or was before, whoever resumes answers for, also where it is not read meanwhile. */
function answered(backends: Watch['backends']): Record<string, BackendWatch> {
  return Object.fromEntries(
    Object.entries(backends).map(([id, seen]) => [id, { ...seen, weights: {}, fallen: [], lower: 0 }]),
  );
}

function fallenSince(
  before: BackendWatch,
  destination: readonly ServerReading[],
  targets: Target['traffic'][string],
): readonly string[] {
  const fell = destination.filter(({ name, weight }) => {
    const isBefore = before.fallen.includes(name) || weight < (before.weights[name] ?? 0);
    return isBefore && weight < (targets[name]?.weight ?? 0);
  });
  return fell.map(({ name }) => name);
}

/** One without any line of ours has no load of ours that could come back without a reload, which begins anew. */
function isServed(plan: BackendPlan, { servers }: BackendReading): boolean {
  const ours = servers.filter(({ name }) => sideOf(plan, name) !== null);
  return ours.length === 0 || ours.some(carriesNow);
}

function written(
  before: BackendWatch['written'],
  { servers }: BackendReading,
  targets: Target['traffic'][string],
  told: RolloutState['byHand'][string],
): BackendWatch['written'] {
  // A hand that is journalled stands until somebody answers for going on: then it is written anew, and no hand.
  const still = Object.entries(before).filter(([name]) => told[name] === undefined);
  const now = servers.filter(({ name, weight }) => targets[name]?.weight === weight);
  return Object.fromEntries([...still, ...now.map(({ name, weight }) => [name, weight] as const)]);
}

const nothing: Tally = { attempts: 0, failures: 0 };

function inStage(before: Watch, state: RolloutState, windows: Watch['windows']): Watch['inStage'] {
  const seq = state.stageSeq;
  if (before.inStage.seq !== seq) return { seq, origin: nothing, destination: nothing };
  const fromMs = ownFromMs(state, state.plan.policy.attemptMsMax);
  const own = Object.values(windows).filter((window) => window.fromMs >= fromMs);
  const added = (side: 'origin' | 'destination') =>
    own.reduce(
      (sum, window) => ({
        attempts: sum.attempts + window[side].attempts,
        failures: sum.failures + window[side].failures,
      }),
      before.inStage[side],
    );
  return { seq, origin: added('origin'), destination: added('destination') };
}

function drillAttempts(before: Watch, state: RolloutState, windows: Watch['windows']): number {
  const drilling = state.stage.kind === 'drill-shifting' || state.stage.kind === 'drill-back';
  return drilling ? before.drillAttempts + attemptsOf(windows, 'destination') : 0;
}

function loopingSince({ loopingSinceMs }: Watch, { nowMs, destination: { reading } }: Observation): number | null {
  if (!reading.known) return loopingSinceMs;
  return reading.value.instances.some(({ state }) => state === 'crash-looping') ? (loopingSinceMs ?? nowMs) : null;
}

function able(before: Watch, state: RolloutState, observation: Observation): Watch['able'] {
  const origin = ableServers(state, observation, 'origin');
  const destination = ableServers(state, observation, 'destination');
  const key = origin.known && destination.known ? `${origin.value.join()}|${destination.value.join()}` : '';
  // What cannot be read is no sign that anybody has gone.
  const sinceMs = destination.known
    ? Object.fromEntries(destination.value.map((name) => [name, before.able.sinceMs[name] ?? observation.nowMs]))
    : before.able.sinceMs;
  return { key, passes: key !== '' && key === before.able.key ? before.able.passes + 1 : 0, sinceMs };
}

/** From the last reading before the recent windows began, so that whoever carried their load is among them. */
function originAble(before: Watch, state: RolloutState, observation: Observation, recent: RecentLoad) {
  const able = ableServers(state, observation, 'origin');
  const fromMs = beginOf(recent) ?? observation.nowMs;
  const first = before.originAble.findLastIndex((one) => one.atMs <= fromMs);
  const kept = before.originAble.slice(Math.max(0, first));
  // A window begins when its balancer answered, which is a little before the pass had everything.
  const atMs = Math.min(observation.nowMs, ...Object.values(observation.backends).map((timed) => timed.atMs));
  return able.known ? [...kept, { atMs, count: able.value.length }] : kept;
}

/** When the earliest of the recent windows began; null: there are none. */
function beginOf(recent: RecentLoad): number | null {
  const begins = Object.values(recent).flatMap((windows) => windows.map((window) => window.fromMs));
  return begins.length === 0 ? null : Math.min(...begins);
}

function highestLoad(
  before: Watch,
  state: RolloutState,
  recent: RecentLoad,
  origin: Watch['originAble'],
): number | null {
  const ids = state.plan.backends.map((plan) => plan.id);
  const load = sideRps(recent, ids, 'origin');
  const tally = recentTally(recent, 'origin');
  const instances = Math.max(0, ...origin.map((one) => one.count));
  const fromMs = beginOf(recent);
  // Counters that fell may have been late ones: what was missing then comes all at once.
  const isCatchingUp = before.fellAtMs !== null && (fromMs ?? 0) < before.fellAtMs + catchUpMs;
  if (isCatchingUp) return before.originRpsPerInstanceMax;
  // An origin that could not be read when a window began may have had more instances then, which carried their part.
  const isWhole = fromMs !== null && (origin[0]?.atMs ?? Number.POSITIVE_INFINITY) <= fromMs;
  if (!load.known || instances === 0 || !isWhole) return before.originRpsPerInstanceMax;
  if (tally.failures > tally.attempts * 2 * (state.plan.objective ?? 0.01)) return before.originRpsPerInstanceMax;
  return Math.max(before.originRpsPerInstanceMax ?? 0, load.value / instances);
}
