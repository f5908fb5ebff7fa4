import type { Entry } from '../journal/entry.ts';
import { enterStep, type JudgeState, newPair, startJudge, type Verdict } from '../judge/judge.ts';
import type {
  AsFound,
  BackCause,
  BackPerformed,
  Builds,
  Counted,
  DrillMeasure,
  ForwardStage,
  HandSet,
  Held,
  Resumed,
  RolloutEvent,
  Seen,
  Started,
  Target,
} from './events.ts';
import { attemptKey } from './events.ts';
import type { RolloutPlan } from './plan.ts';
import { buildsTakenBack, type TakenBack, withReasonFor } from './taken-back.ts';

/**
 * Where a rollout stands: a fold over its chain and nothing else. Plain JSON.
 *
 *   preparing → drill-shifting → drill-back → drill-restoring → growing(1) → shifting(1) → judging(1) → growing(2) … → finishing → completed
 *   any of these (and completed) → cutting → restoring → rolled-back
 *
 * `held` lies over a forward stage: nothing is raised, but everything that takes the way back still watches.
 */
export type RolloutState = {
  readonly operation: string;
  readonly seq: number;
  readonly startedAtMs: number;
  readonly plan: RolloutPlan;
  readonly planHash: string;
  readonly asFound: AsFound;
  readonly reason: string | null;
  readonly stage: Stage;
  readonly stageSinceMs: number;
  /** The entry that entered it. */
  readonly stageSeq: number;
  readonly builds: Builds;
  /** 1 for the builds at the start, one more at each change: the judge's α is spent over the pairs. */
  readonly pair: number;
  readonly pairSinceMs: number;
  /** Attempts at each step and pair, earlier operations included, by `attemptKey`. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Builds that may not come in without a reason. */
  readonly takenBack: TakenBack;
  readonly intended: IntendedState | null;
  /** Which process of each backend was last read back as intended, and which intent that was. */
  readonly confirmed: Readonly<Record<string, Confirmed>>;
  /** By backend: the server that the drill has put into maint, until it was read back awake. */
  readonly drilled: Readonly<Record<string, string>>;
  /** Weights that somebody has set, by backend and server: told, and at the origin's servers not put back. */
  readonly byHand: Readonly<Record<string, Readonly<Record<string, HandSet>>>>;
  readonly held: (Omit<Held, 'kind'> & { readonly atMs: number }) | null;
  readonly drill: { readonly measure: DrillMeasure; readonly passed: boolean; readonly note: string } | null;
  readonly back: BackState | null;
  /** The last checkpoint's, taken through the steps and pairs entered since. */
  readonly judge: JudgeState;
  readonly seen: Seen;
  /** Attempts and failures since it began, as last journalled. */
  readonly counted: Counted;
  readonly checkpointAtMs: number;
  readonly retired: boolean;
};

export type Stage =
  | ForwardStage
  | { readonly kind: 'cutting' }
  | { readonly kind: 'restoring' }
  | { readonly kind: 'rolled-back' }
  | { readonly kind: 'completed' };

/** `intent` 0: it was resumed since, and everything is read back anew. */
export type Confirmed = { readonly process: string; readonly intent: number };

export type IntendedState = {
  readonly seq: number;
  readonly atMs: number;
  readonly target: Target;
  readonly why: string;
};

export type BackState = {
  readonly cause: BackCause;
  readonly all: boolean;
  readonly performedAtMs: number;
  readonly verdict: Verdict | null;
  /** The builds that were taken back, by whatever is known of what ran at the destination; empty: nothing is. */
  readonly builds: readonly string[];
  readonly drained: { readonly inFlight: number; readonly afterMs: number } | null;
};

/** Of an entry. */
type Place = Pick<Entry, 'seq' | 'atMs'>;

const nothing: Counted = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } };

