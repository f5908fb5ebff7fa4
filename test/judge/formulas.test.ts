import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostCount, Window } from '../../src/core/judge/counting.ts';
import { addDispersion, type Dispersion, dispersionOf, startDispersion } from '../../src/core/judge/dispersion.ts';
import { logAddExp, logMeanExp } from '../../src/core/judge/logarithms.ts';
import { absolutePromotion, addPromotion, betaOfAttempt, startPromotion } from '../../src/core/judge/promote.ts';
import {
  addComparison,
  addGuard,
  alphaOfPair,
  comparedRatios,
  guardedRatios,
  mixtureEvidence,
  startMixture,
  startProcesses,
} from '../../src/core/judge/rollback.ts';
import type { Term } from '../../src/core/judge/terms.ts';
import { binomial, randomFrom } from './random.ts';

function term(changes: Partial<Term>): Term {
  return {
    fromMs: 0,
    toMs: 1000,
    originFailures: 0,
    destinationFailures: 0,
    share: { largest: 0.1, smallest: 0.1 },
    dispersion: 1,
    inStep: true,
    settledAttempts: 0,
    ...changes,
  };
}

describe('evidence to roll back', () => {
  test('the alternatives are those that are not tolerated', () => {
    expect(comparedRatios(1)).toEqual([2, 3, 5, 10, 30, 100]);
    expect(comparedRatios(2)).toEqual([3, 5, 10, 30, 100]);
    expect(comparedRatios(99)).toEqual([100]);
  });

  test('one destination failure at a share of 10 %, by hand', () => {
    const { sums } = addComparison(
      startMixture([3, 5, 10, 30, 100]),
      2,
      [3, 5, 10, 30, 100],
      term({ destinationFailures: 1 }),
    );
    // ln(R/2) + ln(1.1) − ln(1 + 0.1(R−1)), from ln ½: half of R/2 · 1.1 / (1 + 0.1(R−1)).
    const byHand = [1.5 * (1.1 / 1.2), 2.5 * (1.1 / 1.4), 5 * (1.1 / 1.9), 15 * (1.1 / 3.9), 50 * (1.1 / 10.9)];
    for (const [index, value] of byHand.entries()) expect(sums[index]).toBeCloseTo(Math.log(value / 2), 12);
  });

  test('an origin failure speaks against it, less at a small share', () => {
    const evidenceAt = (largest: number) =>
      addComparison(startMixture([10]), 2, [10], term({ originFailures: 1, share: { largest, smallest: 0 } })).sums[0];
    expect(evidenceAt(0.1)).toBeCloseTo(Math.log(1.1 / 1.9 / 2), 12);
    expect(evidenceAt(0.01)).toBeCloseTo(Math.log(1.01 / 1.09 / 2), 12);
  });

  test('the largest share is used, and φ divides the increment but not what is there', () => {
    const seen = term({
      destinationFailures: 4,
      originFailures: 2,
      share: { largest: 0.2, smallest: 0.1 },
      dispersion: 3,
    });
    const { sums } = addComparison(startMixture([10]), 2, [10], seen);
    const increment = 4 * Math.log(5) + 6 * (Math.log(1.2) - Math.log(2.8));
    expect(sums[0]).toBeCloseTo(-Math.LN2 + increment / 3, 12);
  });

  test('at a share of 0 % or 100 %, and without failures, the numbers stay finite; without a share nothing is added', () => {
    for (const largest of [0, 1]) {
      const { sums } = addComparison(
        startMixture([10]),
        2,
        [10],
        term({ destinationFailures: 1, share: { largest, smallest: 0 } }),
      );
      expect(sums[0]).toBeCloseTo(-Math.LN2 + (largest === 0 ? Math.log(5) : 0), 12);
    }
    const start = startMixture([10]);
    expect(addComparison(start, 2, [10], term({}))).toEqual(start);
    expect(addComparison(start, 2, [10], term({ destinationFailures: 9, share: null }))).toEqual(start);
  });

  test('the absolute guard, by hand', () => {
    const { sums } = addGuard(startMixture(guardedRatios), 0.01, { failures: 3, attempts: 100, dispersion: 2 });
    for (const [index, r] of [2, 3, 5, 10, 30].entries()) {
      expect(sums[index]).toBeCloseTo(-Math.LN2 + (3 * Math.log(r) - (r - 1) * 0.01 * 100) / 2, 12);
    }
  });

  test('α over the pairs of builds adds up to α', () => {
    expect(alphaOfPair(0.001, 1)).toBe(0.0005);
    expect(alphaOfPair(0.001, 3)).toBeCloseTo(0.001 / 12, 15);
    let sum = 0;
    for (let pair = 1; pair <= 10_000; pair++) sum += alphaOfPair(0.001, pair);
    expect(sum).toBeLessThan(0.001);
    expect(sum).toBeGreaterThan(0.000999);
  });
});

