import { describe, expect, test } from 'vitest';
import { claimsOf, type Evidence, figureRows, figuresOf } from '../../src/cli/demo/claims.ts';
import type { LedgerRow } from '../../src/cli/demo/ledger.ts';
import type { PastRollout } from '../../src/cli/journal/history.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';

const movedAtMs = 90_000;

/** 500 requests/s for 100 s, of which 2 % fail on purpose; from `movedAtMs` on everything is served in vpc. */
function ledger(): LedgerRow[] {
  return Array.from({ length: 50_000 }, (_, index) => {
    const begunAtMs = index * 2;
    const kind = index % 2 === 0 ? 'event' : 'page';
    const service = kind === 'event' ? 'collector' : 'query';
    const fails = index % 50 === 0;
    return {
      begunAtMs,
      endedAtMs: begunAtMs + 1,
      kind,
      status: fails ? 500 : kind === 'event' ? 201 : 200,
      instance: `${service}-${begunAtMs > movedAtMs ? 'vpc' : 'classic'}-1`,
      note: fails ? 'planted' : '',
      id: kind === 'event' ? `e${index}` : '',
    };
  });
}

function rollout(operation: string, kind: 'completed' | 'rolled-back', more: object = {}): PastRollout {
  const measure = { attempts: 20, acknowledgedMs: 1, lastAttemptMs: 2, spacingMs: 5, rps: 1 };
  const state = { operation, startedAtMs: 10_000, stage: { kind }, drill: { measure }, back: null, ...more };
  return { state: state as Partial<RolloutState> as RolloutState, entries: [] };
}

/** The bad build's, whose balancer showed it idle after `afterMs`; null: never. */
function rolledBack(afterMs: number | null): PastRollout {
  const body = { kind: 'drained', inFlight: 0, afterMs, counted: null };
  const entry = {
    operation: 'rollout-collector-1',
    seq: 9,
    previous: '',
    hash: '',
    rules: 1,
    atMs: 0,
    actor: '',
    body,
  };
  return { ...rollout('rollout-collector-1', 'rolled-back', { back }), entries: afterMs === null ? [] : [entry] };
}

const evidence = { logEvidence: 9, threshold: 8, by: 'absolute' };
const back = { cause: { kind: 'judge' }, performedAtMs: 20_000, verdict: { rollBack: evidence } };

function honest(): Evidence {
  const rows = ledger();
  const logged = rows.filter((row) => row.status === 201).map((row) => row.id);
  return {
    rows,
    logged,
    counted: logged.length,
    baseline: 0.02,
    perSecond: 500,
    query: rollout('rollout-query-1', 'completed'),
    bad: rolledBack(612),
    fixed: rollout('rollout-collector-2', 'completed'),
    fixedFromMs: 40_000,
    movedAtMs,
    outage: { ms: 4000, before: 'classic-1 20', after: 'classic-1 20' },
  };
}

function broken(evidence: Evidence): string[] {
  return claimsOf(evidence).flatMap((claim) => (claim.holds ? [] : [claim.name]));
}

function withRows(change: (row: LedgerRow) => LedgerRow | null): Evidence {
  const before = honest();
  return { ...before, rows: before.rows.flatMap((row) => change(row) ?? []) };
}

const afterwards = (row: LedgerRow) => row.begunAtMs > movedAtMs;

describe('what the demo claims', () => {
  test('holds of a story that went as it should', () => {
    expect(broken(honest())).toEqual([]);
  });

  test('holds of a story that took an hour on a slow machine', () => {
    const evidence = honest();
    const pages = evidence.rows.filter(({ kind }) => kind === 'page');
    const failing = pages.map((row, at) => (at % 50 === 0 ? { ...row, status: 500, note: 'planted' } : row));
    const long = [...evidence.rows, ...Array.from({ length: 8 }, () => failing).flat()];
    expect(long.length).toBeGreaterThan(200_000);
    expect(broken({ ...evidence, rows: long, perSecond: 2000 })).toEqual([]);
  });

  test('the roll back is told with its own time, also when no later request reached the bad build', () => {
    expect(figuresOf(honest()).rollBackMs).toBe(612);
    expect(figureRows(figuresOf(honest()), 0.02)).toContainEqual(['roll back', expect.stringMatching(/^612 ms/)]);
    const claim = claimsOf(honest()).find(({ name }) => name.startsWith('every way back'));
    expect(claim?.found).toMatch(/two readings showed none after 612 ms$/);
  });

  test.each<[string, Evidence, RegExp]>([
    ['half as many users came', withRows((row) => (row.begunAtMs % 4 === 0 ? row : null)), /users came/],
    [
      'half as much failed',
      withRows((row) => (row.begunAtMs % 200 === 0 ? { ...row, note: '', status: 201 } : row)),
      /on purpose/,
    ],
    ['query did not complete', { ...honest(), query: rollout('rollout-query-1', 'rolled-back') }, /wave 1/],
    ['the fix did not complete', { ...honest(), fixed: rollout('rollout-collector-2', 'rolled-back') }, /wave 2/],
    [
      'a page came from classic',
      withRows((row) => (afterwards(row) && row.kind === 'page' ? { ...row, instance: 'query-classic-1' } : row)),
      /every page/,
    ],
    [
      'nobody sent events any more',
      withRows((row) => (afterwards(row) && row.kind === 'event' ? null : row)),
      /every event/,
    ],
    [
      'the bad build completed',
      { ...honest(), bad: rollout('rollout-collector-1', 'completed') },
      /taken back by the judge/,
    ],
    [
      'an operator took it back',
      {
        ...honest(),
        bad: rollout('rollout-collector-1', 'rolled-back', { back: { ...back, cause: { kind: 'asked' } } }),
      },
      /taken back by the judge/,
    ],
    [
      'the bad build was still reached',
      withRows((row) => (row.begunAtMs === 22_000 ? { ...row, instance: 'collector-vpc-1' } : row)),
      /every way back/,
    ],
    [
      'a drill was too slow',
      {
        ...honest(),
        fixed: rollout('rollout-collector-2', 'completed', {
          drill: { measure: { acknowledgedMs: 900, lastAttemptMs: 200 } },
        }),
      },
      /every way back/,
    ],
    ['the roll back was never seen at the balancer', { ...honest(), bad: rolledBack(null) }, /every way back/],
    ['the roll back took long', { ...honest(), bad: rolledBack(3001) }, /every way back/],
    [
      'weights moved while nobody drove',
      { ...honest(), outage: { ms: 4000, before: 'classic-1 20', after: 'classic-1 19' } },
      /held still/,
    ],
    ['an event was lost', { ...honest(), logged: honest().logged.slice(1) }, /events acknowledged/],
    ['an event was counted twice', { ...honest(), logged: [...honest().logged, 'e2'] }, /events acknowledged/],
    ['the query service counts wrongly', { ...honest(), counted: 7 }, /events acknowledged/],
    [
      'a user got no answer',
      withRows((row) => (row.begunAtMs === 50_004 ? { ...row, status: 0, note: 'hung up', instance: '' } : row)),
      /no request failed/,
    ],
  ])('does not where %s', (_what, evidence, claim) => {
    expect(broken(evidence)).toEqual(expect.arrayContaining([expect.stringMatching(claim)]));
  });
});
