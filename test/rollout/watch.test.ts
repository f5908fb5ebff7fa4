import { describe, expect, test } from 'vitest';
import { judgeWindows } from '../../src/core/judge/judge.ts';
import type { BackendTraits, ServerCounters, ServerReading } from '../../src/core/observed/backend.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import type { ForwardStage } from '../../src/core/rollout/events.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { startWatch, type Watch, watch } from '../../src/core/rollout/watch.ts';
import { madeReading, madeServer } from '../made/readings.ts';
import { foldedOnto, halfTarget, madeObservation, madeWatch, sinceMs, sizedPlan, stateAt } from '../made/rollout.ts';

const judging = stateAt({ kind: 'judging', step: 1 });
const { attemptMsMax } = sizedPlan.policy;
const bakeMs = sizedPlan.steps[0]?.bakeMs ?? 0;

type Seen = {
  /** Attempts of each server since the beginning. */
  readonly attempts?: Readonly<Record<string, number>>;
  readonly failures?: Readonly<Record<string, number>>;
  readonly servers?: Readonly<Record<string, Partial<Omit<ServerReading, 'counters'>>>>;
  readonly traits?: Partial<BackendTraits>;
  readonly process?: string;
};

/** The next look, `afterMs` after the beginning. */
function look(before: Watch, afterMs: number, seen: Seen = {}, state: RolloutState = judging): Watch {
  const { attempts = {}, failures = {}, servers = {}, traits = {}, process = 'edge/1' } = seen;
  const readings = ['old-1', 'old-2', 'new-1', 'new-2'].map((name) => {
    const [given, failed] = [attempts[name] ?? 0, failures[name] ?? 0];
    const counters: Partial<ServerCounters> = { attempts: given, rsp2xx: given - failed, rsp5xx: failed };
    return madeServer(name, { ...servers[name], counters });
  });
  const atMs = sinceMs + afterMs;
  const backends = { edge: { atMs, reading: known(madeReading(readings, { process, traits })) } };
  return watch(before, state, madeObservation({ nowMs: atMs, backends }));
}

function fresh(state: RolloutState = judging): Watch {
  return startWatch(state);
}

describe('the judge of a controller', () => {
  test('enters a step when the journal does, at the attempt that stands there, once', () => {
    const shifting = stateAt({ kind: 'shifting', step: 1 });
    const before = look(fresh(shifting), 0, {}, shifting);
    expect(before.judge.attempt).toBeNull();
    const state = foldedOnto(shifting, [{ kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 3 }]);
    let seen = look(before, 1000, { attempts: { 'old-1': 100, 'new-1': 100 } }, state);
    expect(seen.judge).toMatchObject({ attempt: 3, stepSinceMs: sinceMs });
    for (let second = 2; second <= 60; second++) {
      seen = look(seen, second * 1000, { attempts: { 'old-1': second * 100, 'new-1': second * 100 } }, state);
    }
    expect(seen.judge.promotion).not.toEqual(before.judge.promotion);
  });

  test('may promote when the bake time is over, not before, and never at the whole share', () => {
    const promising = (state: RolloutState): Watch => {
      const { judge, ...rest } = fresh(state);
      return { ...rest, judge: { ...judge, promotion: { ...judge.promotion, comparison: 99 } } };
    };
    expect(look(promising(judging), bakeMs - 1).judge.decided).toBeNull();
    expect(look(promising(judging), bakeMs).judge.decided).toBe('promote');
    for (const stage of [
      { kind: 'judging', step: 2 },
      { kind: 'shifting', step: 1 },
    ] satisfies ForwardStage[]) {
      expect(look(promising(stateAt(stage)), 10 * bakeMs, {}, stateAt(stage)).judge.decided).toBeNull();
    }
  });

  test('counts for the forecast of a step what its own builds were given, and nothing of what those before them left behind', () => {
    const shifting = foldedOnto(judging, [
      { kind: 'builds-changed', builds: { origin: 'build-1', destination: 'build-3' }, pair: 2 },
      { kind: 'stage-entered', stage: { kind: 'shifting', step: 1 }, attempt: 0 },
    ]);
    const state = foldedOnto(shifting, [{ kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 }]);
    let seen = look(fresh(shifting), 0, {}, shifting);
    for (let ms = 1000; ms <= attemptMsMax + 3000; ms += 1000) {
      const attempts = { 'old-1': ms / 10, 'new-1': ms / 10 };
      seen = look(seen, ms, { attempts, failures: { 'new-1': Math.min(77, ms / 100) } }, state);
    }
    expect(seen.inStage).toMatchObject({ destination: { attempts: 300, failures: 0 }, origin: { attempts: 300 } });
    expect(seen.judge.promotion.absolute?.every((sum) => sum >= 0)).toBe(true);
  });

  test('takes failures for as late as an attempt may last by the policy', () => {
    let seen = fresh();
    let expected = seen.judge;
    let mistaken = seen.judge;
    const attempts = { 'old-1': 0, 'new-1': 0 };
    for (let second = 0; second <= 90; second++) {
      seen = look(seen, second * 1000, {
        attempts: { ...attempts },
        failures: { 'new-1': Math.floor(attempts['new-1'] / 50) },
      });
      const pass = { attemptMsMax, baked: false, unguarded: [] };
      expected = judgeWindows(expected, seen.windows, pass);
      mistaken = judgeWindows(mistaken, seen.windows, { ...pass, attemptMsMax: 2 * attemptMsMax });
      // A third of a minute after the beginning the share falls.
      attempts['old-1'] += 100;
      attempts['new-1'] += second < 20 ? 100 : 10;
    }
    expect(seen.judge).toEqual(expected);
    expect(seen.judge).not.toEqual(mistaken);
  });

  test('counts nothing absolute where impatient clients look like failures', () => {
    const failing = (traits: Partial<BackendTraits>) => {
      let seen = look(fresh(), 0, { traits });
      for (let second = 1; second <= 90; second++) {
        const [attempts, failures] = [
          { 'old-1': 100 * second, 'new-1': 100 * second },
          { 'old-1': 50 * second, 'new-1': 50 * second },
        ];
        seen = look(seen, second * 1000, { attempts, failures, traits });
      }
      return seen.judge.guard;
    };
    expect(failing({ abortOnClose: known(true) })).toEqual(fresh().judge.guard);
    expect(failing({ abortOnClose: known(false) })).not.toEqual(fresh().judge.guard);
    expect(failing({ abortOnClose: unknown('not told') })).not.toEqual(fresh().judge.guard);
  });
});

