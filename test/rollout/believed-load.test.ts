import { describe, expect, test } from 'vitest';
import type { Health } from '../../src/core/observed/backend.ts';
import { known } from '../../src/core/observed/reading.ts';
import { factsOf } from '../../src/core/rollout/facts.ts';
import { addLoad, loadToRaiseBy, type RecentLoad } from '../../src/core/rollout/load.ts';
import { startWatch, type Watch, watch } from '../../src/core/rollout/watch.ts';
import { madeReading, madeServer } from '../made/readings.ts';
import { madeObservation, sinceMs, stateAt } from '../made/rollout.ts';

describe('a lower load is believed by a raise once a second window bears it out', () => {
  test('one that hardly any came in is not the load of a controller that has just begun', () => {
    // A reading right after the first, told twice; the next brings what that one left out, and not its own.
    const late = loadOf([36, 0], [14_000, 2]);
    expect(loadToRaiseBy(late, ['a']).known).toBe(false);
    expect(raisedBy(loadOf([36, 0], [14_000, 2], [10_000, 3600]))).toBeGreaterThan(149);
  });

  test('nor that of one that has seen more', () => {
    expect(raisedBy(loadOf([10_000, 1500], [36, 0], [14_000, 2]))).toBeCloseTo(150, 0);
    expect(raisedBy(loadOf([1000, 150], [14_000, 2100], [14_000, 150]))).toBeCloseTo(150, 0);
  });

  test('and a moment bears nothing out', () => {
    expect(raisedBy(loadOf([10_000, 1500], [14_000, 2], [4, 0], [30, 1]))).toBeCloseTo(150, 0);
    expect(loadToRaiseBy(loadOf([14_000, 2], [4, 0], [495, 1]), ['a']).known).toBe(false);
    expect(loadToRaiseBy(loadOf([14_000, 2], [4, 0], [496, 1]), ['a']).known).toBe(true);
  });

  test('but one that stays is believed, and a higher one at once', () => {
    const lower = Array.from({ length: 4 }, () => [5000, 100] as const);
    expect(raisedBy(loadOf([5000, 1000], [5000, 1000], ...lower))).toBe(20);
    expect(raisedBy(loadOf([10_000, 1000], [16_000, 3200]))).toBe(200);
  });

  test('where readings are further apart than what is recent reaches back, and where they follow each other fast', () => {
    for (const length of [2, 3, 50]) {
      const slow = Array.from({ length }, () => [20_000, 2000] as const);
      expect(raisedBy(loadOf(...slow))).toBe(100);
      expect(loadOf(...slow)['a']).toHaveLength(2);
    }
    const fast = Array.from({ length: 60 }, () => [100, 10] as const);
    expect(raisedBy(loadOf(...fast))).toBeCloseTo(100);
  });

  test('and after a gap longer than counters can be late the load of before stands until two windows tell', () => {
    const before = loadOf([10_000, 2000], [10_000, 2000]);
    const later = (...windows: Windows) => raisedBy(more(before, 20_000 + 45_000, windows));
    expect(later()).toBe(200);
    expect(later([10_000, 500])).toBe(200);
    expect(later([10_000, 500], [10_000, 500])).toBe(50);
  });
});

