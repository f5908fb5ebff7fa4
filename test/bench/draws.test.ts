import { describe, expect, test } from 'vitest';
import { Arrivals, Failures, geometric } from '../../bench/judge/draws.ts';
import { Random } from '../../src/sim/random.ts';

/** Mean and variance over many draws, with what the mean of so many may be off by: five standard errors. */
function momentsOf(draw: (random: Random) => number, draws = 100_000) {
  const random = new Random(7);
  let [sum, squares] = [0, 0];
  for (let index = 0; index < draws; index++) {
    const value = draw(random);
    sum += value;
    squares += value * value;
  }
  const mean = sum / draws;
  const variance = squares / draws - mean * mean;
  return { mean, variance, tolerance: 5 * Math.sqrt(variance / draws) };
}

describe('simulated failures are what they are called', () => {
  test.each([
    ['poisson', 909, 0.001],
    ['poisson', 90, 0.4],
    ['poisson', 20_000, 0.05],
    ['bernoulli', 909, 0.001],
    ['bernoulli', 90, 0.4],
    ['bernoulli', 1000, 0.999],
    ['bernoulli', 1, 0.5],
  ] as const)('%s: %d attempts at %d', (model, attempts, rate) => {
    const failures = new Failures(model, rate);
    const { mean, variance, tolerance } = momentsOf((random) => failures.draw(attempts, random));
    const expected = attempts * rate;
    const scatter = model === 'poisson' ? expected : expected * (1 - rate);
    expect(Math.abs(mean - expected)).toBeLessThanOrEqual(tolerance);
    expect(variance / scatter).toBeGreaterThan(0.96);
    expect(variance / scatter).toBeLessThan(1.04);
  });

  test('the probability of nothing, and of many, is exact', () => {
    const failures = new Failures('poisson', 0.01);
    const random = new Random(3);
    const seen = new Map<number, number>();
    const draws = 400_000;
    for (let index = 0; index < draws; index++) {
      const count = failures.draw(100, random);
      seen.set(count, (seen.get(count) ?? 0) + 1);
    }
    for (const [count, probability] of [
      [0, Math.exp(-1)],
      [1, Math.exp(-1)],
      [5, Math.exp(-1) / 120],
      [7, Math.exp(-1) / 5040],
    ] as const) {
      const error = Math.sqrt((probability * (1 - probability)) / draws);
      expect(Math.abs((seen.get(count) ?? 0) / draws - probability)).toBeLessThanOrEqual(5 * error);
    }
  });

  test('nothing fails where nothing is attempted or the rate is 0, and everything where it is 1', () => {
    const random = new Random(1);
    expect(new Failures('poisson', 0.5).draw(0, random)).toBe(0);
    expect(new Failures('poisson', 0).draw(1000, random)).toBe(0);
    expect(new Failures('bernoulli', 1).draw(17, random)).toBe(17);
  });

  test('clusters have the mean that they are asked for, and arrive at theirs', () => {
    const clusters = momentsOf((random) => geometric(random, 5));
    expect(Math.abs(clusters.mean - 5)).toBeLessThanOrEqual(clusters.tolerance);
    expect(clusters.variance / 20).toBeGreaterThan(0.95);
    expect(clusters.variance / 20).toBeLessThan(1.05);
    const arrivals = new Arrivals(0.018);
    const arrived = momentsOf((random) => arrivals.draw(random));
    expect(Math.abs(arrived.mean - 0.018)).toBeLessThanOrEqual(arrived.tolerance);
  });
});
