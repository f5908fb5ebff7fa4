import type { Counting, Window } from '../judge/counting.ts';
import type { Counted, Gap } from './events.ts';
import { unservedAt } from './left.ts';
import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';

/**
 * What was counted, with the readings of one more pass. A backend's first reading by this controller, or of another process, has
 * no window: what its counters were told before is lost with whoever read them last, and that it is missing is kept.
 */
export function countedAfter(
  before: { readonly counted: Counted; readonly counting: Readonly<Record<string, Counting>> },
  state: RolloutState,
  counting: Readonly<Record<string, Counting>>,
  windows: Readonly<Record<string, Window>>,
): Counted {
  const { origin, destination, untilMs = {}, gaps = [], ...others } = before.counted;
  const sum = { origin: { ...origin }, destination: { ...destination } };
  const until: Record<string, number> = { ...untilMs };
  let missing = gaps;
  for (const { id } of state.plan.backends) {
    const read = counting[id];
    if (read === undefined || read === before.counting[id]) continue;
    const window = windows[id];
    if (window !== undefined) {
      for (const side of ['origin', 'destination'] as const) {
        sum[side].attempts += window[side].attempts;
        sum[side].failures += window[side].failures;
      }
    } else if (state.stage.kind !== 'preparing') {
      missing = withGap(missing, { fromMs: until[id] ?? state.checkpointAtMs, toMs: read.atMs });
    }
    until[id] = read.atMs;
  }
  return { ...others, ...sum, untilMs: until, gaps: missing };
}

/** A balancer whose counters are cleared all day is not to fill the journal: then what lies between two gaps is given up too. */
const gapsMax = 16;

function withGap(gaps: readonly Gap[], { fromMs, toMs }: Gap): readonly Gap[] {
  const apart = gaps.filter((one) => one.toMs < fromMs || one.fromMs > toMs);
  const touched = gaps.filter((one) => !apart.includes(one));
  const whole = {
    fromMs: Math.min(fromMs, ...touched.map((one) => one.fromMs)),
    toMs: Math.max(toMs, ...touched.map((one) => one.toMs)),
  };
  const inOrder = [...apart, whole].sort((one, other) => one.fromMs - other.fromMs);
  const [last, lastButOne] = [inOrder.at(-1), inOrder.at(-2)];
  if (inOrder.length <= gapsMax || last === undefined || lastButOne === undefined) return inOrder;
  return [...inOrder.slice(0, -2), { fromMs: lastButOne.fromMs, toMs: last.toMs }];
}

type Unserved = {
  readonly counted: Counted;
  /** Since when a backend has had nobody who carries its traffic. */
  readonly unservedSinceMs: Readonly<Record<string, number>>;
};

/** The same with what one more pass shows of backends whose traffic nobody carries: who is turned away there is in no server's counters. */
export function unservedAfter(before: Unserved, state: RolloutState, observation: Observation): Unserved {
  if (state.stage.kind === 'preparing') return before;
  const nobody = unservedAt(state, observation).filter(({ strangers }) => strangers.length === 0);
  const since: Record<string, number> = { ...before.unservedSinceMs };
  let spans = before.counted.unserved ?? [];
  for (const { id } of state.plan.backends) {
    const timed = observation.backends[id];
    if (timed === undefined || !timed.reading.known) continue;
    const isNobody = nobody.some(({ backend }) => backend === id);
    const fromMs = since[id] ?? (isNobody ? timed.atMs : null);
    if (fromMs === null) continue;
    spans = withSpan(spans, { backend: id, fromMs, toMs: timed.atMs });
    if (isNobody) since[id] = fromMs;
    else delete since[id];
  }
  return {
    unservedSinceMs: since,
    counted: spans.length === 0 ? before.counted : { ...before.counted, unserved: spans },
  };
}

type Span = NonNullable<Counted['unserved']>[number];

function withSpan(spans: readonly Span[], span: Span): readonly Span[] {
  const others = spans.filter(({ backend, fromMs }) => backend !== span.backend || fromMs !== span.fromMs);
  const [last, lastButOne] = [span, others.at(-1)];
  if (others.length < gapsMax || lastButOne === undefined) return [...others, last];
  return [...others.slice(0, -1), { ...last, fromMs: lastButOne.fromMs }];
}
