import { describe, expect, test } from 'vitest';
import type { Window } from '../../src/core/judge/counting.ts';
import {
  enterStep,
  type JudgeState,
  judgeRecorded,
  judgeWindows,
  type Rules,
  startJudge,
  startRecorded,
  verdict,
} from '../../src/core/judge/judge.ts';
import { alphaOfPair } from '../../src/core/judge/rollback.ts';
import { poisson, type Random, randomFrom } from './random.ts';
import { judgeScene, lagMs, pass, type Scene, windowsOf } from './traffic.ts';

/**
 * The guarantees, by simulation. A guarantee says that the probability of an alarm is at most q; so the number of alarms in n
 * independent runs is at most binomial(n, q), and more than `mostAlarms(n, q)` of them would be a one-in-a-million event.
 * α is large here so that a rule that breaks its guarantee shows in few runs; the seeds are fixed, so nothing is flaky.
 */
const rules: Rules = { alpha: 0.05, beta: 0.1, tolerate: 2, bad: 3, dispersion: 1, objective: null };
const hours = 3600;

/** Up and down, twice an hour, with the whole way back among them. */
function stairs(second: number): number {
  return [0.05, 0.5, 0.02, 0.25, 0, 0.1][Math.floor(second / 1200) % 6] ?? 0;
}

/** From nothing to one half in a minute, a pause, and down again. */
function ramps(second: number): number {
  const at = second % 320;
  if (at < 60) return at / 120;
  if (at < 160) return 0.5;
  return Math.max(0, 0.5 - (at - 160) / 120);
}

/** The destination is exactly as bad as is tolerated, and exactly as bad as the objective: both nulls at their edge. */
const edge: Omit<Scene, 'seed'> = {
  seconds: 4 * hours,
  rps: 200,
  share: stairs,
  originRate: () => 0.005,
  destinationRate: () => 0.01,
};

/** The smallest m with P(binomial(n, q) > m) < 1e-6. */
function mostAlarms(runs: number, probability: number): number {
  let term = (1 - probability) ** runs;
  let above = 1 - term;
  let alarms = 0;
  while (above >= 1e-6) {
    term *= ((runs - alarms) / (alarms + 1)) * (probability / (1 - probability));
    alarms += 1;
    above -= term;
  }
  return alarms;
}

function runsWith(decided: JudgeState['decided'], runs: number, run: (seed: number) => JudgeState): number {
  let count = 0;
  for (let seed = 1; seed <= runs; seed++) if (run(seed).decided === decided) count += 1;
  return count;
}

