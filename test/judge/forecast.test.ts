import { describe, expect, test } from 'vitest';
import {
  describeSights,
  type GroupCounts,
  requestsToPromote,
  secondsToSee,
  sights,
  type Traffic,
} from '../../src/core/judge/forecast.ts';
import { enterStep, type Rules, startJudge, startRecorded } from '../../src/core/judge/judge.ts';
import { judgeScene, pass, type Scene } from './traffic.ts';

const rules: Rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 1, objective: null };

function seen(origin: readonly [number, number], destination: readonly [number, number]): GroupCounts {
  return {
    origin: { attempts: origin[0], failures: origin[1] },
    destination: { attempts: destination[0], failures: destination[1] },
  };
}

describe('how many more requests until promotion', () => {
  const start = startRecorded(rules);

  test('by hand: threshold over drift at the baseline and equal rates', () => {
    // Each request fails with 1 %; each failure brings ln(1.2), and a tenth of them costs ln 3.
    const drift = 0.01 * (Math.log(1.2) - 0.1 * Math.log(3));
    expect(requestsToPromote(start, seen([9000, 90], [1000, 12]))).toEqual({
      kind: 'requests',
      requests: Math.ceil(Math.log(100) / drift),
      by: 'comparison',
    });
  });

  test('φ divides the drift, and what is there already is not asked for again', () => {
    const slow = requestsToPromote(startRecorded({ ...rules, dispersion: 2 }), seen([9000, 90], [1000, 10]));
    const half = { ...start, promotion: { comparison: Math.log(100) / 2, absolute: null } };
    const [whole, rest] = [start, half].map((state) => requestsToPromote(state, seen([9000, 90], [1000, 10])));
    const requests = (forecast: typeof whole) => (forecast?.kind === 'requests' ? forecast.requests : Number.NaN);
    expect(requests(slow) / requests(whole)).toBeCloseTo(2, 3);
    expect(requests(rest) / requests(whole)).toBeCloseTo(1 / 2, 3);
  });

  test('cannot promote where the observed ratio drifts the other way', () => {
    expect(requestsToPromote(start, seen([9000, 90], [1000, 30]))).toEqual({
      kind: 'never',
      why: 'cannot promote at this ratio',
    });
  });

  test('cannot promote while the absolute guard objects, however alike the groups fail', () => {
    const guarded = startRecorded({ ...rules, objective: 0.005 });
    const at = (failures: number) => requestsToPromote(guarded, seen([9000, 9 * failures], [1000, failures]));
    // The guard gains at 2·λ0 for a failed fraction above λ0 / ln 2 = 0.72 %.
    expect(at(8)).toEqual({ kind: 'never', why: expect.stringContaining('more often than its objective allows') });
    expect(at(7)).toMatchObject({ kind: 'requests', by: 'comparison' });
  });

  test('unknown without requests on both sides, or without failures and without an objective', () => {
    expect(requestsToPromote(start, seen([0, 0], [1000, 0])).kind).toBe('unknown');
    expect(requestsToPromote(start, seen([1000, 0], [0, 0])).kind).toBe('unknown');
    expect(requestsToPromote(start, seen([1000, 0], [1000, 0])).kind).toBe('unknown');
  });

  test('a perfect service is promoted by its objective', () => {
    const perfect = requestsToPromote(startRecorded({ ...rules, objective: 0.01 }), seen([9000, 0], [1000, 0]));
    // A tenth of the requests bring 0.9 · 1 % each, towards ln 200.
    expect(perfect).toEqual({ kind: 'requests', requests: Math.ceil(Math.log(200) / (0.1 * 0.009)), by: 'absolute' });
  });

  test('the nearer of comparison and objective is told', () => {
    const at = (objective: number) =>
      requestsToPromote(startRecorded({ ...rules, objective }), seen([9000, 90], [1000, 10]));
    expect(at(0.02)).toMatchObject({ by: 'comparison' });
    expect(at(0.5)).toMatchObject({ by: 'absolute' });
  });

  test('more failures than attempts (they come late) are no more than all', () => {
    expect(requestsToPromote(start, seen([10, 20], [10, 30])).kind).toBe('requests');
  });

  test.each([
    ['comparison', 1000, 0.1, 0.001, null],
    ['comparison, small share', 1000, 0.02, 0.005, null],
    ['objective', 100, 0.1, 0.0005, 0.005],
  ] as const)('comes true: %s', (_by, rps, share, rate, objective) => {
    const some = { ...rules, objective };
    const forecast = requestsToPromote(
      enterStep(startJudge(some, 1), 1),
      seen([1e6 * (1 - share), 1e6 * (1 - share) * rate], [1e6 * share, 1e6 * share * rate]),
    );
    const predicted = forecast.kind === 'requests' ? forecast.requests : Number.NaN;
    let total = 0;
    const runs = 60;
    for (let seed = 1; seed <= runs; seed++) {
      const scene: Scene = {
        seed,
        seconds: 9000,
        rps,
        share: () => share,
        originRate: () => rate,
        destinationRate: () => rate,
      };
      const { second } = judgeScene(enterStep(startJudge(some, 1), 1), scene);
      // The first lag is not compared, and no attempt counts for the objective before it has had time to fail.
      total += ((second ?? scene.seconds) - pass.attemptMsMax / 1000) * rps;
    }
    expect(total / runs / predicted).toBeGreaterThan(0.7);
    expect(total / runs / predicted).toBeLessThan(1.5);
  });
});

