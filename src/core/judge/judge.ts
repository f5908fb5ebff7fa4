import type { JudgeSettings } from '../fleet/config.ts';
import type { Reading } from '../observed/reading.ts';
import type { Window } from './counting.ts';
import { addDispersion, type Dispersion, dispersionOf, startDispersion } from './dispersion.ts';
import { absolutePromotion, addPromotion, betaOfAttempt, type PromotionSums, startPromotion } from './promote.ts';
import {
  addComparison,
  addGuard,
  alphaOfPair,
  comparedRatios,
  guardedRatios,
  mixtureEvidence,
  type StartMixture,
  startMixture,
  startProcesses,
} from './rollback.ts';
import { beginStep, beginStretch, guardedAttempts, type Memory, rememberWindow, type Term } from './terms.ts';

/** `objective` is λ0, the failed fraction that users accept; null: there is no absolute evidence. */
export type Rules = JudgeSettings & { readonly objective: number | null };

/**
 * The sequential test as its sufficient statistics: plain JSON, journalled as a checkpoint, and judging goes on from it.
 *
 *   watching → (evidence to promote, baked) → promote → (enterStep) → watching
 *   watching or promote → (evidence to roll back) → roll back, which only a new pair of builds ends
 */
export type JudgeState = {
  readonly rules: Rules;
  /** 1 for the first pair of builds of the operation, one more at each change. */
  readonly pair: number;
  /** α and β in force: parts of the rules' for this pair and this attempt. */
  readonly alpha: number;
  readonly beta: number;
  /** The attempt at the present step; null: no step has been entered, so nothing is evidence to promote. */
  readonly attempt: number | null;
  /** When this step was entered and this pair of builds first seen, by the journal: windows that begin earlier do not count for them. */
  readonly stepSinceMs: number;
  readonly pairSinceMs: number;
  /** When the first window of this pair began; start times count from here. */
  readonly startMs: number | null;
  readonly comparison: StartMixture;
  readonly guard: StartMixture | null;
  /** By backend: failures that may still be those of other builds. Only with a pair that is not the first. */
  readonly carried?: Readonly<Record<string, number>>;
  readonly promotion: PromotionSums;
  readonly dispersion: Dispersion;
  readonly backends: Readonly<Record<string, Memory>>;
  readonly decided: 'roll back' | 'promote' | null;
};

export type Verdict = {
  readonly verdict: 'roll back' | 'promote' | 'not enough evidence';
  readonly rollBack: Evidence;
  readonly promote: Evidence;
  /** φ as measured on the origin. Where it is unknown, the rules' own is used. */
  readonly dispersion: Reading<number>;
};

/** Natural logarithms. `by`: whether the comparison of the groups or the objective is nearer its threshold. */
export type Evidence = {
  readonly logEvidence: number;
  readonly threshold: number;
  readonly by: 'comparison' | 'absolute';
};

/** Both ways to one verdict, in nats; `absolute` is null where there is no objective. The threshold is the same for both. */
export type Ways = {
  readonly comparison: number;
  readonly absolute: number | null;
  readonly threshold: number;
};

/** What a pass over new windows has to know beside them. */
export type JudgePass = {
  /** How long an attempt can last: connect plus server time-out. Failures may be this much later than their attempts. */
  readonly attemptMsMax: number;
  /** The bake time of the step has passed: only then may the verdict be `promote`. */
  readonly baked: boolean;
  /** Backends whose failures the absolute guard must not count, because impatient clients look like failures there (`option abortonclose`). */
  readonly unguarded: readonly string[];
};

/** `pair` ≥ 1. */
export function startJudge(rules: Rules, pair: number): JudgeState {
  return {
    rules,
    pair,
    alpha: alphaOfPair(rules.alpha, pair),
    beta: rules.beta,
    attempt: null,
    stepSinceMs: 0,
    pairSinceMs: 0,
    startMs: null,
    comparison: startMixture(comparedRatios(rules.tolerate)),
    guard: rules.objective === null ? null : startMixture(guardedRatios),
    promotion: startPromotion(rules.objective),
    dispersion: startDispersion(),
    backends: {},
    decided: null,
  };
}

/** Other builds: all evidence begins anew, with the next part of α. What was learned about the origin's dispersion stays. */
export function newPair(state: JudgeState, pair: number, sinceMs = 0): JudgeState {
  return {
    ...startJudge(state.rules, pair),
    pairSinceMs: sinceMs,
    dispersion: state.dispersion,
    backends: mapValues(state.backends, beginStretch),
  };
}