describe('false alarms at the tolerated ratio and at the objective', () => {
  const guarded: Rules = { ...rules, objective: 0.01 };
  const allowed = alphaOfPair(rules.alpha, 1);

  test('in 4 hours of shares that go up and down, with failures at once or 30 s late', () => {
    const runs = 200;
    const alarms = runsWith('roll back', runs, (seed) => {
      const scene: Scene = {
        ...edge,
        seed,
        pollSeconds: [1, 2, 5, 5][Math.floor(seed / 4) % 4] ?? 1,
        failsAfter: seed % 4 < 2 ? 30 : 0,
        split: seed % 2 === 0 ? 'random' : 'smooth',
      };
      return judgeScene(startJudge(guarded, 1), scene).state;
    });
    expect(alarms).toBeLessThanOrEqual(mostAlarms(runs, allowed));
    expect(alarms).toBeLessThanOrEqual(10);
  });

  test('in little traffic, where most polls see a handful of attempts', () => {
    const runs = 60;
    const alarms = runsWith('roll back', runs, (seed) => {
      const scene: Scene = { ...edge, seed, pollSeconds: 2, rps: 12, failsAfter: 20, split: 'random' };
      const busy = { originRate: () => 0.05, destinationRate: () => 0.1 };
      return judgeScene(startJudge({ ...rules, objective: 0.1 }, 1), { ...scene, ...busy }).state;
    });
    expect(alarms).toBeLessThanOrEqual(mostAlarms(runs, allowed));
  });

  test('while the share ramps up and down within minutes and all failures rise and fall with it', () => {
    const runs = 60;
    const alarms = runsWith('roll back', runs, (seed) => {
      const rate = (second: number) => 0.002 + 0.02 * ramps(second);
      const scene: Scene = {
        seed,
        seconds: 2 * hours,
        rps: 200,
        share: ramps,
        originRate: rate,
        destinationRate: (second) => 2 * rate(second),
        failsAfter: seed % 3 === 0 ? 30 : 0,
        split: seed % 2 === 0 ? 'random' : 'smooth',
      };
      return judgeScene(startJudge(rules, 1), scene).state;
    });
    expect(alarms).toBeLessThanOrEqual(mostAlarms(runs, allowed));
  });

  test('during an outage that both groups share, beginning with a step up', () => {
    const runs = 40;
    const alarms = runsWith('roll back', runs, (seed) => {
      const at = 100 + (seed % 10);
      const rate = (second: number) => (second < at ? 0.005 : 0.5);
      const share = (second: number) => (second < at ? 0.01 : 0.5);
      const scene = { seed, seconds: 300, rps: 100 + 20 * seed, share, originRate: rate, destinationRate: rate };
      return judgeScene(startJudge(rules, 1), scene).state;
    });
    expect(alarms).toBe(0);
  });
});

describe('what breaks the guarantee, and is therefore not done', () => {
  const allowed = alphaOfPair(rules.alpha, 1);
  const late: Omit<Scene, 'seed'> = { ...edge, failsAfter: lagMs / 1000 };

  test('the share of the moment: after a step down late failures look like many', () => {
    const alarms = runsWith(
      'roll back',
      20,
      (seed) => judgeScene(startJudge(rules, 1), { ...late, seed }, { ...pass, attemptMsMax: 0 }).state,
    );
    expect(alarms).toBeGreaterThan(mostAlarms(20, allowed));
  });

  test('the attempts of the moment, in the absolute guard', () => {
    // A ratio that is never reached keeps the comparison out of it.
    const guardOnly: Rules = { ...rules, tolerate: 50, bad: 60, objective: 0.01 };
    const run = (seed: number, attemptMsMax: number) =>
      judgeScene(startJudge(guardOnly, 1), { ...late, seed }, { ...pass, attemptMsMax }).state;
    expect(runsWith('roll back', 20, (seed) => run(seed, 0))).toBeGreaterThan(mostAlarms(20, allowed));
    expect(runsWith('roll back', 20, (seed) => run(seed, lagMs))).toBeLessThanOrEqual(mostAlarms(20, allowed));
  });

  test('the requested share in place of the observed one', () => {
    const run = (seed: number, believed: (window: Window, second: number) => Window) => {
      let state = startJudge(rules, 1);
      // The balancer gives the destination more than was asked for.
      const share = (second: number) => Math.min(1, 1.5 * stairs(second));
      for (const window of windowsOf({ ...edge, seed, share })) {
        state = judgeWindows(state, { only: believed(window, window.fromMs / 1000) }, pass);
        if (state.decided !== null) break;
      }
      return state;
    };
    const asRequested = (window: Window, second: number): Window => {
      const attempts = window.origin.attempts + window.destination.attempts;
      const destination = Math.round(attempts * stairs(second));
      return {
        ...window,
        origin: { ...window.origin, attempts: attempts - destination },
        destination: { ...window.destination, attempts: destination },
      };
    };
    expect(runsWith('roll back', 20, (seed) => run(seed, asRequested))).toBeGreaterThan(mostAlarms(20, allowed));
    expect(runsWith('roll back', 20, (seed) => run(seed, (window) => window))).toBeLessThanOrEqual(
      mostAlarms(20, allowed),
    );
  });

  test('dividing the mixture by φ in place of its increments, when failures come in clusters', () => {
    const [runs, alpha, mean] = [200, 0.01, 5];
    // Geometric clusters of mean m have the dispersion 2m − 1.
    const dispersion = 2 * mean - 1;
    const counted = { increments: 0, mixture: 0 };
    for (let seed = 1; seed <= runs; seed++) {
      const said = judgeClusters(seed, mean, { ...rules, alpha, beta: 1e-300, bad: 300 }, dispersion);
      if (said.increments) counted.increments += 1;
      if (said.mixture) counted.mixture += 1;
    }
    expect(counted.increments).toBeLessThanOrEqual(mostAlarms(runs, alpha));
    // P(binomial(200, 1 %) ≥ 8) = 0.1 %: with these seeds the divided mixture alarms too often, its increments do not.
    expect(counted.mixture).toBeGreaterThanOrEqual(8);
    expect(counted.increments).toBeLessThanOrEqual(2);
  });
});