/** The state after `entry`. The first entry must be `started`; asserts that the chain makes sense. */
export function fold(state: RolloutState | null, entry: Entry): RolloutState {
  const event = entry.body as RolloutEvent;
  if (event.kind === 'started') {
    if (state !== null) throw new Error(`${entry.operation}: entry ${entry.seq} starts an operation that has started`);
    return begin(entry, event);
  }
  if (state === null) throw new Error(`${entry.operation}: entry ${entry.seq} (${event.kind}) comes before its start`);
  if (entry.seq !== state.seq + 1) throw new Error(`${entry.operation}: entry ${entry.seq} follows ${state.seq}`);
  return { ...apply(state, event, entry), seq: entry.seq };
}

function begin(entry: Entry, event: Started): RolloutState {
  return {
    operation: entry.operation,
    seq: entry.seq,
    startedAtMs: entry.atMs,
    plan: event.plan,
    planHash: event.planHash,
    asFound: event.asFound,
    reason: event.reason,
    stage: { kind: 'preparing' },
    stageSinceMs: entry.atMs,
    stageSeq: entry.seq,
    builds: event.builds,
    pair: 1,
    pairSinceMs: entry.atMs,
    attempts: event.earlierAttempts,
    takenBack: event.takenBack ?? {},
    intended: null,
    confirmed: {},
    drilled: {},
    byHand: {},
    held: null,
    drill: null,
    back: null,
    judge: startJudge({ ...event.plan.policy.judge, objective: event.plan.objective }, 1),
    seen: { originRpsPerInstanceMax: null, share: null, loadRps: null, restarts: 0, counted: nothing },
    counted: nothing,
    checkpointAtMs: entry.atMs,
    retired: false,
  };
}

function apply(state: RolloutState, event: Exclude<RolloutEvent, Started>, entry: Entry): RolloutState {
  switch (event.kind) {
    case 'intended':
      return {
        ...state,
        intended: { seq: entry.seq, atMs: entry.atMs, target: event.target, why: event.why },
        confirmed: stillConfirmed(state, event.target, entry.seq),
        drilled: state.back === null ? { ...state.drilled, ...drilledBy(state, event.target) } : state.drilled,
        byHand: stillByHand(state, event.target),
      };
    case 'confirmed':
      return {
        ...state,
        confirmed: { ...state.confirmed, [event.backend]: { process: event.process, intent: event.intent } },
        drilled: isInMaint(state, event.backend) ? state.drilled : without(state.drilled, event.backend),
      };
    case 'drill-woken':
      return { ...state, drilled: without(state.drilled, event.backend) };
    case 'balancer-restarted':
    case 'servers-came':
    case 'set-by-hand':
      return atBalancer(state, event);
    case 'stage-entered':
      return enter(state, event.stage, event.attempt, entry);
    case 'drill-measured':
      return { ...state, drill: { measure: event.measure, passed: event.passed, note: event.note } };
    case 'promoted':
      return state;
    case 'builds-changed':
      return paired(state, event, entry);
    case 'held':
      return heldBy(state, event, entry);
    case 'resumed':
      return resumed(state, event);
    case 'checkpoint':
      return {
        ...state,
        judge: event.judge,
        seen: event.seen,
        counted: event.seen.counted,
        checkpointAtMs: entry.atMs,
      };
    case 'back-performed':
      return goneBack(state, event, entry);
    case 'drained':
      return {
        ...moved(state, { kind: 'restoring' }, entry),
        counted: event.counted,
        back: state.back && { ...state.back, drained: { inFlight: event.inFlight, afterMs: event.afterMs } },
      };
    case 'rolled-back':
      return moved(state, { kind: 'rolled-back' }, entry);
    case 'completed':
      return { ...moved(state, { kind: 'completed' }, entry), counted: event.counted };
    case 'retired':
      return { ...state, retired: true };
    default:
      return unreadable(event, entry);
  }
}

