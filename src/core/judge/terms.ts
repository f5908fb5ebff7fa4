import type { Window } from './counting.ts';
import { forSteadyParts, type Span } from './steady.ts';

/**
 * One row of the judge's sums: the failures of a span at one backend of one balancer process, and between which shares the
 * attempts that they belong to can have lain.
 */
export type Term = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly originFailures: number;
  readonly destinationFailures: number;
  /** null: the comparison gets nothing from this span (see `shareWithin`). */
  readonly share: ShareRange | null;
  /** φ: fixed before the first attempt of the span was seen. */
  readonly dispersion: number;
  /** Whether it began within the present step: only then is it evidence to promote. */
  readonly inStep: boolean;
  /** Destination attempts of the present step that have had time to fail, not counted by an earlier term. */
  readonly settledAttempts: number;
};

export type ShareRange = { readonly largest: number; readonly smallest: number };

/** What has to be remembered of one backend between windows. Plain JSON; at most one lag of closed spans. */
export type Memory = {
  /** Start of the unbroken stretch of windows; what happened before is not known. */
  readonly knownFromMs: number;
  readonly toMs: number;
  /** Spans that begin earlier are no evidence to promote. */
  readonly stepFromMs: number;
  readonly open: OpenSpan | null;
  readonly closed: readonly Span[];
};

type OpenSpan = {
  readonly fromMs: number;
  readonly origin: number;
  readonly destination: number;
  readonly originFailures: number;
  readonly destinationFailures: number;
  readonly dispersion: number;
};

/** A span is closed when each side that gets attempts has this many … */
const attemptsMin = 50;
/** … or when it is this long. */
const spanMsMax = 10_000;
/** Spans are not shorter than the lag divided by this, so that a long lag does not make a large checkpoint. */
const spansPerLagMax = 40;

/** Two terms where a window both ends the open span and is one of its own. */
export type Remembered = { readonly memory: Memory; readonly terms: readonly Term[] };

/**
 * Adds a window to the open span of its backend, and closes the span into a term where it holds enough attempts for its
 * share to mean something. When to close depends on attempts and time only, never on failures. A window that needs no
 * others is not mixed with them: in a span over a jump of the share, failures of both groups that began with the jump
 * would look like the destination's.
 * `lagMs`: how long an attempt can last. `dispersion`: φ as known before this window. `stepSinceMs`: from when on it is evidence
 * for the step; perhaps another controller entered it in the middle of one of this one's windows.
 */
export function rememberWindow(
  memory: Memory | null,
  window: Window,
  lagMs: number,
  dispersion: number,
  stepSinceMs = 0,
): Remembered {
  const unbroken = memory !== null && memory.toMs === window.fromMs ? memory : stretchFrom(window.fromMs);
  const before = stepSinceMs > unbroken.stepFromMs ? { ...unbroken, stepFromMs: stepSinceMs } : unbroken;
  const alone = extend(null, window, dispersion);
  if (before.open !== null && isComplete(before.closed, alone, window.toMs, lagMs)) {
    const ended = close(before, before.open, window.fromMs, lagMs);
    const closed = close(ended.memory, alone, window.toMs, lagMs);
    return { memory: closed.memory, terms: [...ended.terms, ...closed.terms] };
  }
  const open = before.open === null ? alone : extend(before.open, window, dispersion);
  if (isComplete(before.closed, open, window.toMs, lagMs)) return close(before, open, window.toMs, lagMs);
  return { memory: { ...before, toMs: window.toMs, open }, terms: [] };
}

/** From here on spans count for a new attempt at a step. */
export function beginStep(memory: Memory): Memory {
  return { ...memory, stepFromMs: memory.toMs };
}

/** Forgets everything before the last window: other builds made it. */
export function beginStretch(memory: Memory): Memory {
  return stretchFrom(memory.toMs);
}

/** Nothing is known of what came before, so nothing in the stretch is from before the step either (even if a clock went back). */
function stretchFrom(fromMs: number): Memory {
  return { knownFromMs: fromMs, toMs: fromMs, stepFromMs: fromMs, open: null, closed: [] };
}

function extend(open: OpenSpan | null, window: Window, dispersion: number): OpenSpan {
  const { origin, destination } = window;
  return {
    fromMs: open?.fromMs ?? window.fromMs,
    origin: (open?.origin ?? 0) + origin.attempts,
    destination: (open?.destination ?? 0) + destination.attempts,
    originFailures: (open?.originFailures ?? 0) + origin.failures,
    destinationFailures: (open?.destinationFailures ?? 0) + destination.failures,
    dispersion: open?.dispersion ?? dispersion,
  };
}

