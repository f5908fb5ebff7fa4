import { describe, expect, test } from 'vitest';
import {
  enterStep,
  type JudgePass,
  type JudgeState,
  judgeRecorded,
  judgeWindows,
  newPair,
  type Rules,
  startJudge,
  startRecorded,
  verdict,
} from '../../src/core/judge/judge.ts';
import { judgeScene, pass, windowsOf } from './traffic.ts';

const rules: Rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 1, objective: null };

const nothing = { attempts: 0, failures: 0 };
const healthy = {
  seed: 1,
  seconds: 1200,
  rps: 1000,
  share: (second: number) => (second < 60 ? 0 : 0.1),
  originRate: () => 0.001,
  destinationRate: () => 0.001,
};
const broken = { ...healthy, destinationRate: () => 0.02 };

describe('thresholds', () => {
  test('pair i gets α/(i(i+1)), attempt j gets β/(j(j+1)); an objective halves both', () => {
    const state = enterStep(startJudge(rules, 2), 3);
    expect(verdict(state).rollBack.threshold).toBeCloseTo(Math.log(6 / 0.001), 12);
    expect(verdict(state).promote.threshold).toBeCloseTo(Math.log(12 / 0.01), 12);
    const guarded = enterStep(startJudge({ ...rules, objective: 0.01 }, 2), 3);
    // Equally near, as both are without data: the comparison is told.
    expect(verdict(guarded)).toMatchObject({ rollBack: { by: 'comparison' }, promote: { by: 'comparison' } });
    expect(verdict(guarded).rollBack.threshold).toBeCloseTo(Math.log(12 / 0.001), 12);
    expect(verdict(guarded).promote.threshold).toBeCloseTo(Math.log(24 / 0.01), 12);
  });

  test('without data: ln ½ for the roll back, nothing for the promotion, φ unknown', () => {
    expect(verdict(startJudge(rules, 1))).toEqual({
      verdict: 'not enough evidence',
      rollBack: {
        logEvidence: expect.closeTo(-Math.LN2, 12),
        threshold: expect.closeTo(Math.log(2000), 12),
        by: 'comparison',
      },
      promote: { logEvidence: 0, threshold: expect.closeTo(Math.log(100), 12), by: 'comparison' },
      dispersion: { known: false, why: expect.any(String) },
    });
  });
});