/** What others have done at a balancer. */
function atBalancer(
  state: RolloutState,
  event: Extract<RolloutEvent, { readonly kind: 'balancer-restarted' | 'servers-came' | 'set-by-hand' }>,
): RolloutState {
  switch (event.kind) {
    case 'balancer-restarted':
      return {
        ...state,
        confirmed: without(state.confirmed, event.backend),
        byHand: without(state.byHand, event.backend),
      };
    case 'servers-came':
      return { ...state, asFound: withServers(state.asFound, event) };
    case 'set-by-hand':
      return {
        ...state,
        byHand: { ...state.byHand, [event.backend]: event.servers },
        intended: state.intended && { ...state.intended, target: withoutAside(state.intended.target, event) },
      };
  }
}

function heldBy(state: RolloutState, { kind: _, ...held }: Held, { atMs }: Entry): RolloutState {
  return { ...state, held: { ...held, atMs } };
}

/** Somebody answers for going on: what was lowered by hand meanwhile may be raised again. */
function resumed(state: RolloutState, { reason }: Resumed): RolloutState {
  return {
    ...state,
    held: null,
    takenBack: reason === null ? state.takenBack : withReasonFor(state.takenBack, state.builds.destination),
    confirmed: toBeConfirmed(state.confirmed),
    byHand: filtered(state.byHand, (_backend, _name, { aside }) => aside),
  };
}

/** After a way back that was performed, which counts as it happened, whether or not a journal has taken it yet. */
export function afterBack(state: RolloutState, performed: BackPerformed): RolloutState {
  return goneBack(state, performed, { seq: state.seq + 1, atMs: performed.performedAtMs });
}

function goneBack(state: RolloutState, event: BackPerformed, entry: Place): RolloutState {
  const { cause, all, performedAtMs, verdict, target, counted } = event;
  return {
    ...moved(state, { kind: 'cutting' }, entry),
    intended: { seq: entry.seq, atMs: entry.atMs, target, why: 'the way back' },
    held: null,
    drilled: {},
    counted,
    back: { cause, all, performedAtMs, verdict, builds: buildsTakenBack(state, event), drained: null },
  };
}

function paired(
  state: RolloutState,
  { builds, pair }: Extract<RolloutEvent, { readonly kind: 'builds-changed' }>,
  entry: Entry,
): RolloutState {
  const seen = pair === state.pair ? state.seen : { ...state.seen, restarts: 0 };
  // What the start was given a reason for, before anything ran there.
  const isFirst = state.builds.destination === 'unknown' && state.reason !== null;
  const takenBack = isFirst ? withReasonFor(state.takenBack, builds.destination) : state.takenBack;
  const judge = newPair(state.judge, pair, entry.atMs);
  return { ...state, builds, pair, pairSinceMs: entry.atMs, takenBack, judge, seen };
}

function enter(state: RolloutState, stage: ForwardStage, attempt: number, entry: Entry): RolloutState {
  // What ended while capacity was waited for counts for that alone.
  const seen = state.stage.kind === 'preparing' ? { ...state.seen, restarts: 0 } : state.seen;
  const next = { ...moved(state, stage, entry), seen };
  if (stage.kind !== 'judging') return next;
  const key = attemptKey(stage.step, state.builds);
  return {
    ...next,
    attempts: { ...state.attempts, [key]: attempt },
    judge: enterStep(state.judge, attempt, entry.atMs),
  };
}

/**
 * A backend for which nothing changes but the floors stays confirmed: only so is a share that somebody lowers at that moment
 * told from one that was never written.
 */
function stillConfirmed(state: RolloutState, target: Target, seq: number): RolloutState['confirmed'] {
  const confirmed: Record<string, RolloutState['confirmed'][string]> = {};
  for (const [backend, row] of Object.entries(state.confirmed)) {
    const isSame = row.intent === state.intended?.seq && isSameAt(state, target, backend);
    confirmed[backend] = isSame ? { ...row, intent: seq } : row;
  }
  return confirmed;
}

/** Going forward only the drill wants a server in maint. */
function drilledBy({ plan }: RolloutState, { traffic }: Target): RolloutState['drilled'] {
  return Object.fromEntries(
    plan.backends.flatMap(({ id }) =>
      Object.entries(traffic[id] ?? {}).flatMap(([name, { admin }]) => (admin === 'maint' ? [[id, name]] : [])),
    ),
  );
}

