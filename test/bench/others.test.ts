import { describe, expect, test } from 'vitest';
import { runContest } from '../../bench/judge/beside.ts';
import { kayenta } from '../../bench/judge/others/kayenta.ts';
import { shiftOf } from '../../bench/judge/others/mann-whitney.ts';
import type { OtherRule } from '../../bench/judge/others/rule.ts';
import { argo, flagger } from '../../bench/judge/others/thresholds.ts';
import { pictureOf } from '../../bench/judge/picture.ts';
import { Random } from '../../src/sim/random.ts';

type Counts = readonly [attempts: number, failures: number];

/** When it takes the canary back, which shows these counts each second; null: not within four hours. */
function takenBackAfter(rule: OtherRule, canary: (second: number) => Counts, origin: Counts = [900, 1]): number | null {
  const sees = rule.start(1);
  for (let second = 0; second < 14_400; second++) {
    const [attempts, failures] = canary(second);
    const window = {
      fromMs: second * 1000,
      toMs: second * 1000 + 1000,
      origin: { attempts: origin[0], failures: origin[1] },
      destination: { attempts, failures },
      destinationOpen: 0,
      originHosts: [],
    };
    if (sees(second, window)) return second + 1;
  }
  return null;
}

describe('a threshold at each interval, with a counter of failed checks', () => {
  const rule = flagger('', { intervalSeconds: 60, successMin: 0.99, threshold: 5 });

  test('five failed minutes, and the next tick takes it back', () => {
    expect(takenBackAfter(rule, () => [100, 2])).toBe(360);
  });

  test('failed checks need not follow each other', () => {
    const everyOther = (second: number): Counts => [100, Math.floor(second / 60) % 2 === 0 ? 2 : 0];
    expect(takenBackAfter(rule, everyOther)).toBe(600);
  });

  test('at the minimum nothing ever happens, however much worse than the origin that is', () => {
    expect(takenBackAfter(rule, () => [100, 1], [900, 0])).toBe(null);
  });

  test('no values are failed checks', () => {
    expect(takenBackAfter(rule, () => [0, 0])).toBe(360);
  });
});

describe('measurements of the two last samples, and errors in succession', () => {
  const rule = argo('', { intervalSeconds: 300, scrapeSeconds: 60, successMin: 0.95, failures: 3, errorsMax: 4 });

  test('three failed measurements abort', () => {
    expect(takenBackAfter(rule, () => [100, 6])).toBe(900);
  });

  test('what happens between the samples is not seen', () => {
    const between = (second: number): Counts => [100, second % 300 < 240 ? 50 : 0];
    expect(takenBackAfter(rule, between)).toBe(null);
  });

  test('the fifth measurement without a result in succession aborts', () => {
    expect(takenBackAfter(rule, () => [0, 0])).toBe(1500);
    expect(takenBackAfter(rule, (second) => (Math.floor(second / 300) % 5 === 4 ? [100, 0] : [0, 0]))).toBe(null);
  });
});

describe('Mann and Whitney', () => {
  test('the estimate is the median of all differences, and its interval is as wide as the normal approximation says', () => {
    // Ten values against ten, one apart: U has mean 50 and deviation √(100·21/12) = 13.2; 1.96 deviations are 25.9.
    const baseline = Array.from({ length: 10 }, (_, index) => index + index / 1000);
    const sample = baseline.map((value) => value + 1);
    const { low, estimate, high } = shiftOf(sample, baseline, 1.96);
    const differences = sample.flatMap((x) => baseline.map((y) => x - y)).sort((a, b) => a - b);
    expect(estimate).toBeCloseTo(1, 12);
    expect([low, high]).toEqual([differences[23], differences[76]]);
  });

  test('of two samples that are the same, its interval holds 0 in 98 of 100', () => {
    const random = new Random(5);
    let outside = 0;
    for (let trial = 0; trial < 1000; trial++) {
      const draw = () => Array.from({ length: 60 }, () => random.normal());
      const { low, high } = shiftOf(draw(), draw(), 2.3263);
      if (low > 0 || high < 0) outside++;
    }
    expect(outside).toBeGreaterThan(3);
    expect(outside).toBeLessThan(40);
  });

  test('a canary that fails ten times as often fails at the end of the hour, and one without data never', () => {
    expect(takenBackAfter(kayenta, (second) => [90, second % 2 === 0 ? 2 : 0])).toBe(3600);
    expect(takenBackAfter(kayenta, () => [0, 0])).toBe(null);
  });

  test('a jump in the last quarter of the hour is not seen in it', () => {
    const late = (second: number): Counts => [90, second % 3600 >= 2700 && second < 3600 && second % 2 === 0 ? 2 : 0];
    expect(takenBackAfter(kayenta, late)).toBe(null);
  });
});

describe('Drover on the same streams', () => {
  test('without traffic at the destination it takes nothing back', () => {
    expect(runContest({ contender: 'Drover', traffic: 'none', ratio: 10 }, 1)).toBe(null);
  });

  test('what it promoted it still takes back', () => {
    expect(runContest({ contender: 'Drover', traffic: '1000 rps', ratio: 10 }, 1)).toBeLessThan(120);
    expect(runContest({ contender: 'Drover', traffic: '1000 rps', ratio: 3 }, 1)).not.toBe(null);
  });
});

test('the picture has a line for each rule, and what is never seen is said and not drawn', () => {
  const row = { rule: 'a rule', otherwise: 'waits', falseAlarms: 0, alarmSeconds: null };
  const drawn = pictureOf([
    {
      ...row,
      traffic: '20 rps',
      seen: [
        { ratio: 3, median: Number.POSITIVE_INFINITY, p95: Number.POSITIVE_INFINITY },
        { ratio: 10, median: 60, p95: Number.POSITIVE_INFINITY },
      ],
    },
    { ...row, traffic: 'none', seen: [] },
  ]);
  expect(drawn.match(/>a rule</g)).toHaveLength(1);
  expect(drawn.match(/<circle/g)).toHaveLength(1);
  expect(drawn).toContain('>3x</text>');
  expect(drawn).not.toMatch(/NaN|Infinity|undefined/);
});