function isComplete(closed: readonly Span[], open: OpenSpan, toMs: number, lagMs: number): boolean {
  const ms = toMs - open.fromMs;
  if (ms >= spanMsMax) return true;
  if (ms < lagMs / spansPerLagMax || open.origin + open.destination < attemptsMin) return false;
  // A side that has no traffic at all is not waited for: its share is 0 (or 1) and nothing is uncertain about it.
  return hasEnough(open.origin, closed, 1) && hasEnough(open.destination, closed, 2);
}

function hasEnough(attempts: number, closed: readonly Span[], side: 1 | 2): boolean {
  if (attempts >= attemptsMin) return true;
  return attempts === 0 && closed.every((span) => span[side] === 0);
}

function close(before: Memory, open: OpenSpan, toMs: number, lagMs: number): Remembered {
  const keptFrom = firstAfter(before.closed, open.fromMs, toMs - lagMs);
  const span: Span = [toMs - open.fromMs, open.origin, open.destination];
  const reachesMs = open.fromMs - lagMs;
  const term: Term = {
    fromMs: open.fromMs,
    toMs,
    originFailures: open.originFailures,
    destinationFailures: open.destinationFailures,
    share: before.knownFromMs > reachesMs ? null : shareWithin(before.closed, open.fromMs, reachesMs, span),
    dispersion: open.dispersion,
    inStep: open.fromMs >= before.stepFromMs,
    settledAttempts: settled(before, open.fromMs, keptFrom),
  };
  const closed = before.closed.slice(keptFrom);
  closed.push(span);
  return { memory: { ...before, toMs, open: null, closed }, terms: [term] };
}

/** Index of the first span that ends after `atMs`; the last of all ends at `endMs`. */
function firstAfter(closed: readonly Span[], endMs: number, atMs: number): number {
  let index = closed.length;
  for (let toMs = endMs; index > 0 && toMs > atMs; index--) toMs -= closed[index - 1]?.[0] ?? 0;
  return index;
}

/** Destination attempts of this step in the spans before `keptFrom`: they are older than the lag, and are forgotten now. */
function settled({ closed, stepFromMs }: Memory, endMs: number, keptFrom: number): number {
  if (keptFrom === 0) return 0;
  let attempts = 0;
  let fromMs = endMs;
  for (let index = closed.length - 1; index >= 0; index--) {
    const span = closed[index];
    if (span === undefined) continue;
    fromMs -= span[0];
    if (index < keptFrom && fromMs >= stepFromMs) attempts += span[2];
  }
  return attempts;
}

/**
 * A failure is seen when its request ends, up to one lag after the attempt was counted: between the smallest and the
 * largest share of the steady parts that reach into the lag, and of the span itself, lies the one that holds for it. null
 * where one of the sides had no attempts in all that time: there is nothing to compare. (Where the lag is not wholly known
 * the caller does not ask.)
 */
function shareWithin(closed: readonly Span[], endMs: number, reachesMs: number, span: Span): ShareRange | null {
  let largest = 0;
  let smallest = 1;
  const include = (_ms: number, origin: number, destination: number) => {
    if (origin + destination === 0) return;
    const share = destination / (origin + destination);
    if (share > largest) largest = share;
    if (share < smallest) smallest = share;
  };
  forSteadyParts(closed, firstAfter(closed, endMs, reachesMs), span, include);
  include(span[0], span[1], span[2]);
  return largest === 0 || smallest === 1 ? null : { largest, smallest };
}

/**
 * The destination's attempts for the absolute guard: those of the window, or as many as its length holds at the largest
 * rate within the lag, if that is more. After a step down the failures of attempts that were made before still arrive.
 */
export function guardedAttempts(memory: Memory | null, window: Window, lagMs: number): number {
  const own = window.destination.attempts;
  if (memory === null || memory.toMs !== window.fromMs) return own;
  const { open, closed } = memory;
  const from = firstAfter(closed, open?.fromMs ?? memory.toMs, window.fromMs - lagMs);
  const last: Span | null = open === null ? null : [memory.toMs - open.fromMs, open.origin, open.destination];
  let perMs = 0;
  forSteadyParts(closed, from, last, (ms, _origin, destination) => {
    if (destination / ms > perMs) perMs = destination / ms;
  });
  return Math.max(own, perMs * (window.toMs - window.fromMs));
}