/** The drill's server is still to be in maint there. */
function isInMaint({ drilled, intended }: RolloutState, backend: string): boolean {
  return intended?.target.traffic[backend]?.[drilled[backend] ?? '']?.admin === 'maint';
}

function isSameAt({ intended }: RolloutState, target: Target, backend: string): boolean {
  return intended !== null && sameTargets(intended.target.traffic[backend] ?? {}, target.traffic[backend] ?? {});
}

function withServers(
  { backends, ...sizes }: AsFound,
  { backend, servers }: Extract<RolloutEvent, { readonly kind: 'servers-came' }>,
): AsFound {
  return { ...sizes, backends: { ...backends, [backend]: { ...backends[backend], ...servers } } };
}

/** What somebody has put aside is not written: a server that is not named is not touched. */
function withoutAside(
  target: Target,
  { backend, servers }: Extract<RolloutEvent, { readonly kind: 'set-by-hand' }>,
): Target {
  const rows = Object.entries(target.traffic[backend] ?? {}).filter(([name]) => servers[name]?.aside !== true);
  return { ...target, traffic: { ...target.traffic, [backend]: Object.fromEntries(rows) } };
}

/** What is written anew at a backend is nobody's hand any more; a server that the target does not name is not written. */
function stillByHand(state: RolloutState, target: Target): RolloutState['byHand'] {
  return filtered(
    state.byHand,
    (backend, name) => isSameAt(state, target, backend) || target.traffic[backend]?.[name] === undefined,
  );
}

function filtered(
  byHand: RolloutState['byHand'],
  stands: (backend: string, name: string, set: HandSet) => boolean,
): RolloutState['byHand'] {
  return Object.fromEntries(
    Object.entries(byHand).map(([backend, servers]) => [
      backend,
      Object.fromEntries(Object.entries(servers).filter(([name, set]) => stands(backend, name, set))),
    ]),
  );
}

/** No entry has the number 0: the same processes, none of them known to be as intended. */
function toBeConfirmed(confirmed: RolloutState['confirmed']): RolloutState['confirmed'] {
  return Object.fromEntries(Object.entries(confirmed).map(([backend, row]) => [backend, { ...row, intent: 0 }]));
}

function sameTargets(one: Target['traffic'][string], other: Target['traffic'][string]): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => one[name]?.weight === other[name]?.weight && one[name]?.admin === other[name]?.admin)
  );
}

function moved(state: RolloutState, stage: Stage, entry: Place): RolloutState {
  return { ...state, stage, stageSinceMs: entry.atMs, stageSeq: entry.seq };
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}

function unreadable(event: never, entry: Entry): never {
  const kind = (event as { kind: string }).kind;
  throw new Error(
    `${entry.operation}: entry ${entry.seq} says "${kind}", which this version does not know; use the Drover that wrote it`,
  );
}

export function hasEnded(state: RolloutState): boolean {
  return state.stage.kind === 'rolled-back' || state.stage.kind === 'completed';
}

/** The entry by which a rollout has ended, the last of its kind; null: it has not, or was taken up again by a way back. */
export function endedAtSeq(chain: readonly Entry[]): number | null {
  const last = chain.findLast(({ body }) => ending.includes(body.kind) || body.kind === reopening);
  return last === undefined || last.body.kind === reopening ? null : last.seq;
}

const ending: readonly string[] = ['rolled-back', 'completed', 'retired'] satisfies RolloutEvent['kind'][];
const reopening: string = 'back-performed' satisfies RolloutEvent['kind'];

/** Every backend was read back as the present intent wants it. */
export function isConfirmed(state: RolloutState): boolean {
  return state.plan.backends.every(
    (plan) => state.intended !== null && state.confirmed[plan.id]?.intent === state.intended.seq,
  );
}
