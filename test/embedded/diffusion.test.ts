import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Diffusion } from '../../src/io/balancer/embedded/diffusion.ts';

const names = ['classic-1', 'classic-2', 'classic-3', 'vpc-1', 'vpc-2'];
const destination = [3, 4];

/** A write of a weight (0: it has gone), or an attempt by a request that has had some servers already. */
const happening = fc.oneof(
  { weight: 1, arbitrary: fc.record({ index: fc.nat({ max: 4 }), weight: fc.constantFrom(0, 0, 1, 7, 99, 256) }) },
  { weight: 6, arbitrary: fc.record({ tried: fc.subarray([0, 1, 2, 3, 4], { maxLength: 2 }) }) },
  { weight: 6, arbitrary: fc.constant({ tried: [] }) },
);

test('safety: whatever comes and goes, over any window the share of a group is exact within one request', () => {
  fc.assert(
    fc.property(fc.array(happening, { minLength: 50, maxLength: 400 }), (story) => {
      const { owed } = tell(story);
      expect(Math.max(...owed) - Math.min(...owed)).toBeLessThanOrEqual(1 + 1e-9);
    }),
    { numRuns: 300 },
  );
});

test('safety: nobody of weight 0, nobody tried already, and nobody at all only when nobody can be used', () => {
  fc.assert(
    fc.property(fc.array(happening, { minLength: 20, maxLength: 200 }), (story) => {
      for (const { chosen, usable } of tell(story).choices) {
        if (usable.length === 0) expect(chosen).toBe(null);
        else expect(usable).toContain(chosen);
      }
    }),
  );
});

test('liveness: every server gets its share of a full turn, within one request of its group and one of its own', () => {
  const weight = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(fc.tuple(weight, weight, weight, weight, weight), (weights) => {
      const diffusion = diffusionOf(weights);
      const total = weights.reduce((sum, value) => sum + value, 0);
      const served = weights.map(() => 0);
      for (let request = 0; request < total * 4; request += 1) {
        const chosen = diffusion.next([]);
        if (chosen !== null) served[chosen] = (served[chosen] ?? 0) + 1;
      }
      weights.forEach((value, index) => {
        expect(Math.abs((served[index] ?? 0) - value * 4)).toBeLessThanOrEqual(2);
      });
    }),
  );
});

test('ten servers of a small share do not come due together', () => {
  const many = Array.from({ length: 10 }, (_, index) => [`classic-${index + 1}`, `vpc-${index + 1}`]).flat();
  const diffusion = new Diffusion(many);
  many.forEach((name, index) => {
    diffusion.setWeight(index, name.startsWith('vpc') ? 1 : 99);
  });
  const places: number[] = [];
  for (let request = 0; request < 3000; request += 1) {
    if (many[diffusion.next([]) ?? 0]?.startsWith('vpc')) places.push(request);
  }
  const gaps = places.slice(1).map((place, index) => place - (places[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(99);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(101);
});

test('a group that is taken away and comes back again and again is not starved', () => {
  const diffusion = diffusionOf([100, 100, 100, 1, 1]);
  let expected = 0;
  let served = 0;
  for (let turn = 0; turn < 2000; turn += 1) {
    const there = turn % 2 === 0;
    for (const index of destination) diffusion.setWeight(index, there ? 1 : 0);
    for (let request = 0; request < 7; request += 1) {
      if (there) expected += 2 / 302;
      if (destination.includes(diffusion.next([]) ?? -1)) served += 1;
    }
  }
  expect(Math.abs(served - expected)).toBeLessThanOrEqual(1);
});

test('a long run does not drift', () => {
  const diffusion = diffusionOf([33, 33, 33, 1, 0]);
  let served = 0;
  for (let request = 0; request < 1_000_000; request += 1) if (diffusion.next([]) === 3) served += 1;
  expect(served).toBe(10_000);
});

type Happening = { index: number; weight: number } | { tried: readonly number[] };
type Choice = { readonly chosen: number | null; readonly usable: readonly number[] };

/** `owed`: after each attempt, what the destination should have had minus what it has had. */
function tell(story: readonly Happening[]): { owed: number[]; choices: Choice[] } {
  const weights = [100, 100, 100, 5, 5];
  const diffusion = diffusionOf(weights);
  const owed = [0];
  const choices: Choice[] = [];
  for (const event of story) {
    if ('weight' in event) {
      weights[event.index] = event.weight;
      diffusion.setWeight(event.index, event.weight);
      continue;
    }
    const usable = weights.flatMap((weight, index) => (weight > 0 && !event.tried.includes(index) ? [index] : []));
    const chosen = diffusion.next(event.tried);
    choices.push({ chosen, usable });
    if (chosen === null) continue;
    const sum = (indices: readonly number[]) => indices.reduce((total, index) => total + (weights[index] ?? 0), 0);
    const due = sum(usable.filter((index) => destination.includes(index))) / sum(usable);
    owed.push((owed.at(-1) ?? 0) + due - (destination.includes(chosen) ? 1 : 0));
  }
  return { owed, choices };
}

function diffusionOf(weights: readonly number[]): Diffusion {
  const diffusion = new Diffusion(names);
  weights.forEach((weight, index) => {
    diffusion.setWeight(index, weight);
  });
  return diffusion;
}