describe('the mixture over start times', () => {
  test('begins at ln ½, and process j comes in before the first row that starts at or after 60(j−1) s', () => {
    const start = startMixture([10]);
    expect(start).toEqual({ sums: [-Math.LN2], next: 2 });
    expect(startProcesses(start, 59)).toEqual(start);
    const second = startProcesses(start, 60);
    expect(second.next).toBe(3);
    expect(second.sums[0]).toBeCloseTo(Math.log(1 / 2 + 1 / 6), 12);
  });

  test('after a gap all that are due come in, as if one by one', () => {
    const late = startProcesses({ sums: [-4], next: 2 }, 1000);
    let one = { sums: [-4] as readonly number[], next: 2 };
    for (let seconds = 60; seconds <= 1000; seconds += 60) one = startProcesses(one, seconds);
    expect(late.next).toBe(one.next);
    expect(late.sums[0]).toBeCloseTo(one.sums[0] ?? Number.NaN, 12);
  });

  test('time that jumps by ages, or goes back, does no harm', () => {
    expect(startProcesses(startMixture([10]), Number.MAX_SAFE_INTEGER).sums[0]).toBeCloseTo(0, 9);
    expect(startProcesses(startMixture([10]), -1e12)).toEqual(startMixture([10]));
  });

  test('is the L_R + A_R of the definition', () => {
    const ratios = comparedRatios(2);
    const row = fc.record({
      seconds: fc.integer({ min: 1, max: 200 }),
      share: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      originFailures: fc.nat(4),
      destinationFailures: fc.nat(4),
      dispersion: fc.double({ min: 1, max: 9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        let mixture = startMixture(ratios);
        const literal = ratios.map(() => ({ L: 0, A: Number.NEGATIVE_INFINITY }));
        let seconds = 0;
        let j = 1;
        for (const { share, originFailures: x_o, destinationFailures: x_d, dispersion, ...row } of rows) {
          for (; 60 * (j - 1) <= seconds; j++) {
            for (const sum of literal) sum.A = Math.log(Math.exp(sum.A) + Math.exp(-Math.log(j * (j + 1)) - sum.L));
          }
          for (const [index, R] of ratios.entries()) {
            const sum = literal[index] ?? { L: 0, A: 0 };
            const p = share;
            sum.L += (x_d * Math.log(R / 2) + (x_o + x_d) * (Math.log(1 + p) - Math.log(1 + (R - 1) * p))) / dispersion;
          }
          const seen = {
            originFailures: x_o,
            destinationFailures: x_d,
            share: { largest: share, smallest: 0 },
            dispersion,
          };
          mixture = addComparison(startProcesses(mixture, seconds), 2, ratios, term(seen));
          seconds += row.seconds;
        }
        if (rows.length === 0) return;
        const evidence = Math.log(literal.reduce((sum, { L, A }) => sum + Math.exp(L + A), 0) / ratios.length);
        expect(mixtureEvidence(mixture)).toBeCloseTo(evidence, 8);
      }),
      { numRuns: 200 },
    );
  });
});

describe('evidence to promote', () => {
  test('comparison, by hand: the smallest share', () => {
    const seen = term({
      originFailures: 5,
      destinationFailures: 1,
      share: { largest: 0.5, smallest: 0.1 },
      dispersion: 2,
    });
    const { comparison, absolute } = addPromotion(startPromotion(null), 3, null, seen);
    expect(comparison).toBeCloseTo((-Math.log(3) + 6 * Math.log(1.2)) / 2, 12);
    expect(absolute).toBeNull();
  });

  test('absolute, by hand: attempts that have had time to fail, failures at once', () => {
    const { comparison, absolute } = addPromotion(
      startPromotion(0.01),
      3,
      0.01,
      term({ destinationFailures: 2, settledAttempts: 500, share: null }),
    );
    expect(comparison).toBe(0);
    const byHand = [0.1, 0.25, 0.5].map((r) => 2 * Math.log(r) + (1 - r) * 5);
    expect(absolute).toEqual(byHand.map((value) => expect.closeTo(value, 12)));
    const mean = byHand.reduce((sum, value) => sum + Math.exp(value), 0) / 3;
    expect(absolutePromotion(absolute ?? [])).toBeCloseTo(Math.log(mean), 12);
  });

  test('φ divides both ways to promote', () => {
    const seen = term({ originFailures: 5, destinationFailures: 2, settledAttempts: 500 });
    const sumsAt = (dispersion: number) => addPromotion(startPromotion(0.01), 3, 0.01, { ...seen, dispersion });
    const [whole, third] = [sumsAt(1), sumsAt(3)];
    expect(third.comparison).toBeCloseTo(whole.comparison / 3, 12);
    expect(third.absolute).toEqual(whole.absolute?.map((sum) => expect.closeTo(sum / 3, 12)));
  });

  test('β over the attempts adds up to β', () => {
    expect([1, 2, 3].map((attempt) => betaOfAttempt(0.06, attempt))).toEqual([0.03, 0.01, 0.005]);
  });
});

describe('dispersion of the origin', () => {
  /** One window of `seconds`, beginning at second `from`; each host as [attempts, failures]. */
  function window(from: number, seconds: number, hosts: readonly (readonly [number, number])[]): Window {
    const originHosts: HostCount[] = hosts.map(([attempts, failures], index) => ({
      server: `o${index}`,
      attempts,
      failures,
    }));
    const none = { attempts: 0, failures: 0 };
    return {
      fromMs: from * 1000,
      toMs: (from + seconds) * 1000,
      origin: none,
      destination: none,
      originHosts,
      destinationOpen: 0,
    };
  }

  function measure(seconds: number, hosts: (second: number) => readonly (readonly [number, number])[]): Dispersion {
    let dispersion = startDispersion();
    for (let second = 0; second < seconds; second++) {
      dispersion = addDispersion(dispersion, 'only', window(second, 1, hosts(second)));
    }
    return dispersion;
  }

  test('unknown with fewer than 30 blocks that had failures, and it says how many there are', () => {
    const quiet = measure(40, (second) => [
      [10, second < 29 ? 1 : 0],
      [10, 0],
    ]);
    expect(dispersionOf(quiet)).toEqual({ known: false, why: '29 of 30 blocks with failures at the origin so far' });
  });

  test('unknown with one origin host, however much it fails', () => {
    const one = dispersionOf(measure(400, () => [[10, 5]]));
    expect(one).toMatchObject({ known: false, why: expect.stringContaining('1 origin server') });
  });

  test('a host without attempts is no second host', () => {
    expect(
      dispersionOf(
        measure(400, () => [
          [10, 5],
          [0, 0],
        ]),
      ),
    ).toMatchObject({ known: false });
  });

  test('by hand: four failures at one of two equal hosts every second', () => {
    // Blocks of 1 s: (4 − 2)² / (4 · ½ · ½) = 4; of 10 s: (40 − 20)² / 10 = 40; neither of 60 nor of 300 s are there 30 yet.
    const hosts = () => [[50, 0] as const, [50, 4] as const];
    expect(dispersionOf(measure(299, hosts))).toEqual({ known: true, value: 4 });
    expect(dispersionOf(measure(300, hosts))).toEqual({ known: true, value: 40 });
  });

  test.each([60, 300])('failures that change sides every %d s are seen by blocks of that length', (seconds) => {
    // A block of b s within one period: (4b − 2b)² / (4b · ½ · ½) = 4b; twice as long it would be 0.
    const hosts = (second: number): [number, number][] => {
      const [even, odd] = Math.floor(second / seconds) % 2 === 0 ? [0, 4] : [4, 0];
      return [
        [50, even],
        [50, odd],
      ];
    };
    expect(dispersionOf(measure(30 * seconds - 1, hosts))).not.toEqual({ known: true, value: 4 * seconds });
    expect(dispersionOf(measure(30 * seconds, hosts))).toEqual({ known: true, value: 4 * seconds });
  });

  test('every other server plays the destination, however many there are', () => {
    const failing = (at: number) =>
      dispersionOf(measure(40, () => [0, 1, 2, 3].map((host) => [50, host === at ? 4 : 0])));
    for (const host of [0, 1, 2, 3]) expect(failing(host)).toEqual({ known: true, value: 4 });
  });

  test('polls that do not divide a block: it ends with the poll that reaches its end, and nothing is lost', () => {
    let dispersion = startDispersion();
    const hosts = [[50, 0] as const, [50, 4] as const];
    for (let poll = 0; poll < 43; poll++) dispersion = addDispersion(dispersion, 'only', window(7 * poll, 7, hosts));
    // 30 blocks of 10 s hold the 43 polls of 301 s, b of them each: (4b − 2b)² / (4b · ½ · ½) = 4b.
    expect(dispersionOf(dispersion)).toEqual({ known: true, value: expect.closeTo((4 * 43) / 30, 12) });
  });

  test('never below 1, even where failures take turns', () => {
    const even = measure(100, () => [
      [50, 2],
      [50, 2],
    ]);
    expect(dispersionOf(even)).toEqual({ known: true, value: 1 });
  });

  test('about 1 for independent failures on hosts of different size', () => {
    const random = randomFrom(3);
    const independent = measure(3000, () =>
      [40, 90, 10, 60].map((attempts) => [attempts, binomial(random, attempts, 0.02)] as const),
    );
    const measured = dispersionOf(independent);
    expect(measured).toMatchObject({ known: true });
    expect(measured.known ? measured.value : 0).toBeLessThan(1.5);
  });

  test('about 2m − 1 for failures that come in geometric clusters of mean m', () => {
    const random = randomFrom(4);
    const cluster = () => {
      let size = 1;
      while (random() > 1 / 5) size += 1;
      return size;
    };
    const clustered = measure(6000, () => {
      const counts: [number, number][] = [
        [50, 0],
        [50, 0],
      ];
      for (let clusters = binomial(random, 10, 0.1); clusters > 0; clusters--) {
        const host = counts[random() < 0.5 ? 0 : 1];
        if (host !== undefined) host[1] += cluster();
      }
      return counts;
    });
    const measured = dispersionOf(clustered);
    expect(measured.known ? measured.value : 0).toBeGreaterThan(7);
    expect(measured.known ? measured.value : 0).toBeLessThan(13);
  });

  test('backends are not pooled: opposite differences at two of them do not cancel', () => {
    let dispersion = startDispersion();
    for (let second = 0; second < 40; second++) {
      dispersion = addDispersion(
        dispersion,
        'a',
        window(second, 1, [
          [50, 0],
          [50, 4],
        ]),
      );
      dispersion = addDispersion(
        dispersion,
        'b',
        window(second, 1, [
          [50, 4],
          [50, 0],
        ]),
      );
    }
    expect(dispersionOf(dispersion)).toEqual({ known: true, value: 4 });
  });
});

describe('logarithms of sums', () => {
  test('do not overflow', () => {
    expect(logAddExp(1e6, 1e6)).toBeCloseTo(1e6 + Math.LN2, 9);
    expect(logAddExp(-1e17, 3)).toBe(3);
    expect(logMeanExp([1e6, -1e6])).toBeCloseTo(1e6 - Math.LN2, 9);
    expect(logMeanExp([-1e9])).toBe(-1e9);
  });
});
