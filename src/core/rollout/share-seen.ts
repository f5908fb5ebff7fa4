import type { Window } from '../judge/counting.ts';
import { configuredShare, withoutDown } from './effects.ts';
import { recentMs } from './load.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { isConfirmed, type RolloutState } from './state.ts';

/** Attempts of both groups after which an observed share says something. */
export const attemptsToTell = 20;

/** Smallest and largest share that weights make among the servers that are up, over the backends. */
export type ShareRange = { readonly low: number; readonly high: number };

/** Attempts of all backends between two passes, and the shares that the weights made at both of them. */
export type ShareSpan = ShareRange & { readonly toMs: number; readonly origin: number; readonly destination: number };

/**
 * What was seen of the share since every backend was confirmed with the present intent: the last spans, oldest first, which
 * reach back as far as the recent load does, and further where so few requests come that those would say nothing.
 */
export type ShareSeen = {
  readonly intent: number;
  readonly latest: ShareRange;
  readonly spans: readonly ShareSpan[];
};

/** null: not every backend has been confirmed and read under the present intent yet. */
export function shareSeen(
  before: ShareSeen | null,
  state: RolloutState,
  { nowMs, backends }: Pick<Observation, 'nowMs' | 'backends'>,
  windows: Readonly<Record<string, Window>>,
): ShareSeen | null {
  if (!isConfirmed(state) || state.intended === null) return null;
  const range = expectedShares(state.plan.backends, backends);
  // The window that ends in the first pass after the confirmation still holds attempts from before it.
  if (before?.intent !== state.intended.seq) return range && { intent: state.intended.seq, latest: range, spans: [] };
  const latest = range ?? before.latest;
  const span = {
    toMs: nowMs,
    origin: attemptsOf(windows, 'origin'),
    destination: attemptsOf(windows, 'destination'),
    low: Math.min(before.latest.low, latest.low),
    high: Math.max(before.latest.high, latest.high),
  };
  return { ...before, latest, spans: telling(added(before.spans, span), nowMs) };
}

/** Without any attempt it goes into the span before it: there are never many of them. */
function added(spans: readonly ShareSpan[], span: ShareSpan): readonly ShareSpan[] {
  const last = spans.at(-1);
  if (last === undefined || span.origin + span.destination > 0) return [...spans, span];
  const merged = { ...last, toMs: span.toMs, low: Math.min(last.low, span.low), high: Math.max(last.high, span.high) };
  return [...spans.slice(0, -1), merged];
}

function telling(spans: readonly ShareSpan[], nowMs: number): readonly ShareSpan[] {
  let from = spans.length;
  let attempts = 0;
  for (const span of spans.toReversed()) {
    if (attempts >= attemptsToTell && span.toMs <= nowMs - recentMs) break;
    attempts += span.origin + span.destination;
    from--;
  }
  return spans.slice(from);
}

/** Attempts of one group in the windows of all backends that were counted in a pass. */
export function attemptsOf(windows: Readonly<Record<string, Window>>, side: 'origin' | 'destination'): number {
  return Object.values(windows).reduce((sum, window) => sum + window[side].attempts, 0);
}

/** null: a backend cannot be read, or nothing is up there. */
function expectedShares(plans: readonly BackendPlan[], backends: Observation['backends']): ShareRange | null {
  let low = 1;
  let high = 0;
  for (const plan of plans) {
    const reading = backends[plan.id]?.reading;
    if (!reading?.known) return null;
    const share = configuredShare(plan, withoutDown(reading.value), {});
    if (share === null) return null;
    low = Math.min(low, share);
    high = Math.max(high, share);
  }
  return { low, high };
}
