import { expect, test } from 'vitest';
import { openAnnouncer } from '../../src/cli/announce.ts';
import type { Context, World } from '../../src/cli/context.ts';
import type { Config } from '../../src/core/fleet/config.ts';
import type { Entry } from '../../src/core/journal/entry.ts';
import type { Verdict } from '../../src/core/judge/judge.ts';
import type { RolloutEvent, Started } from '../../src/core/rollout/events.ts';
import type { Notification } from '../../src/core/rollout/notification.ts';
import { differences } from '../docs/page.ts';

const verdict: Verdict = {
  verdict: 'roll back',
  rollBack: { logEvidence: 8.14, threshold: 7.6, by: 'comparison' },
  promote: { logEvidence: 5.5, threshold: 5.3, by: 'absolute' },
  dispersion: { known: true, value: 1.1 },
};

const started: Started = {
  kind: 'started',
  plan: {
    service: 'query',
    owner: 'team-query',
    origin: { environment: 'classic', size: null, capacityRps: null },
    destination: { environment: 'vpc', size: null, capacityRps: null },
    backends: [],
    steps: [{ kind: 'weight', share: 0.05, instances: null, bakeMs: 0 }],
    objective: 0.01,
    policy: {
      judge: { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 3 },
      reserve: 0.2,
      settleMsMax: 1,
      capacityMsMax: 1,
      drainMsMax: 1,
      drill: { requests: 20, ms: 1, boundMs: 1 },
      attemptMsMax: 1,
      finalBakeMs: 1,
    },
  },
  planHash: 'ab'.repeat(32),
  asFound: { backends: {}, origin: null, destination: null },
  builds: { origin: 'v41', destination: 'v41' },
  earlierAttempts: {},
  reason: null,
};
const target = { requestedShare: 0, traffic: {}, origin: null, destination: null };
const measure = { attempts: 20, acknowledgedMs: 1, lastAttemptMs: 2, spacingMs: 5, rps: 100 };

/** A rollout's life: each kind of entry once. */
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
  { kind: 'back-performed', cause: { kind: 'judge', by: 'comparison' }, all: false, target, verdict, performedAtMs: 1 },
  { kind: 'drained', inFlight: 0, afterMs: 10 },
  { kind: 'rolled-back', tookMs: 12 },
  { kind: 'completed', share: 1 },
  { kind: 'retired', by: 'bob', reason: 'done' },
];

const entries = life.map(
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

function announced(before: readonly Entry[], told: readonly Entry[], notify = [{ kind: 'webhook', url: 'u' }]) {
  const sent: Notification[] = [];
  const notifier = { send: (each: Notification) => sent.push(each), close: () => Promise.resolve() };
  const world: Partial<World> = { openNotifier: () => notifier };
  const context = { world } as Context;
  const announcer = openAnnouncer(context, { notify } as Partial<Config> as Config, before, () => undefined);
  for (const entry of told) announcer.entry(entry);
  return sent;
}

test('every event that people need is told once, as the page promises, with owner, builds and head', () => {
  const sent = announced(entries.slice(0, 1), entries.slice(1));
  expect(sent.map(({ event }) => event)).toEqual([
    'started',
    'drill-measured',
    'stage-entered',
    'builds-changed',
    'held',
    'resumed',
    'promoted',
    'stage-entered',
    'back-performed',
    'rolled-back',
    'completed',
    'retired',
  ]);
  for (const each of sent) {
    expect(differences('notifications.md', 'webhook', each), each.event).toEqual([]);
    expect(each.owner).toBe('team-query');
    expect(each.head.hash).toBe(entries[each.head.seq - 1]?.hash);
  }
  expect(sent.map(({ builds }) => builds.destination)).toEqual([...Array(3).fill('v41'), ...Array(9).fill('v42')]);
});

test('the way back says why, and what the judge had', () => {
  const back = announced(entries.slice(0, 1), entries.slice(1)).find(({ event }) => event === 'back-performed');
  expect(back).toMatchObject({
    cause: { kind: 'judge', by: 'comparison' },
    evidence: { logEvidence: 8.14, threshold: 7.6, by: 'comparison' },
    text: expect.stringContaining('evidence 8.1 of 7.6'),
  });
});

test('the whole share is told as what it is, not as one more step', () => {
  const steps = announced(entries.slice(0, 1), entries.slice(1)).filter(({ event }) => event === 'stage-entered');
  expect(steps.map(({ step, text }) => [step, text])).toEqual([
    [1, 'step 1 of 1 is judged'],
    [2, 'the whole share is at the destination: only objective and tripwires watch'],
  ]);
});

test('a controller that goes on after another does not tell the start again, and knows the builds of now', () => {
  const sent = announced(entries.slice(0, 9), entries.slice(9, 10));
  expect(sent).toMatchObject([{ event: 'resumed', builds: { destination: 'v42' } }]);
});

test('nothing is opened where nobody is to be told', () => {
  expect(announced(entries.slice(0, 1), entries.slice(1), [])).toEqual([]);
});