describe('a backend that had no server', () => {
  test('has the load that was known before, until a whole window with servers has come', () => {
    const served = looks(startWatch(state), [0, 1000, 2000, 3000], 'up');
    expect(facts(served).load).toEqual(known(100));
    const alone = looks(served, [3500, 3500, 3500, 3500, 3500, 3500], 'down');
    expect(facts(alone).load).toEqual(known(100));
    // Up again in the middle of the window.
    const back = looks(alone, [4000], 'up');
    expect(facts(back).load).toEqual(known(100));
    // Now the load is another one, and a raise goes by it when two windows have told it.
    const lower = looks(back, [4500], 'up');
    expect(facts(lower).load).toEqual(known(50));
    expect(loadToRaiseBy(lower.load, ['edge'])).toEqual(known(100));
    expect(loadToRaiseBy(looks(lower, [5000, 5500], 'up').load, ['edge'])).toEqual(known(50));
  });

  test('has none that a controller knows which has never seen it with one', () => {
    const alone = looks(startWatch(state), [0, 0, 0], 'down');
    expect(facts(alone).load.known).toBe(false);
    const back = looks(alone, [300], 'up');
    expect(facts(back).load.known).toBe(false);
    expect(facts(looks(back, [1300], 'up')).load).toEqual(known(100));
    expect(loadToRaiseBy(looks(back, [1300], 'up').load, ['edge']).known).toBe(false);
    expect(loadToRaiseBy(looks(back, [1300, 2300], 'up').load, ['edge'])).toEqual(known(100));
  });

  test('also where the reading that shows it came with older counters and is not counted', () => {
    const served = looks(startWatch(state), [0, 1000, 2000], 'up');
    const older = looks(served, [1900], 'down');
    expect(older.windows).toEqual({});
    const back = looks(older, [2400], 'up');
    expect(back.windows['edge']?.origin.attempts).toBe(400);
    expect(facts(back).load).toEqual(known(100));
    expect(facts(looks(back, [3000], 'up')).load).toEqual(known(60));
  });

  test('is still counted by everything that is not the load', () => {
    const served = looks(startWatch(state), [0, 1000, 2000, 3000], 'up');
    const alone = looks(served, [3400], 'down');
    expect(alone.recent['edge']?.at(-1)).toMatchObject({ origin: { attempts: 400, failures: 0 } });
    expect(alone.counted.origin.attempts).toBe(3400);
  });

  test('and one without any line of the groups has the load that is counted there', () => {
    const seen = [0, 1, 2].reduce((before, index) => {
      const nowMs = sinceMs + index * everyMs;
      const backends = { edge: { atMs: nowMs, reading: known(madeReading([madeServer('other')])) } };
      return watch(before, state, madeObservation({ nowMs, backends }));
    }, startWatch(state));
    expect(loadToRaiseBy(seen.load, ['edge'])).toEqual(known(0));
  });
});

type Windows = readonly (readonly [ms: number, attempts: number])[];

/** Attempts at the origin of one backend, one window after the other. */
function loadOf(...windows: Windows): RecentLoad {
  return more({}, 0, windows);
}

function more(before: RecentLoad, beginMs: number, windows: Windows): RecentLoad {
  let [load, fromMs] = [before, beginMs];
  for (const [ms, attempts] of windows) {
    const window = { fromMs, toMs: fromMs + ms, origin: { attempts, failures: 0 } };
    load = addLoad(load, 'a', { ...window, destination: { attempts: 0, failures: 0 } });
    fromMs += ms;
  }
  return load;
}

function raisedBy(load: RecentLoad): number {
  const rps = loadToRaiseBy(load, ['a']);
  if (!rps.known) throw new Error(rps.why);
  return rps.value;
}

const state = stateAt({ kind: 'judging', step: 1 });
const everyMs = 10_000;

/** Readings ten seconds apart, each with the attempts of all time and the health of every server of the origin. */
function looks(before: Watch, totals: readonly number[], health: Health): Watch {
  let seen = before;
  for (const attempts of totals) {
    const nowMs = (seen.sinceMs === null ? sinceMs : lastMs(seen)) + everyMs;
    seen = watch(seen, state, observed(nowMs, attempts, health));
    passedMs.set(seen, nowMs);
  }
  return seen;
}

const passedMs = new WeakMap<Watch, number>();

function lastMs(seen: Watch): number {
  return passedMs.get(seen) ?? sinceMs;
}

function observed(nowMs: number, attempts: number, health: Health) {
  const servers = [
    madeServer('old-1', { health, counters: { attempts, rsp2xx: attempts } }),
    madeServer('old-2', { health }),
    madeServer('new-1', { weight: 0 }),
  ];
  return madeObservation({ nowMs, backends: { edge: { atMs: nowMs, reading: known(madeReading(servers)) } } });
}

function facts(seen: Watch) {
  return factsOf(state, seen, observed(lastMs(seen), 0, 'up'));
}
