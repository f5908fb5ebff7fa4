import { describe, expect, test } from 'vitest';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import { attemptKey, type ForwardStage, type RolloutEvent } from '../../src/core/rollout/events.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { startWatch, type Watch, watch } from '../../src/core/rollout/watch.ts';
import {
  type Beginning,
  foldedOnto,
  halfTarget,
  madeObservation,
  madeShare,
  madeWatch,
  nowMs,
  sinceMs,
  sizedPlan,
  stateAt,
} from '../made/rollout.ts';

const builds = { origin: 'build-1', destination: 'build-2' };
const { alpha, beta } = sizedPlan.policy.judge;

/** The share is there, and was seen. */
function settled(state: RolloutState): Watch {
  const tally = { attempts: 500, failures: 0 };
  return madeWatch(state, { origin: tally, destination: tally, share: madeShare(state, 500, 500) });
}

/** What the judge of a state needs to promote, in nats. */
function threshold(state: RolloutState): number {
  return Math.LN2 - Math.log(startWatch(state).judge.beta);
}

function shift(beginning: Beginning = {}): RolloutState {
  return stateAt({ kind: 'shifting', step: 1 }, halfTarget, beginning);
}

function judged(state: RolloutState): RolloutState {
  const { events } = decide(state, settled(state), madeObservation());
  expect(events).toMatchObject([{ kind: 'stage-entered', stage: { kind: 'judging', step: 1 } }]);
  return foldedOnto(state, events);
}

describe('evidence to promote at a step that is entered again', () => {
  test('has only its part of β, and so less of it every time', () => {
    let state = shift();
    for (let attempt = 1; attempt <= 4; attempt++) {
      state = judged(state);
      expect(threshold(state)).toBeCloseTo(Math.log(2 / (beta / (attempt * (attempt + 1)))), 9);
      state = foldedOnto(state, [{ kind: 'stage-entered', stage: { kind: 'shifting', step: 1 }, attempt: 0 }]);
    }
  });

  test('attempts of earlier operations count too, for the same builds and for no others', () => {
    expect(threshold(judged(shift({ earlierAttempts: { [attemptKey(1, builds)]: 3 } })))).toBeCloseTo(
      Math.log(2 / (beta / 20)),
      9,
    );
    const others = { [attemptKey(1, { ...builds, destination: 'build-1' })]: 3, [attemptKey(2, builds)]: 3 };
    expect(threshold(judged(shift({ earlierAttempts: others })))).toBeCloseTo(Math.log(2 / (beta / 2)), 9);
  });

  test.each<[string, ForwardStage]>([
    ['judging', { kind: 'judging', step: 1 }],
    ['shifting', { kind: 'shifting', step: 1 }],
  ])('a resumed hold enters it again, from %s', (_what, stage) => {
    const held = foldedOnto(stateAt(stage), [{ kind: 'held', why: 'lunch', by: 'kim' }]);
    const requests = [{ kind: 'resume', by: 'kim', reason: null }] as const;
    const { events } = decide(held, settled(held), madeObservation({ requests }));
    expect(events).toMatchObject([
      { kind: 'resumed' },
      { kind: 'stage-entered', stage: { kind: 'shifting', step: 1 } },
    ]);
  });

  test('a deployment in the middle begins all evidence anew, with a smaller part of α', () => {
    const state = stateAt({ kind: 'judging', step: 1 });
    const seen = madeObservation({ destination: { build: known('build-3') } });
    const { events } = decide(state, settled(state), seen);
    expect(events).toMatchObject([
      { kind: 'builds-changed', builds: { origin: 'build-1', destination: 'build-3' }, pair: 2 },
      { kind: 'stage-entered', stage: { kind: 'shifting', step: 1 } },
    ]);
    const next = foldedOnto(state, events);
    expect(next.judge).toMatchObject({ pair: 2, alpha: alpha / 6 });
    expect(watch(settled(state), next, seen).judge.pair).toBe(2);
  });

  test('builds that become known before any traffic cost nothing', () => {
    const preparing = stateAt({ kind: 'preparing' });
    const seen = madeObservation({ nowMs: sinceMs + 1000, destination: { build: known('build-3') } });
    expect(decide(preparing, madeWatch(preparing), seen).events).toMatchObject([{ kind: 'builds-changed', pair: 1 }]);
  });
});

describe('a share that does not come', () => {
  const { settleMsMax } = sizedPlan.policy;
  const unwritten = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
  const shifting = shift();
  const lost = foldedOnto(shifting, [{ kind: 'balancer-restarted', backend: 'edge', process: 'edge/2' }]);
  const holds = (
    state: RolloutState,
    watched: Watch,
    waitedMs: number,
    seen: Parameters<typeof madeObservation>[0] = {},
  ) =>
    decide(state, watched, madeObservation({ ...seen, nowMs: sinceMs + waitedMs })).events.find(
      ({ kind }) => kind === 'held',
    );

  test('holds the rollout where the weights are never read back, and not before they had time', () => {
    const seen = { servers: unwritten, process: 'edge/2' };
    expect(holds(lost, settled(lost), settleMsMax - 1, seen)).toBeUndefined();
    expect(holds(lost, settled(lost), settleMsMax, seen)).toMatchObject({
      why: expect.stringContaining('does not show'),
    });
    expect(holds(lost, settled(lost), settleMsMax, { ...seen, marker: unknown('EACCES') })).toBeUndefined();
  });

  test('holds it where the traffic does not follow the weights, and not before it had time', () => {
    const away = { ...settled(shifting), share: madeShare(shifting, 900, 100) };
    expect(holds(shifting, away, settleMsMax - 1)).toBeUndefined();
    expect(holds(shifting, away, settleMsMax)).toMatchObject({
      why: expect.stringContaining('not what the weights make'),
    });
  });
});