/** Attempt j ≥ 1 at a step, counted over operations for this pair of builds: evidence to promote begins anew, with β/(j(j+1)). */
export function enterStep(state: JudgeState, attempt: number, sinceMs = 0): JudgeState {
  return {
    ...state,
    attempt,
    stepSinceMs: sinceMs,
    beta: betaOfAttempt(state.rules.beta, attempt),
    promotion: startPromotion(state.rules.objective),
    backends: mapValues(state.backends, beginStep),
    decided: state.decided === 'roll back' ? 'roll back' : null,
  };
}

/**
 * Judges the new windows of all backends. A backend without one (it could not be read, or this was its first reading) adds
 * nothing; its next window will be longer. The order of the backends makes no difference.
 */
export function judgeWindows(
  state: JudgeState,
  windowsByBackend: Readonly<Record<string, Window | null>>,
  pass: JudgePass,
): JudgeState {
  if (state.decided === 'roll back') return state;
  let next = state;
  for (const [backend, window] of inOrder(windowsByBackend)) next = judgeWindow(next, backend, window, pass);
  return decide(next, pass.baked);
}

function inOrder(windows: Readonly<Record<string, Window | null>>): [string, Window][] {
  const present: [string, Window][] = [];
  for (const backend of Object.keys(windows)) {
    const window = windows[backend] ?? null;
    if (window !== null) present.push([backend, window]);
  }
  return present.sort((a, b) => a[1].fromMs - b[1].fromMs || (a[0] < b[0] ? -1 : 1));
}

function judgeWindow(state: JudgeState, backend: string, window: Window, pass: JudgePass): JudgeState {
  if (window.fromMs < state.pairSinceMs) return state;
  const memory = Object.hasOwn(state.backends, backend) ? (state.backends[backend] ?? null) : null;
  const startMs = state.startMs ?? window.fromMs;
  const dispersion = dispersionInForce(state);
  const promotesFromMs = Math.max(state.stepSinceMs, ownFromMs(state, pass.attemptMsMax));
  const remembered = rememberWindow(memory, window, pass.attemptMsMax, dispersion, promotesFromMs);
  const guarded = state.guard !== null && !pass.unguarded.includes(backend);
  const carried = carriedInto(state, backend, window, pass.attemptMsMax);
  const { failures } = window.destination;
  const guard = guarded
    ? guardRow(state, (window.fromMs - startMs) / 1000, {
        failures: Math.max(0, failures - (carried ?? 0)),
        attempts: guardedAttempts(memory, window, pass.attemptMsMax),
        dispersion,
      })
    : state.guard;
  const { comparison, promotion } = judgeTerms(state, startMs, remembered.terms);
  return {
    ...state,
    comparison,
    promotion,
    startMs,
    guard,
    ...(carried === null ? {} : { carried: { ...state.carried, [backend]: Math.max(0, carried - failures) } }),
    dispersion: addDispersion(state.dispersion, backend, window),
    backends: { ...state.backends, [backend]: remembered.memory },
  };
}

/**
 * From when on whatever fails was given to these builds: those before them may have been given requests that end a lag later.
 * Promotion begins there. What was attempted until then is no evidence for it, and so neither is what failed.
 */
export function ownFromMs({ pair, pairSinceMs }: Pick<JudgeState, 'pair' | 'pairSinceMs'>, lagMs: number): number {
  return pair === 1 ? 0 : pairSinceMs + lagMs;
}

/**
 * How many failures of this window may belong to requests that other builds were given: those that were under way when the first
 * window of this pair began, and had not failed yet. The comparison waits for a lag instead, because it needs the shares of it;
 * a build that fails everything is not to wait for the guard. null: none can.
 */
function carriedInto(state: JudgeState, backend: string, window: Window, lagMs: number): number | null {
  if (window.fromMs >= ownFromMs(state, lagMs)) return null;
  const known = state.carried ?? {};
  return Object.hasOwn(known, backend) ? (known[backend] ?? 0) : window.destinationOpen;
}

function dispersionInForce(state: JudgeState): number {
  const measured = dispersionOf(state.dispersion);
  return measured.known ? measured.value : state.rules.dispersion;
}