describe('verdicts', () => {
  test('a worse destination is rolled back, by the comparison where there is no objective', () => {
    const { state, second } = judgeScene(startJudge(rules, 1), broken);
    expect(verdict(state)).toMatchObject({ verdict: 'roll back', rollBack: { by: 'comparison' } });
    expect(second).toBeGreaterThan(60);
    expect(second).toBeLessThan(90);
  });

  test('a destination that fails together with the origin is rolled back by the objective alone', () => {
    const both = { ...healthy, originRate: () => 0.05, destinationRate: () => 0.05 };
    const { state } = judgeScene(startJudge({ ...rules, objective: 0.01 }, 1), both);
    expect(verdict(state)).toMatchObject({ verdict: 'roll back', rollBack: { by: 'absolute' } });
    expect(judgeScene(startJudge(rules, 1), both).state.decided).toBeNull();
  });

  test('roll back stays, and so does its evidence, whatever comes after; only other builds end it', () => {
    const { state } = judgeScene(startJudge(rules, 1), broken);
    const later = judgeScene(enterStep(state, 2), { ...healthy, seconds: 5 }).state;
    expect(verdict(later).rollBack).toEqual(verdict(state).rollBack);
    expect(verdict(later).verdict).toBe('roll back');
    expect(verdict(enterStep(state, 2)).verdict).toBe('roll back');
    expect(verdict(newPair(state, 2)).verdict).toBe('not enough evidence');
  });

  test('promote stays until a step is entered, and gives way to roll back', () => {
    const { state, second } = judgeScene(enterStep(startJudge(rules, 1), 1), healthy);
    expect(state.decided).toBe('promote');
    const [from, worse] = [second ?? 0, { ...broken, seed: 9, seconds: 600, share: () => 0.1 }];
    let now = state;
    const words = new Set<string>();
    for (const window of windowsOf(worse)) {
      const moved = { ...window, fromMs: window.fromMs + from * 1000, toMs: window.toMs + from * 1000 };
      now = judgeWindows(now, { only: moved }, pass);
      words.add(verdict(now).verdict);
    }
    expect([...words]).toEqual(['promote', 'roll back']);
    expect(verdict(enterStep(state, 2)).verdict).toBe('not enough evidence');
  });

  test('no promotion before a step is entered, nor before the bake time has passed', () => {
    expect(judgeScene(startJudge(rules, 1), healthy).state.decided).toBeNull();
    const raw = judgeScene(enterStep(startJudge(rules, 1), 1), healthy, { ...pass, baked: false }).state;
    expect(raw.decided).toBeNull();
    expect(verdict(raw).promote.logEvidence).toBeGreaterThan(verdict(raw).promote.threshold);
    expect(judgeWindows(raw, {}, pass).decided).toBe('promote');
  });

  test('no promotion while there is any evidence to roll back', () => {
    // A destination at half the objective, while the comparison has seen it fail much more often than the origin.
    const guarded: Rules = { ...rules, alpha: 1e-300, objective: 0.1 };
    const worse = { ...healthy, seconds: 150, originRate: () => 0.002, destinationRate: () => 0.02 };
    const { state } = judgeScene(enterStep(startJudge(guarded, 1), 1), worse);
    expect(verdict(state).promote.logEvidence).toBeGreaterThan(verdict(state).promote.threshold);
    expect(verdict(state).rollBack.logEvidence).toBeGreaterThan(0);
    expect(state.decided).not.toBe('promote');
  });

  test('at the whole share only the objective speaks', () => {
    const whole = { ...healthy, share: () => 1, destinationRate: () => 0.5 };
    expect(judgeScene(startJudge(rules, 1), whole).state.decided).toBeNull();
    expect(judgeScene(startJudge({ ...rules, objective: 0.1 }, 1), whole).state.decided).toBe('roll back');
  });

  test('the guard passes over backends where impatient clients look like failures', () => {
    const aborts: JudgePass = { ...pass, unguarded: ['only'] };
    const both = { ...healthy, originRate: () => 0.05, destinationRate: () => 0.05 };
    expect(judgeScene(startJudge({ ...rules, objective: 0.01 }, 1), both, aborts).state.decided).toBeNull();
  });

  test('processes of guard and comparison start by when a row begins, from the first window of the pair on', () => {
    const starts = (state: JudgeState) => [state.comparison.next, state.guard?.next];
    const until = (seconds: number) =>
      judgeScene(startJudge({ ...rules, objective: 0.01 }, 1), { ...healthy, seconds }).state;
    expect(starts(until(60))).toEqual([2, 2]);
    expect(starts(until(61))).toEqual([3, 3]);
    expect(starts(newPair(until(61), 2))).toEqual([2, 2]);
  });

  test('a span that began before the step was entered is no evidence to promote', () => {
    const slow = { ...healthy, rps: 10, share: () => 0.5, originRate: () => 1, destinationRate: () => 1, seconds: 65 };
    const entered = enterStep(judgeScene(startJudge(rules, 1), slow).state, 1);
    const at = (second: number) => ({
      fromMs: second * 1000,
      toMs: second * 1000 + 5000,
      origin: { attempts: 25, failures: 25 },
      destination: { attempts: 25, failures: 0 },
      destinationOpen: 0,
      originHosts: [],
    });
    const spanning = judgeWindows(entered, { only: at(65) }, pass);
    expect(spanning.promotion).toEqual(entered.promotion);
    const later = judgeWindows(judgeWindows(spanning, { only: at(70) }, pass), { only: at(75) }, pass);
    expect(verdict(later).promote.logEvidence).toBeGreaterThan(0);
  });

  test('promote stays with its evidence, and what comes after is not added to it', () => {
    const { state, second } = judgeScene(enterStep(startJudge(rules, 1), 1), healthy);
    const fromMs = (second ?? 0) * 1000;
    const counts = { attempts: 500, failures: 5 };
    const window = {
      fromMs,
      toMs: fromMs + 1000,
      origin: counts,
      destination: counts,
      destinationOpen: 0,
      originHosts: [],
    };
    const later = judgeWindows(state, { only: window }, pass);
    expect(verdict(later)).toMatchObject({ verdict: 'promote', promote: verdict(state).promote });
    expect(later.comparison).not.toEqual(state.comparison);
  });

  test('φ is what was measured before the window, and the rules say it until 30 blocks have told', () => {
    // Every second all four failures are at one of two equal origin servers, so that φ is 4; see the test of the dispersion.
    const origin = { attempts: 100, failures: 4 };
    const destination = { attempts: 100, failures: 0 };
    const originHosts = [0, 4].map((failures, index) => ({ server: `o${index}`, attempts: 50, failures }));
    let state = enterStep(startJudge({ ...rules, dispersion: 2, objective: 0.01 }, 1), 1);
    const [compared, guarded]: [number[], number[]] = [[], []];
    for (let second = 0; second < 40; second++) {
      const window = {
        fromMs: second * 1000,
        toMs: second * 1000 + 1000,
        origin,
        destination,
        originHosts,
        destinationOpen: 0,
      };
      const next = judgeWindows(state, { only: window }, { ...pass, attemptMsMax: 0, baked: false });
      compared.push(next.promotion.comparison - state.promotion.comparison);
      guarded.push((next.guard?.sums[0] ?? 0) - (state.guard?.sums[0] ?? 0));
      state = next;
    }
    const inForce = [...new Array(30).fill(2), ...new Array(10).fill(4)];
    expect(compared).toEqual(inForce.map((phi) => expect.closeTo((4 * Math.log(2)) / phi, 9)));
    expect(guarded).toEqual(inForce.map((phi) => expect.closeTo(-1 / phi, 9)));
  });

  test('other builds keep what was learned about the dispersion of the origin', () => {
    const origin = { attempts: 100, failures: 4 };
    const originHosts = [0, 4].map((failures, index) => ({ server: `o${index}`, attempts: 50, failures }));
    let state = startJudge(rules, 1);
    for (let second = 0; second < 30; second++) {
      const window = {
        fromMs: second * 1000,
        toMs: second * 1000 + 1000,
        origin,
        destination: origin,
        originHosts,
        destinationOpen: 0,
      };
      state = judgeWindows(state, { only: window }, pass);
    }
    expect(verdict(newPair(state, 2)).dispersion).toEqual({ known: true, value: 4 });
  });

  test('failures of requests that the builds before were given are not those of the present ones, for one lag', () => {
    const withObjective = { ...rules, objective: 0.01 };
    const before = judgeScene(startJudge(withObjective, 1), { ...healthy, seconds: 60 }).state;
    const second = (at: number, failures: number, open: number) => ({
      only: {
        fromMs: at * 1000,
        toMs: at * 1000 + 1000,
        origin: { attempts: 900, failures: 0 },
        destination: { attempts: 100, failures },
        destinationOpen: open,
        originHosts: [],
      },
    });
    // 80 requests hang when the other build comes; they end in the two seconds after it, and nothing else fails.
    const changed = newPair(before, 2, 60_000);
    const ended = judgeWindows(judgeWindows(changed, second(60, 50, 80), pass), second(61, 30, 30), pass);
    expect(verdict(ended).verdict).toBe('not enough evidence');
    expect(verdict(judgeWindows(ended, second(62, 40, 0), pass)).rollBack).toMatchObject({ by: 'absolute' });
    expect(verdict(judgeWindows(ended, second(62, 40, 0), pass)).verdict).toBe('roll back');
    // A build that fails everything is seen as soon as more has failed than was under way.
    expect(verdict(judgeWindows(changed, second(60, 100, 20), pass)).verdict).toBe('roll back');
    // After the lag what was under way then has ended.
    const late = judgeWindows(changed, second(60 + pass.attemptMsMax / 1000, 100, 100), pass);
    expect(verdict(late).verdict).toBe('roll back');
  });

  test('failures of requests that the builds before were given do not keep the present ones from being promoted', () => {
    const withObjective = { ...rules, objective: 0.01 };
    const before = judgeScene(startJudge(withObjective, 1), { ...healthy, seconds: 60 }).state;
    const run = (failuresAt: (second: number) => number, seconds: number) => {
      let state = enterStep(newPair(before, 2, 60_000), 1, 61_000);
      for (let second = 60; second < 60 + seconds; second++) {
        const failures = failuresAt(second - 60);
        const [origin, destination] = [
          { attempts: 900, failures: 0 },
          { attempts: 100, failures },
        ];
        const at = { fromMs: second * 1000, toMs: second * 1000 + 1000 };
        const only = { ...at, origin, destination, destinationOpen: 80, originHosts: [] };
        state = judgeWindows(state, { only }, { ...pass, baked: false });
      }
      return verdict(state);
    };
    const lag = pass.attemptMsMax / 1000;
    const left = (second: number) => (second < 2 ? 40 : 0);
    expect(run(left, lag).promote.logEvidence).toBe(0);
    expect(run(left, 4 * lag)).toEqual(run(() => 0, 4 * lag));
    expect(run(left, 4 * lag).promote.logEvidence).toBeGreaterThan(0);
    // From then on they are the builds' own.
    const own = run((second) => (second === lag ? 40 : 0), 4 * lag);
    expect(own.promote.logEvidence).toBeLessThan(0);
    expect(own.rollBack.logEvidence).toBeGreaterThan(run(left, 4 * lag).rollBack.logEvidence);
  });

  test('failures that attempts at the builds before can have left behind are not compared', () => {
    const before = judgeScene(startJudge({ ...rules, objective: 0.01 }, 1), { ...healthy, seconds: 60 }).state;
    const [origin, destination] = [
      { attempts: 900, failures: 0 },
      { attempts: 100, failures: 50 },
    ];
    const window = { fromMs: 60_000, toMs: 61_000, origin, destination, destinationOpen: 0, originHosts: [] };
    const after = judgeWindows(newPair(before, 2), { only: window }, pass);
    expect(after.comparison.sums).toEqual([-Math.LN2, -Math.LN2, -Math.LN2, -Math.LN2, -Math.LN2]);
    expect(verdict(after).rollBack).toMatchObject({ by: 'absolute' });
  });

  test('a window in which another controller entered the step, or saw other builds, is evidence for neither', () => {
    const many = { attempts: 100_000, failures: 0 };
    const across = {
      fromMs: 40_000,
      toMs: 100_000,
      origin: many,
      destination: many,
      destinationOpen: 0,
      originHosts: [],
    };
    const before = judgeScene(startJudge({ ...rules, objective: 0.01 }, 1), { ...healthy, seconds: 40 }).state;
    const entered = judgeWindows(enterStep(before, 1, 90_000), { only: across }, pass);
    let later = entered;
    for (let second = 100; second < 120; second++) {
      const window = { ...across, fromMs: second * 1000, toMs: (second + 1) * 1000 };
      later = judgeWindows(later, { only: { ...window, origin: nothing, destination: nothing } }, pass);
    }
    expect(verdict(later).promote.logEvidence).toBe(0);
    const failing = { ...across, destination: { attempts: 100_000, failures: 90_000 } };
    expect(verdict(judgeWindows(newPair(before, 2, 90_000), { only: failing }, pass)).verdict).toBe(
      'not enough evidence',
    );
    expect(verdict(judgeWindows(newPair(before, 2, 40_000), { only: failing }, pass)).verdict).toBe('roll back');
  });

  test('start times count from the earliest window, whatever its backend is called', () => {
    const counts = { attempts: 100, failures: 0 };
    const window = (fromMs: number) => ({
      fromMs,
      toMs: 9000,
      origin: counts,
      destination: counts,
      destinationOpen: 0,
      originHosts: [],
    });
    expect(judgeWindows(startJudge(rules, 1), { a: window(5000), b: window(2000) }, pass).startMs).toBe(2000);
  });

  test('a pass without windows changes nothing', () => {
    const { state } = judgeScene(startJudge(rules, 1), { ...healthy, seconds: 100 });
    expect(judgeWindows(state, { only: null }, pass)).toEqual(state);
  });
});