/** 48 hours in rows of 20 s at 1000 rps, a share of 9.1 % and the tolerated ratio: which of the two rules raises an alarm? */
function judgeClusters(
  seed: number,
  mean: number,
  some: Rules,
  dispersion: number,
): { increments: boolean; mixture: boolean } {
  const random = randomFrom(seed * 7 + 1);
  const threshold = Math.log(1 / some.alpha);
  let divided = startRecorded({ ...some, dispersion });
  let whole = startRecorded({ ...some, alpha: 1e-300 });
  let mixture = false;
  for (let seconds = 20; seconds <= 48 * hours; seconds += 20) {
    const row = {
      fromSeconds: seconds - 20,
      toSeconds: seconds,
      originAttempts: 18_180,
      originFailures: clusters(random, 18.18, mean),
      destinationAttempts: 1820,
      destinationFailures: clusters(random, 3.64, mean),
    };
    divided = judgeRecorded(divided, row);
    whole = judgeRecorded(whole, row);
    if (verdict(whole).rollBack.logEvidence / dispersion >= threshold) mixture = true;
  }
  return { increments: divided.decided === 'roll back', mixture };
}

/** Failures that come in clusters of geometric size. */
function clusters(random: Random, expected: number, mean: number): number {
  let failures = 0;
  for (let cluster = poisson(random, expected / mean); cluster > 0; cluster--) {
    failures += 1;
    while (random() > 1 / mean) failures += 1;
  }
  return failures;
}

describe('false promotions of a destination that is exactly too bad', () => {
  /** Fresh attempts at one step, each of 10 minutes, until one promotes. The comparison to roll back is kept out of the way. */
  function attempts(seed: number, some: Rules, numberOf: (attempt: number) => number): JudgeState {
    const scene: Scene = {
      seed,
      seconds: 20 * 600,
      pollSeconds: 5,
      rps: 100,
      share: () => 0.3,
      originRate: () => 0.01,
      destinationRate: () => 0.03,
    };
    let state = startJudge(some, 1);
    let second = 0;
    for (const window of windowsOf(scene)) {
      if (second % 600 === 0) state = enterStep(state, numberOf(1 + second / 600));
      second += 5;
      state = judgeWindows(state, { only: window }, pass);
      if (state.decided !== null) break;
    }
    return state;
  }
  const compared: Rules = { ...rules, alpha: 1e-300, tolerate: 2.99 };
  const runs = 100;

  test('over 20 attempts, by comparison', () => {
    const promoted = runsWith('promote', runs, (seed) => attempts(seed, compared, (attempt) => attempt));
    expect(promoted).toBeLessThanOrEqual(mostAlarms(runs, rules.beta));
  });

  test('over 20 attempts, by comparison and objective together', () => {
    const both: Rules = { ...compared, objective: 0.03 };
    const promoted = runsWith('promote', runs, (seed) => attempts(seed, both, (attempt) => attempt));
    expect(promoted).toBeLessThanOrEqual(mostAlarms(runs, rules.beta));
  });

  test('starting to count at 1 each time would promote it far too often', () => {
    const promoted = runsWith('promote', runs, (seed) => attempts(seed, compared, () => 1));
    expect(promoted).toBeGreaterThan(mostAlarms(runs, rules.beta));
  });

  test('a destination whose requests hang until their time-out is not promoted before the first of them', () => {
    const hangs = (attemptMsMax: number) => (seed: number) => {
      const scene: Scene = {
        seed,
        seconds: 300,
        rps: 500,
        share: (second) => (second < 60 ? 0 : 0.2),
        originRate: () => 0.002,
        destinationRate: () => 0.5,
        destinationFailsAfter: 30,
      };
      return judgeScene(enterStep(startJudge({ ...rules, objective: 0.01 }, 1), 1), scene, { ...pass, attemptMsMax })
        .state;
    };
    expect(runsWith('promote', 30, hangs(lagMs))).toBe(0);
    expect(runsWith('promote', 30, hangs(0))).toBe(30);
  });
});