function guardRow(state: JudgeState, seconds: number, row: Parameters<typeof addGuard>[2]): StartMixture | null {
  if (state.guard === null || state.rules.objective === null) return null;
  return addGuard(startProcesses(state.guard, seconds), state.rules.objective, row);
}

function judgeTerms(
  state: JudgeState,
  startMs: number,
  terms: readonly Term[],
): Pick<JudgeState, 'comparison' | 'promotion'> {
  const { tolerate, bad, objective } = state.rules;
  let { comparison, promotion } = state;
  for (const term of terms) {
    const started = startProcesses(comparison, (term.fromMs - startMs) / 1000);
    comparison = addComparison(started, tolerate, comparedRatios(tolerate), term);
    const promotes = state.attempt !== null && state.decided === null && term.inStep;
    if (promotes) promotion = addPromotion(promotion, bad, objective, term);
  }
  return { comparison, promotion };
}

function decide(state: JudgeState, baked: boolean): JudgeState {
  const rollBack = rollBackEvidence(state);
  if (rollBack.logEvidence >= rollBack.threshold) return { ...state, decided: 'roll back' };
  if (state.decided !== null || !baked || state.attempt === null || rollBack.logEvidence > 0) return state;
  const promote = promoteEvidence(state);
  return promote.logEvidence >= promote.threshold ? { ...state, decided: 'promote' } : state;
}

export function verdict(state: JudgeState): Verdict {
  return {
    verdict: state.decided ?? 'not enough evidence',
    rollBack: rollBackEvidence(state),
    promote: promoteEvidence(state),
    dispersion: dispersionOf(state.dispersion),
  };
}

function rollBackEvidence(state: JudgeState): Evidence {
  return nearer(rollBackWays(state));
}

function promoteEvidence(state: JudgeState): Evidence {
  return nearer(promoteWays(state));
}

function nearer({ comparison, absolute, threshold }: Ways): Evidence {
  return absolute !== null && absolute > comparison
    ? { logEvidence: absolute, threshold, by: 'absolute' }
    : { logEvidence: comparison, threshold, by: 'comparison' };
}

export function rollBackWays({ comparison, guard, alpha }: JudgeState): Ways {
  return ways(mixtureEvidence(comparison), guard === null ? null : mixtureEvidence(guard), alpha);
}

export function promoteWays({ promotion: { comparison, absolute }, beta }: JudgeState): Ways {
  return ways(comparison, absolute === null ? null : absolutePromotion(absolute), beta);
}

/** Two ways to the same verdict share its error between them, so their thresholds are equal and the larger one is nearer. */
function ways(comparison: number, absolute: number | null, error: number): Ways {
  // Not ln(2/error), which is infinite for the smallest numbers that there are.
  const threshold = absolute === null ? -Math.log(error) : Math.LN2 - Math.log(error);
  return { comparison, absolute, threshold };
}

/** Counts of one recorded window, which ended `toSeconds` after the start. */
export type RecordedRow = {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly originAttempts: number;
  readonly originFailures: number;
  readonly destinationAttempts: number;
  readonly destinationFailures: number;
};

/** For recorded windows, judged by themselves: α and β whole, the rules' dispersion, no step to enter and no bake time. */
export function startRecorded(rules: Rules): JudgeState {
  return { ...startJudge(rules, 1), alpha: rules.alpha, beta: rules.beta, attempt: 1, startMs: 0 };
}

/** Each row is a term with its own share: a recording is taken to hold each failure in the row of its attempt. */
export function judgeRecorded(state: JudgeState, row: RecordedRow): JudgeState {
  if (state.decided !== null) return state;
  const dispersion = state.rules.dispersion;
  const { originAttempts, destinationAttempts, destinationFailures } = row;
  const share = destinationAttempts / (originAttempts + destinationAttempts);
  const comparable = originAttempts > 0 && destinationAttempts > 0;
  const term: Term = {
    fromMs: row.fromSeconds * 1000,
    toMs: row.toSeconds * 1000,
    originFailures: row.originFailures,
    destinationFailures,
    share: comparable ? { largest: share, smallest: share } : null,
    dispersion,
    inStep: true,
    settledAttempts: destinationAttempts,
  };
  const guard = guardRow(state, row.fromSeconds, {
    failures: destinationFailures,
    attempts: destinationAttempts,
    dispersion,
  });
  return decide({ ...state, ...judgeTerms(state, 0, [term]), guard }, true);
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
