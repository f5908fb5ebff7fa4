import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullWeight, shareOfWeights, type WeighedServer, weightsForShare } from '../../src/core/rollout/weights.ts';

const server = (name: string, base: number, carries = true): WeighedServer => ({ name, base, carries });

/** The share that weights make among the servers that carry. */
function made(
  origin: readonly WeighedServer[],
  names: readonly string[],
  weights: Readonly<Record<string, number>>,
): number {
  const of = (all: readonly string[]) => all.map((name) => weights[name] ?? Number.NaN);
  const carrying = origin.filter(({ carries }) => carries).map(({ name }) => name);
  return shareOfWeights(of(carrying), of(names)) ?? Number.NaN;
}

const origins = fc
  .array(fc.record({ base: fc.integer({ min: 1, max: 256 }), carries: fc.boolean() }), { minLength: 1, maxLength: 6 })
  .map((rows) => rows.map(({ base, carries }, index) => server(`old-${index}`, base, carries)));
const destinations = fc
  .integer({ min: 1, max: 6 })
  .map((count) => Array.from({ length: count }, (_, index) => `new-${index}`));
const shares = fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100);

describe('weights for a share', () => {
  test('property: are whole numbers that a balancer takes, all of the destination the same, none of them 0', () => {
    fc.assert(
      fc.property(origins, destinations, shares, (origin, names, share) => {
        const weights = weightsForShare(origin, names, share);
        for (const weight of Object.values(weights)) {
          expect(Number.isInteger(weight) && weight >= 1 && weight <= 256, JSON.stringify(weights)).toBe(true);
        }
        expect(new Set(names.map((name) => weights[name])).size).toBe(1);
        expect(Object.keys(weights)).toHaveLength(origin.length + names.length);
      }),
    );
  });

  test('property: make the share within half a point, where equal origin servers leave room for it', () => {
    const equal = fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 60, max: 256 }),
      fc.integer({ min: 1, max: 4 }),
    );
    const percents = fc.constantFrom(0.02, 0.05, 0.1, 0.25, 0.5, 0.75);
    fc.assert(
      fc.property(equal, percents, ([count, base, there], share) => {
        const origin = Array.from({ length: count }, (_, index) => server(`old-${index}`, base));
        const names = Array.from({ length: there }, (_, index) => `new-${index}`);
        expect(Math.abs(made(origin, names, weightsForShare(origin, names, share)) - share)).toBeLessThan(0.005);
      }),
    );
  });

  test('leave the origin as it was found where whole numbers allow it', () => {
    const origin = [server('old-1', 100), server('old-2', 100)];
    expect(weightsForShare(origin, ['new-1'], 0.2)).toEqual({ 'old-1': 100, 'old-2': 100, 'new-1': 50 });
    expect(weightsForShare(origin, ['new-1', 'new-2'], 0.5)).toEqual({
      'old-1': 100,
      'old-2': 100,
      'new-1': 100,
      'new-2': 100,
    });
    expect(weightsForShare(origin, ['new-1', 'new-2'], 0.2)).toMatchObject({ 'old-1': 100, 'new-1': 25, 'new-2': 25 });
  });

  test('scale it where they do not, and keep its ratios', () => {
    const small = [server('old-1', 1), server('old-2', 2)];
    const weights = weightsForShare(small, ['new-1'], 0.05);
    expect(made(small, ['new-1'], weights)).toBeCloseTo(0.05, 3);
    expect((weights['old-2'] ?? 0) / (weights['old-1'] ?? 1)).toBeCloseTo(2, 1);
    const large = [server('old-1', 256), server('old-2', 256)];
    const most = weightsForShare(large, ['new-1'], 0.95);
    expect(made(large, ['new-1'], most)).toBeCloseTo(0.95, 2);
    expect(most['new-1']).toBeLessThanOrEqual(256);
  });

  test('weigh what does not carry for its return, and count it not', () => {
    const origin = [server('old-1', 100), server('old-2', 50, false)];
    expect(weightsForShare(origin, ['new-1'], 0.5)).toEqual({ 'old-1': 100, 'old-2': 50, 'new-1': 100 });
  });

  test('at the ends: nothing for the destination with the origin as found, and nothing for the origin', () => {
    const origin = [server('old-1', 40), server('old-2', 80)];
    expect(weightsForShare(origin, ['new-1'], 0)).toEqual({ 'old-1': 40, 'old-2': 80, 'new-1': 0 });
    expect(weightsForShare(origin, ['new-1'], 1)).toEqual({ 'old-1': 0, 'old-2': 0, 'new-1': 80 });
    expect(weightsForShare(origin, [], 0.5)).toEqual({ 'old-1': 40, 'old-2': 80 });
  });

  test('where the origin carries nothing, the destination gets what the strongest had', () => {
    const origin = [server('old-1', 40, false), server('old-2', 80, false)];
    expect(weightsForShare(origin, ['new-1'], 0.1)).toEqual({ 'old-1': 40, 'old-2': 80, 'new-1': 80 });
    expect(weightsForShare([], ['new-1'], 0.1)).toEqual({ 'new-1': 1 });
    expect(fullWeight([])).toBe(1);
  });

  test('no weight at all makes no share', () => {
    expect(shareOfWeights([], [])).toBeNull();
    expect(shareOfWeights([0], [0])).toBeNull();
    expect(shareOfWeights([3], [1])).toBe(0.25);
  });
});
