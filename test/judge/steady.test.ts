import { describe, expect, test } from 'vitest';
import { forSteadyParts, type Span } from '../../src/core/judge/steady.ts';

function partsOf(spans: readonly Span[]): Span[] {
  const parts: Span[] = [];
  forSteadyParts(spans, 0, null, (ms, origin, destination) => parts.push([ms, origin, destination]));
  return parts;
}

function seconds(count: number, origin: number, destination: number): Span[] {
  return Array.from({ length: count }, () => [1000, origin, destination] as const);
}

describe('parts of the past with a steady share', () => {
  test('equal parts of at most 10 s, and a span belongs where its middle lies', () => {
    expect(partsOf(seconds(30, 9, 1)).map(([ms]) => ms)).toEqual([10_000, 10_000, 10_000]);
    expect(partsOf(seconds(31, 9, 1)).map(([ms]) => ms)).toEqual([8000, 7000, 8000, 8000]);
    // Two parts of 7.5 s: the middle of the eighth second lies in the second one.
    expect(partsOf(seconds(15, 9, 1)).map(([ms]) => ms)).toEqual([7000, 8000]);
  });

  test('a difference of more than four standard errors begins a new part', () => {
    // 10 % of 1000, and then 15.5 % (3.7 errors) or 16.5 % (4.3 errors) of as many.
    expect(partsOf([[1000, 900, 100] as const, [1000, 845, 155] as const])).toEqual([[2000, 1745, 255]]);
    expect(partsOf([[1000, 900, 100] as const, [1000, 835, 165] as const])).toEqual([
      [1000, 900, 100],
      [1000, 835, 165],
    ]);
  });

  test('nothing is lost and nothing is counted twice, and spans without attempts are no jump', () => {
    const spans = [...seconds(3, 90, 10), ...seconds(4, 0, 0), ...seconds(3, 90, 10), ...seconds(9, 10, 90)];
    const parts = partsOf(spans);
    expect(parts.map(([ms]) => ms)).toEqual([9000, 1000, 9000]);
    for (const field of [0, 1, 2] as const) {
      const sum = (list: readonly Span[]) => list.reduce((total, span) => total + span[field], 0);
      expect(sum(parts)).toBe(sum(spans));
    }
  });

  test('no past, no parts', () => {
    expect(partsOf([])).toEqual([]);
  });
});
