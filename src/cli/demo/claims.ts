import type { Entry } from '../../core/journal/entry.ts';
import type { RolloutEvent } from '../../core/rollout/events.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { PastRollout } from '../journal/history.ts';
import { percentage, whole } from '../terminal/figures.ts';
import { balanceEvents, isFailure, isUnplanned, type LedgerRow, lastReachedMs } from './ledger.ts';

/** What the demo says of itself at the end, each with the figure that shows it. One that does not hold is exit code 1. */
export type Claim = { readonly name: string; readonly holds: boolean; readonly found: string };

export type Evidence = {
  readonly rows: readonly LedgerRow[];
  /** One id per stored event, from the collectors' logs. */
  readonly logged: readonly string[];
  /** What the query service says, asked after the last event. */
  readonly counted: number;
  readonly baseline: number;
  /** Requests per second of all users together, as was said. */
  readonly perSecond: number;
  readonly query: PastRollout;
  readonly bad: PastRollout;
  readonly fixed: PastRollout;
  /** When the rollout after the bad one began. */
  readonly fixedFromMs: number;
  /** When the last rollout had ended. */
  readonly movedAtMs: number;
  readonly outage: Outage;
};

/** The time without a controller: weights of the balancer when it was killed and before another one was started. */
export type Outage = { readonly ms: number; readonly before: string; readonly after: string };

const ratePerSecondMin = 300;
/** The bound of the drill's way back, which holds for a real one too. */
const backMsMax = 1000;
/** The same, and the two readings in a row that a balancer has to show as idle before it is believed. */
const idleMsMax = 3000;

export function claimsOf(evidence: Evidence): Claim[] {
  const { query, bad, fixed, outage } = evidence;
  return [
    cameAsSaid(evidence),
    failedAsSaid(evidence),
    completed(query.state, 'wave 1: query moved'),
    served(evidence.rows, 'page', 'query-vpc-', evidence.movedAtMs),
    takenBack(bad.state),
    wayBack(evidence),
    completed(fixed.state, 'wave 2: the fixed collector moved, though its controller was killed in the middle'),
    served(evidence.rows, 'event', 'collector-vpc-', evidence.movedAtMs),
    {
      name: 'while no controller lived, the world held still',
      holds: outage.before === outage.after,
      found: `${(outage.ms / 1000).toFixed(1)} s at weights ${outage.after}`,
    },
    events(evidence),
    unplanned(evidence.rows),
  ];
}

/** Figures that are no claims. Times in milliseconds. */
export type Figures = {
  readonly requests: number;
  /** What users saw, planted ones included. */
  readonly failures: number;
  readonly planted: number;
  readonly byBadBuild: number;
  /** From the command to the last attempt, as each drill measured it. */
  readonly drillsMs: readonly number[];
  /** From the command of the roll back to the second reading in which no new attempt had reached the bad build; null: there was none. */
  readonly rollBackMs: number | null;
  /** How long each step was judged before it was promoted, over both rollouts that completed. */
  readonly promotedAfterMs: readonly number[];
  /** From the first share of the bad build to the way back. */
  readonly takenBackAfterMs: number | null;
};

export function figuresOf({ rows, bad, query, fixed }: Evidence): Figures {
  const failures = rows.filter(isFailure);
  return {
    requests: rows.length,
    failures: failures.length,
    planted: failures.filter((row) => !isUnplanned(row)).length,
    byBadBuild: failures.filter((row) => row.instance.startsWith('collector-vpc-') && isBefore(row, bad.state)).length,
    drillsMs: [query, bad, fixed].flatMap(({ state }) => drillMs(state) ?? []),
    rollBackMs: rollBackMs(bad),
    promotedAfterMs: [query, fixed].flatMap(({ entries }) => promotedAfterMs(entries)),
    takenBackAfterMs: takenBackAfterMs(bad),
  };
}

export function figureRows(figures: Figures, baseline: number): [name: string, value: string][] {
  const { requests, failures, planted } = figures;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return [
    ['requests', whole(requests)],
    [
      'failures that users saw',
      `${whole(failures)} (${percentage(failures / requests)}), ${whole(planted)} of them planted`,
    ],
    ['', `on purpose fail ${percentage(baseline)} of the requests to collector and query`],
    ['by the bad build', whole(figures.byBadBuild)],
    [
      'verdict: roll back',
      figures.takenBackAfterMs === null
        ? 'none'
        : `${seconds(figures.takenBackAfterMs)} after the bad build got its first share`,
    ],
    ['verdict: promote', `after ${figures.promotedAfterMs.map(seconds).join(', ')} of judging`],
    ['drills', figures.drillsMs.map((ms) => `${ms.toFixed(1)} ms`).join(', ')],
    [
      'roll back',
      figures.rollBackMs === null
        ? 'none'
        : `${whole(figures.rollBackMs)} ms, until two readings showed no new request`,
    ],
  ];
}

function promotedAfterMs(entries: readonly Entry[]): number[] {
  let judgedFromMs = 0;
  return entries.flatMap(({ body, atMs }) => {
    const event = body as RolloutEvent;
    if (event.kind === 'stage-entered' && event.stage.kind === 'judging') judgedFromMs = atMs;
    return event.kind === 'promoted' ? [atMs - judgedFromMs] : [];
  });
}

function takenBackAfterMs({ state, entries }: PastRollout): number | null {
  const shared = entries.find(({ body }) => {
    const event = body as RolloutEvent;
    return event.kind === 'stage-entered' && (event.stage.kind === 'drill-shifting' || event.stage.kind === 'shifting');
  });
  return state.back === null || shared === undefined ? null : state.back.performedAtMs - shared.atMs;
}