describe('detection', () => {
  const defaults: Rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 1, objective: null };

  /** Seconds from the step up (or the later onset) to the roll back: [median, 95th percentile]. */
  function delays(runs: number, some: Rules, changes: Partial<Scene>, onset = 60): readonly [number, number] {
    const seconds: number[] = [];
    for (let seed = 1; seed <= runs; seed++) {
      const scene: Scene = {
        seed,
        seconds: onset + 4000,
        rps: 1000,
        share: (second) => (second < 60 ? 0 : 0.091),
        originRate: () => 0.001,
        destinationRate: (second) => (second < onset ? 0.001 : 0.01),
        ...changes,
      };
      const outcome = judgeScene(startJudge(some, 1), scene);
      seconds.push((outcome.second ?? scene.seconds) - onset);
    }
    seconds.sort((a, b) => a - b);
    return [seconds[Math.floor(runs / 2)] ?? 0, seconds[Math.floor(runs * 0.95)] ?? 0];
  }

  // Expected: the delays of the bare test (no pairs, no lag, the whole of α), times 1.5.
  test.each([
    ['1000 rps, 9.1 %', {}, 15, 32],
    ['1000 rps, 16.7 %', { share: (second: number) => (second < 60 ? 0 : 0.167) }, 10, 21],
    ['1000 rps, 1 %', { share: (second: number) => (second < 60 ? 0 : 0.01) }, 103, 241],
    ['100 rps, 9.1 %', { rps: 100 }, 144, 333],
    ['1000 rps, 9.1 %, by dice', { split: 'random' }, 15, 32],
    ['100 rps, 9.1 %, by dice', { rps: 100, split: 'random' }, 144, 333],
  ] as const)('10x at %s', (_what, changes, median, late) => {
    const [half, most] = delays(100, defaults, changes);
    expect(half).toBeLessThanOrEqual(1.5 * median);
    expect(most).toBeLessThanOrEqual(1.5 * late);
  });

  test('10x that begins after a clean hour takes little longer', () => {
    const [half, most] = delays(30, defaults, {}, 3660);
    expect(half).toBeLessThanOrEqual(45);
    expect(most).toBeLessThanOrEqual(90);
  });

  test('a clean hour does not make the absolute guard slow either', () => {
    const guarded: Rules = { ...defaults, tolerate: 50, bad: 60, objective: 0.002 };
    const [half] = delays(30, guarded, { destinationRate: (second) => (second < 3660 ? 0.0002 : 0.1) }, 3660);
    expect(half).toBeLessThanOrEqual(5);
  });

  test('everything fails: seen in the first seconds', () => {
    const [half, most] = delays(30, { ...defaults, objective: 0.01 }, { destinationRate: () => 1 });
    expect(half).toBeLessThanOrEqual(2);
    expect(most).toBeLessThanOrEqual(2);
  });
});