describe('how soon a ratio would be seen', () => {
  const busy: Traffic = { rps: 1000, share: 0.091, baseline: 0.001 };

  test('what is tolerated is never seen; what cannot be compared is never seen', () => {
    expect(secondsToSee(2, busy, rules)).toBeNull();
    expect(secondsToSee(1.5, busy, rules)).toBeNull();
    expect(secondsToSee(2, busy, { ...rules, tolerate: 1 })).not.toBeNull();
    for (const share of [0, 1]) expect(secondsToSee(10, { ...busy, share }, rules)).toBeNull();
    expect(secondsToSee(10, { ...busy, rps: 0 }, rules)).toBeNull();
    expect(secondsToSee(10, { ...busy, baseline: 0 }, rules)).toBeNull();
  });

  test('an objective sees what the comparison tolerates, and at the whole share', () => {
    const guarded = { ...rules, objective: 0.0005 };
    expect(secondsToSee(2, busy, guarded)).not.toBeNull();
    expect(secondsToSee(10, { ...busy, share: 1 }, guarded)).not.toBeNull();
  });

  test('never later for a larger ratio, more traffic, or less dispersion', () => {
    const times = sights(busy, { ...rules, tolerate: 1 }).map(({ seconds }) => seconds ?? Number.NaN);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(secondsToSee(10, { ...busy, rps: 2000 }, rules)).toBeLessThan(secondsToSee(10, busy, rules) ?? 0);
    expect(secondsToSee(10, busy, { ...rules, dispersion: 3 })).toBeCloseTo(
      3 * (secondsToSee(10, busy, rules) ?? 0),
      9,
    );
  });

  test.each([
    [10, 1000, 0.091, 0.001, null],
    [5, 1000, 0.091, 0.001, null],
    [3, 1000, 0.091, 0.002, null],
    [10, 100, 0.167, 0.001, null],
    [10, 1000, 0.01, 0.001, null],
    [3, 1000, 0.3, 0.01, null],
    [10, 1000, 0.091, 0.002, 0.005],
    [5, 200, 0.5, 0.01, 0.01],
  ] as const)(
    'comes true: %dx at %d rps, share %d, baseline %d, objective %s',
    (ratio, rps, share, baseline, objective) => {
      const some: Rules = { ...rules, objective };
      const predicted = secondsToSee(ratio, { rps, share, baseline }, some) ?? Number.NaN;
      const runs = 60;
      let total = 0;
      for (let seed = 1; seed <= runs; seed++) {
        const scene: Scene = {
          seed,
          seconds: 60 + Math.ceil(8 * predicted),
          rps,
          share: (second) => (second < 60 ? 0 : share),
          originRate: () => baseline,
          destinationRate: () => Math.min(1, ratio * baseline),
        };
        total += (judgeScene(startJudge(some, 1), scene).second ?? scene.seconds) - 60;
      }
      expect(total / runs / predicted).toBeGreaterThan(0.6);
      expect(total / runs / predicted).toBeLessThan(1.6);
    },
  );

  test('in words', () => {
    expect(describeSights(busy, rules)).toMatch(
      /^3x in \d+ min, 5x in \d+ s, 10x in \d+ s; 2x is tolerated \(--tolerate 1: in \d+ min\)$/,
    );
    expect(describeSights({ ...busy, rps: 0 }, rules)).toBe('no ratio can be seen in this traffic');
    expect(describeSights({ ...busy, baseline: 0 }, rules)).toMatch(/^nothing has failed so far/);
    expect(describeSights({ ...busy, rps: 1e7 }, rules)).toContain('10x in under 1 s');
    expect(describeSights({ ...busy, rps: 1 }, rules)).toMatch(/3x in \d+ days, .*10x in \d+ h/);
    expect(describeSights({ rps: 100, share: 1, baseline: 0.01 }, { ...rules, objective: 0.02 })).toMatch(
      /^3x in .*; 2x is tolerated$/,
    );
  });
});