/** Counters of a few balancers over a while, as hostile as counts can be. */
describe('a checkpoint', () => {
  test('is below 2 kB for one busy backend of six servers in epoch time, after an hour', () => {
    let state = enterStep(startJudge({ ...rules, objective: 0.01 }, 1), 1);
    const scene = { ...healthy, seconds: 3600, split: 'random' as const };
    for (const { fromMs, toMs, ...counts } of windowsOf(scene)) {
      const originHosts = ['o1', 'o2', 'o3', 'o4', 'o5'].map((server, index) => ({
        server,
        attempts: 180,
        failures: counts.origin.failures > index ? 1 : 0,
      }));
      const epochMs = 1_763_900_000_000;
      const window = { ...counts, fromMs: epochMs + fromMs, toMs: epochMs + toMs, destinationOpen: 0, originHosts };
      state = judgeWindows(state, { 'edge/collector': window }, { ...pass, baked: false });
    }
    expect(verdict(state).dispersion.known).toBe(true);
    expect(JSON.stringify(state).length).toBeLessThan(2000);
  });
});

describe('recorded windows', () => {
  const row = {
    fromSeconds: 0,
    toSeconds: 1,
    originAttempts: 900,
    originFailures: 1,
    destinationAttempts: 100,
    destinationFailures: 2,
  };

  test('α and β whole, halved with an objective', () => {
    expect(verdict(startRecorded(rules))).toMatchObject({
      rollBack: { threshold: expect.closeTo(Math.log(1000), 12) },
      promote: { threshold: expect.closeTo(Math.log(100), 12) },
    });
    expect(verdict(startRecorded({ ...rules, objective: 0.5 }))).toMatchObject({
      rollBack: { threshold: expect.closeTo(Math.log(2000), 12) },
      promote: { threshold: expect.closeTo(Math.log(200), 12) },
    });
  });

  test('evidence that equals its threshold is enough, roll back wins a tie, and none to roll back is no hindrance', () => {
    const nothing = { ...row, originAttempts: 0, originFailures: 0, destinationAttempts: 0, destinationFailures: 0 };
    const decidedAt = (rollBack: number, promote: number) => {
      const start = startRecorded(rules);
      const comparison = { ...start.comparison, sums: start.comparison.sums.map(() => rollBack) };
      return judgeRecorded({ ...start, comparison, promotion: { comparison: promote, absolute: null } }, nothing)
        .decided;
    };
    const [toRollBack, toPromote] = [-Math.log(rules.alpha), -Math.log(rules.beta)];
    expect(decidedAt(toRollBack, toPromote)).toBe('roll back');
    expect(decidedAt(toRollBack - 1e-9, toPromote)).toBeNull();
    expect(decidedAt(1e-9, toPromote)).toBeNull();
    expect(decidedAt(0, toPromote)).toBe('promote');
    expect(decidedAt(0, toPromote - 1e-9)).toBeNull();
  });

  test('the first decisive verdict is the last word: no row after it changes anything', () => {
    const start = startRecorded(rules);
    for (const decided of ['promote', 'roll back'] as const) {
      const state = { ...start, decided };
      expect(judgeRecorded(state, { ...row, destinationFailures: 100 })).toBe(state);
    }
  });

  test('one row, by hand', () => {
    const { rollBack, promote } = verdict(judgeRecorded(startRecorded(rules), row));
    const each = [3, 5, 10, 30, 100].map((R) => (R / 2) ** 2 * (1.1 / (1 + (R - 1) * 0.1)) ** 3);
    const mean = each.reduce((sum, value) => sum + value, 0) / 5;
    expect(rollBack.logEvidence).toBeCloseTo(Math.log(mean / 2), 12);
    expect(promote.logEvidence).toBeCloseTo(3 * Math.log(1.2) - 2 * Math.log(3), 12);
  });

  test('a row without requests on one side adds nothing to the comparison, but feeds the objective', () => {
    const oneSided = { ...row, originAttempts: 0, originFailures: 0 };
    expect(verdict(judgeRecorded(startRecorded(rules), oneSided)).rollBack.logEvidence).toBeCloseTo(-Math.LN2, 12);
    const guarded = verdict(judgeRecorded(startRecorded({ ...rules, objective: 0.001 }), oneSided));
    const each = [2, 3, 5, 10, 30].map((r) => r ** 2 * Math.exp(-(r - 1) * 0.1));
    const mean = each.reduce((sum, value) => sum + value, 0) / 5;
    expect(guarded.rollBack).toMatchObject({ logEvidence: expect.closeTo(Math.log(mean / 2), 12), by: 'absolute' });
  });
});
