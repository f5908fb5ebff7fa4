import { describe, expect, test } from 'vitest';
import { describeGoals } from '../../bench/frame/goals.ts';
import { lowerLimit, upperLimit } from '../../bench/frame/limits.ts';
import { describeCommit, describeLoad, describeMachine } from '../../bench/frame/machine.ts';
import { describeSpread, ratiosOf, spreadOf } from '../../bench/frame/spread.ts';
import { duration, percent, table } from '../../bench/frame/table.ts';

describe('figures of repeated measurements', () => {
  test('the spread does not depend on the order, and one slow measurement moves the largest alone', () => {
    const spread = spreadOf([5, 1, 4, 1000, 2, 3, 1]);
    expect(spread).toEqual({ count: 7, smallest: 1, median: 3, p95: 1000, p99: 1000, largest: 1000 });
    expect(describeSpread(spread)).toBe('3.0 (1.0 to 1000.0, 7 times)');
  });

  test('the 95th of a hundred is the 95th percentile', () => {
    const spread = spreadOf(Array.from({ length: 100 }, (_, index) => 100 - index));
    expect([spread.median, spread.p95, spread.p99]).toEqual([50, 95, 99]);
  });

  test('nothing measured is no figure', () => {
    expect(() => spreadOf([])).toThrow('nothing was measured');
  });

  test('a machine that became ten times slower in the middle leaves the ratio as it was', () => {
    const turns = [1, 1, 1, 10, 10, 10].map((slow) => ({ ours: 30 * slow, theirs: 60 * slow }));
    expect(ratiosOf(turns)).toMatchObject({ smallest: 0.5, median: 0.5, largest: 0.5 });
  });
});

describe('limits of a rate', () => {
  test('nothing found of n: at most 1 − doubt^(1/n); all found: at least doubt^(1/n)', () => {
    expect(lowerLimit(0, 100)).toBe(0);
    expect(upperLimit(0, 100)).toBeCloseTo(1 - 0.01 ** (1 / 100), 12);
    expect(lowerLimit(100, 100)).toBeCloseTo(0.01 ** (1 / 100), 12);
    expect(upperLimit(100, 100)).toBe(1);
  });

  test('one found of n: at least 1 − (1 − doubt)^(1/n)', () => {
    expect(lowerLimit(1, 50)).toBeCloseTo(1 - 0.99 ** (1 / 50), 12);
  });

  test('of 20,000 runs at 0.1 %, 31 contradict nothing and 32 do', () => {
    expect(lowerLimit(31, 20_000)).toBeLessThanOrEqual(0.001);
    expect(lowerLimit(32, 20_000)).toBeGreaterThan(0.001);
    expect(upperLimit(19_000, 20_000)).toBeGreaterThan(0.95);
  });
});

describe('what is printed', () => {
  test('a table is Markdown with aligned columns', () => {
    expect(table(['case', 'rate'], [['one', '0.1 %'], ['a longer one']])).toBe(
      [
        '| case         | rate  |',
        '|--------------|-------|',
        '| one          | 0.1 % |',
        '| a longer one |       |',
      ].join('\n'),
    );
  });

  test('units', () => {
    expect([percent(0.0005), duration(1.25), duration(16.4), duration(300), duration(14_400)]).toEqual([
      '0.05 %',
      '1.3 s',
      '16 s',
      '5.0 min',
      '4.0 h',
    ]);
  });

  test('a missed goal is told apart at a glance', () => {
    const goals = [
      { promised: 'a ≤ 1', found: '0.5', met: true },
      { promised: 'b ≤ 1', found: '2', met: false },
    ];
    expect(describeGoals(goals)).toBe('met     a ≤ 1: 0.5\nMISSED  b ≤ 1: 2');
  });

  test('machine, commit and load are there', () => {
    expect(describeMachine()).toMatch(/^\d+ × .+, \d+ GiB, .+, Node \d+\./);
    expect(describeCommit()).toMatch(/^([0-9a-f]{12}|unknown)/);
    expect(describeLoad()).toMatch(/^\d+\.\d \d+\.\d \d+\.\d$/);
  });
});