describe('a judged step', () => {
  const state = stateAt({ kind: 'judging', step: 1 });
  const promising = (changes: Partial<Watch> = {}): Watch => {
    const watched = settled(state);
    return { ...watched, judge: { ...watched.judge, decided: 'promote' }, ...changes };
  };
  const { bakeMs } = sizedPlan.steps[0] ?? { bakeMs: 0 };
  const kinds = (events: readonly RolloutEvent[]) => events.map(({ kind }) => kind);

  test('is promoted on the judge’s word and after its bake time, with the share that was observed', () => {
    const at = (waitedMs: number) => decide(state, promising(), madeObservation({ nowMs: sinceMs + waitedMs })).events;
    expect(kinds(at(bakeMs - 1)).filter((kind) => kind === 'promoted')).toEqual([]);
    expect(at(bakeMs)).toMatchObject([
      { kind: 'promoted', step: 1, share: 0.5 },
      { kind: 'stage-entered', stage: { kind: 'growing', step: 2 } },
    ]);
    expect(kinds(decide(state, settled(state), madeObservation()).events)).not.toContain('promoted');
  });

  test('is not promoted while a balancer has not got its weights back, nor on a build that nobody has judged', () => {
    const lost = foldedOnto(state, [{ kind: 'balancer-restarted', backend: 'edge', process: 'edge/2' }]);
    const watched = { ...promising(), judged: { pair: 1, stageSeq: lost.stageSeq } };
    const servers = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
    expect(kinds(decide(lost, watched, madeObservation({ process: 'edge/2', servers })).events)).not.toContain(
      'promoted',
    );
    const other = madeObservation({ origin: { build: known('build-9') } });
    expect(kinds(decide(state, promising(), other).events)).not.toContain('promoted');
  });

  test('holds where the share stays away from what the weights make, and not before it had time to settle', () => {
    const away = (offMs: number) =>
      promising({
        share: madeShare(state, 800, 200),
        shareOffSinceMs: nowMs - offMs,
      });
    const { settleMsMax } = sizedPlan.policy;
    expect(decide(state, away(settleMsMax), madeObservation()).events).toMatchObject([{ kind: 'held', by: 'drover' }]);
    expect(kinds(decide(state, away(settleMsMax - 1), madeObservation()).events)).not.toContain('held');
  });
});

describe('the whole share', () => {
  const whole = {
    ...halfTarget,
    requestedShare: 1,
    traffic: {
      edge: { ...halfTarget.traffic['edge'], 'old-1': { weight: 0, admin: null }, 'old-2': { weight: 0, admin: null } },
    },
  };
  const servers = { 'old-1': { weight: 0 }, 'old-2': { weight: 0 } };
  const state = stateAt({ kind: 'judging', step: 2 }, whole);
  const { finalBakeMs } = sizedPlan.policy;
  const at = (waitedMs: number, aside = {}) => {
    const seen = madeObservation({ nowMs: sinceMs + waitedMs, servers: { ...servers, ...aside } });
    return decide(state, madeWatch(state, { destination: { attempts: 1000, failures: 0 } }), seen).events;
  };

  test('is watched for its whole time before anything is given back', () => {
    expect(at(finalBakeMs - 1).filter(({ kind }) => kind !== 'checkpoint')).toEqual([]);
    expect(at(finalBakeMs)).toMatchObject([
      { kind: 'intended', target: { destination: { min: 2, desired: null, exact: true } } },
      { kind: 'stage-entered', stage: { kind: 'finishing' } },
    ]);
  });

  test('a controller that has just begun to look watches it for its whole time too', () => {
    const seen = madeObservation({ servers });
    const late = madeWatch(state, { sinceMs: nowMs - finalBakeMs + 1 });
    expect(decide(state, late, seen).events.filter(({ kind }) => kind !== 'checkpoint')).toEqual([]);
  });

  test.each<[string, ForwardStage]>([
    ['while it is watched', { kind: 'judging', step: 2 }],
    ['at the very end', { kind: 'finishing' }],
  ])('is none while an origin server that somebody woke carries a part of it: %s', (_when, stage) => {
    const found = { side: 'origin', weight: 100, admin: 'ready' } as const;
    const young = { side: 'destination', weight: 0, admin: 'ready' } as const;
    const aside = { side: 'origin', weight: 1, admin: 'maint' } as const;
    const asFound = {
      backends: { edge: { 'old-1': found, 'old-2': found, 'old-3': aside, 'new-1': young, 'new-2': young } },
      origin: { min: 2, max: 4, desired: 2 },
      destination: { min: 2, max: 4, desired: 2 },
    };
    const woken = stateAt(stage, whole, { asFound });
    const look = (old3: { readonly weight: number; readonly admin: 'ready' | 'maint' }) =>
      decide(woken, madeWatch(woken), madeObservation({ servers: { ...servers, 'old-3': old3 } })).events;
    expect(look({ weight: 1, admin: 'ready' })).toMatchObject([
      { kind: 'held', why: expect.stringContaining('old-3 at edge') },
    ]);
    expect(look({ weight: 1, admin: 'maint' })[0]?.kind).not.toBe('held');
  });
});