describe('the capacity that an instance was seen to have', () => {
  const loaded = (failed: number) => {
    const seen = look(fresh(), 0);
    return look(seen, 1000, { attempts: { 'old-1': 100, 'old-2': 100 }, failures: { 'old-1': failed } })
      .originRpsPerInstanceMax;
  };

  test('is no load under which more than twice the objective failed', () => {
    // An objective of 1 %: four of two hundred.
    expect(loaded(4)).toBe(100);
    expect(loaded(5)).toBeNull();
  });

  test('is that of as many instances as were there while it was carried', () => {
    const first = look(fresh(), 0, { servers: { 'old-2': { health: 'up' } } });
    const fewer = look(first, 1000, {
      attempts: { 'old-1': 100, 'old-2': 100 },
      servers: { 'old-2': { health: 'down' } },
    });
    expect(fewer.originRpsPerInstanceMax).toBe(100);
  });

  test('is not known where nobody could read how many there were when it began', () => {
    const blind: Watch = { ...look(fresh(), 0), originAble: [] };
    expect(look(blind, 1000, { attempts: { 'old-1': 100 } }).originRpsPerInstanceMax).toBeNull();
  });

  test('never falls, and none is seen where no instance is able', () => {
    const before = { ...look(fresh(), 0), originRpsPerInstanceMax: 500 };
    expect(look(before, 1000, { attempts: { 'old-1': 100 } }).originRpsPerInstanceMax).toBe(500);
    const down = { 'old-1': { health: 'down' }, 'old-2': { health: 'down' } } as const;
    const nobody = look(fresh(), 0, { servers: down });
    expect(look(nobody, 1000, { attempts: { 'old-1': 100 }, servers: down }).originRpsPerInstanceMax).toBeNull();
  });
});

describe('what is seen in a row', () => {
  test('the same servers able, counted anew when another is or nobody knows', () => {
    let seen = look(fresh(), 0);
    expect(seen.able.passes).toBe(0);
    seen = look(look(seen, 1000), 2000);
    expect(seen.able.passes).toBe(2);
    expect(look(seen, 3000, { servers: { 'new-2': { health: 'down' } } }).able.passes).toBe(0);
    const unread = madeObservation({ backends: { edge: { atMs: sinceMs, reading: unknown('no answer') } } });
    expect(watch(seen, judging, unread).able).toEqual({ key: '', passes: 0, sinceMs: seen.able.sinceMs });
    expect(watch(watch(seen, judging, unread), judging, unread).able.passes).toBe(0);
  });

  test('less for the destination than was confirmed, on the process on which it was', () => {
    const lowered = { servers: { 'new-1': { weight: 1 } } };
    const once = look(look(fresh(), 0), 1000, lowered);
    expect(once.backends['edge']?.lower).toBe(1);
    expect(look(once, 2000, lowered).backends['edge']?.lower).toBe(2);
    expect(look(once, 2000).backends['edge']?.lower).toBe(0);
    expect(look(once, 2000, { ...lowered, process: 'edge/2' }).backends['edge']?.lower).toBe(0);
    const another = foldedOnto(judging, [{ kind: 'intended', target: { ...halfTarget, traffic: {} }, why: '' }]);
    expect(look(once, 2000, lowered, another).backends['edge']?.lower).toBe(0);
  });

  test('attempts of the drill, and of nothing else', () => {
    const drilling = stateAt({ kind: 'drill-shifting' });
    const back = stateAt({ kind: 'drill-back' });
    let seen = look(look(fresh(drilling), 0, {}, drilling), 1000, { attempts: { 'new-1': 8 } }, drilling);
    expect(seen.drillAttempts).toBe(8);
    seen = look(seen, 2000, { attempts: { 'new-1': 11, 'old-1': 50 } }, back);
    expect(seen.drillAttempts).toBe(11);
    expect(look(seen, 3000, { attempts: { 'new-1': 30 } }, judging).drillAttempts).toBe(0);
  });

  test('how long this controller has looked begins with its first look', () => {
    const first = look(fresh(), 7000);
    expect(look(first, 9000).sinceMs).toBe(sinceMs + 7000);
    expect(madeWatch(judging).sinceMs).toBe(0);
  });
});