/** The rate that was said, and the least that a story of this kind is worth. */
function cameAsSaid({ rows, perSecond }: Evidence): Claim {
  // A slow machine makes a long story: too many rows to be the arguments of one call.
  const [firstMs, lastMs] = rows.reduce(
    ([first, last], { begunAtMs }) => [Math.min(first, begunAtMs), Math.max(last, begunAtMs)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const seconds = (lastMs - firstMs) / 1000;
  const rate = rows.length / seconds;
  return {
    name: `users came at ${perSecond} requests/s, at least ${ratePerSecondMin}`,
    holds: rate >= ratePerSecondMin && rate >= perSecond * 0.9,
    found: `${whole(rows.length)} requests in ${seconds.toFixed(0)} s: ${rate.toFixed(0)}/s`,
  };
}

/** As many as were planted, within what chance makes of it; the bad build's are its own. */
function failedAsSaid({ rows, baseline, bad }: Evidence): Claim {
  const others = rows.filter((row) => !(row.instance.startsWith('collector-vpc-') && isBefore(row, bad.state)));
  const planted = others.filter((row) => row.note === 'planted').length;
  const expected = others.length * baseline;
  return {
    name: `${percentage(baseline)} of the requests failed on purpose, as was said`,
    holds: Math.abs(planted - expected) <= 5 * Math.sqrt(expected) + 0.05 * expected,
    found: `${whole(planted)} of ${whole(others.length)}, the bad build's left out: ${percentage(planted / others.length)}`,
  };
}

function completed(state: RolloutState, name: string): Claim {
  return { name, holds: state.stage.kind === 'completed', found: `${state.operation}: ${state.stage.kind}` };
}

/** Everything that began after the last rollout had ended was answered by the destination. */
function served(rows: readonly LedgerRow[], kind: LedgerRow['kind'], prefix: string, movedAtMs: number): Claim {
  const after = rows.filter((row) => row.kind === kind && row.begunAtMs > movedAtMs && row.instance !== '');
  const there = after.filter((row) => row.instance.startsWith(prefix));
  return {
    name: `every ${kind} is served in vpc`,
    holds: after.length > 0 && there.length === after.length,
    found: `${whole(there.length)} of ${whole(after.length)}`,
  };
}

function takenBack(bad: RolloutState): Claim {
  const { back } = bad;
  const seconds = back === null ? null : (back.performedAtMs - bad.startedAtMs) / 1000;
  const evidence = back?.verdict?.rollBack;
  return {
    name: 'the build that fails 10 times as often was taken back by the judge',
    holds: bad.stage.kind === 'rolled-back' && back?.cause.kind === 'judge',
    found:
      back === null || evidence === undefined
        ? `${bad.stage.kind}, ${back?.cause.kind ?? 'never taken back'}`
        : `${seconds?.toFixed(1)} s after the rollout began, evidence ${evidence.logEvidence.toFixed(1)} of ${evidence.threshold.toFixed(1)} (${evidence.by})`,
  };
}

function wayBack({ rows, bad, fixedFromMs, query, fixed }: Evidence): Claim {
  const performedAtMs = bad.state.back?.performedAtMs ?? null;
  const late = performedAtMs === null ? null : lastReachedMs(rows, 'collector-vpc-', performedAtMs, fixedFromMs);
  const drills = [query, bad, fixed].map(({ state }) => drillMs(state) ?? Number.POSITIVE_INFINITY);
  const idleMs = rollBackMs(bad) ?? Number.POSITIVE_INFINITY;
  return {
    name: `every way back took at most ${backMsMax} ms; the balancer showed the roll back within ${idleMsMax} ms`,
    holds: performedAtMs !== null && Math.max(late ?? 0, ...drills) <= backMsMax && idleMs <= idleMsMax,
    found: `longest of three drills ${Math.max(...drills).toFixed(1)} ms; roll back: ${late === null ? 'no request began later that reached the bad build' : `the last request that reached the bad build began ${late} ms later`}, and two readings showed none after ${whole(idleMs)} ms`,
  };
}

/** As the journal tells it. */
function rollBackMs({ state, entries }: PastRollout): number | null {
  const drained = entries.map(({ body }) => body as RolloutEvent).find(({ kind }) => kind === 'drained');
  return state.back === null || drained?.kind !== 'drained' ? null : drained.afterMs;
}

function events({ rows, logged, counted }: Evidence): Claim {
  const { acknowledged, lost, twice, unacknowledged, unknown } = balanceEvents(rows, logged);
  return {
    name: 'events acknowledged = events counted',
    holds: acknowledged > 0 && lost === 0 && twice === 0 && unknown === 0 && counted === acknowledged + unacknowledged,
    found:
      `${whole(acknowledged)} acknowledged, ${whole(counted)} counted; ${lost} lost, ${twice} stored twice` +
      (unknown === 0 ? '' : `, ${unknown} that nobody sent`) +
      (unacknowledged === 0 ? '' : `, ${unacknowledged} stored whose users were not told`),
  };
}

function unplanned(rows: readonly LedgerRow[]): Claim {
  const found = rows.filter(isUnplanned);
  const notes = [...new Set(found.map((row) => row.note))].slice(0, 3).join('; ');
  return {
    name: 'no request failed because of the moves',
    holds: found.length === 0,
    found: found.length === 0 ? '0 failures that were not planted' : `${found.length}: ${notes}`,
  };
}

function isBefore(row: LedgerRow, bad: RolloutState): boolean {
  return bad.back !== null && row.begunAtMs <= bad.back.performedAtMs + backMsMax && row.begunAtMs >= bad.startedAtMs;
}

function drillMs({ drill }: RolloutState): number | null {
  return drill === null ? null : drill.measure.acknowledgedMs + drill.measure.lastAttemptMs;
}
