import type { Entry } from '../../src/core/journal/entry.ts';
import type { Verdict } from '../../src/core/judge/judge.ts';
import type { RolloutEvent, Started } from '../../src/core/rollout/events.ts';
import { madePlan } from '../made/plan.ts';

export const verdict: Verdict = {
  verdict: 'roll back',
  rollBack: { logEvidence: 8.14, threshold: 7.6, by: 'comparison' },
  promote: { logEvidence: 5.5, threshold: 5.3, by: 'absolute' },
  dispersion: { known: true, value: 1.1 },
};

export const started: Started = {
  kind: 'started',
  plan: { ...madePlan, owner: 'team-query', backends: [] },
  planHash: 'ab'.repeat(32),
  asFound: { backends: {}, origin: null, destination: null },
  builds: { origin: 'v41', destination: 'v41' },
  earlierAttempts: {},
  reason: null,
};
const target = { requestedShare: 0, traffic: {}, origin: null, destination: null };
const measure = { attempts: 20, acknowledgedMs: 1, lastAttemptMs: 2, spacingMs: 5, rps: 100 };

const counted = { origin: { attempts: 1000, failures: 10 }, destination: { attempts: 50, failures: 5 } };

/** A rollout's life: each kind of entry once, though not in an order that any rollout has. */
const life: readonly RolloutEvent[] = [
  started,
  { kind: 'intended', target, why: 'the drill' },
  { kind: 'confirmed', backend: 'edge/query', process: 'p', intent: 2 },
  { kind: 'balancer-restarted', backend: 'edge/query', process: 'q' },
  { kind: 'drill-measured', measure, passed: true, note: '' },
  { kind: 'stage-entered', stage: { kind: 'growing', step: 1 }, attempt: 1 },
  { kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 },
  { kind: 'builds-changed', builds: { origin: 'v41', destination: 'v42' }, pair: 2 },
  { kind: 'held', why: 'lunch', by: 'alice' },
  { kind: 'resumed', by: 'alice', reason: null },
  { kind: 'promoted', step: 1, verdict, share: 0.049 },
  { kind: 'stage-entered', stage: { kind: 'judging', step: 2 }, attempt: 1 },
  {
    kind: 'back-performed',
    cause: { kind: 'judge', by: 'comparison' },
    all: false,
    target,
    verdict,
    performedAtMs: 1,
    counted,
  },
  { kind: 'drained', inFlight: 0, afterMs: 10, counted },
  { kind: 'rolled-back', tookMs: 12 },
  { kind: 'completed', share: 1, counted },
  { kind: 'retired', by: 'bob', reason: 'done' },
];

export const entries = life.map(
  (body, index): Entry => ({
    operation: 'rollout-query-1',
    seq: index + 1,
    previous: '0'.repeat(64),
    hash: (index + 1).toString(16).padStart(64, 'a'),
    rules: 1,
    atMs: 1000 + index,
    actor: 'drover',
    body,
  }),
);
