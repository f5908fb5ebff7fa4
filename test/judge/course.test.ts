import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToCourse, type Course, pointsMax, startCourse } from '../../src/cli/judge/course.ts';
import { short } from '../../src/cli/judge/markup.ts';
import { binsOf, evidenceStroke, stepStroke } from '../../src/cli/judge/strokes.ts';
import { timeTicks, valueTicks } from '../../src/cli/judge/ticks.ts';
import {
  judgeRecorded,
  promoteWays,
  type RecordedRow,
  rollBackWays,
  startRecorded,
} from '../../src/core/judge/judge.ts';

const rules = { alpha: 1e-300, beta: 1e-300, tolerate: 2, bad: 3, dispersion: 1 };

/** The course, and what every single window would have shown. */
function courseOf(rows: readonly RecordedRow[], objective: number | null = 0.01) {
  let state = startRecorded({ ...rules, objective });
  const course = startCourse(state);
  const comparisons: number[] = [];
  const absolutes: number[] = [];
  for (const row of rows) {
    state = judgeRecorded(state, row);
    addToCourse(course, row, state);
    comparisons.push(rollBackWays(state).comparison);
    absolutes.push(promoteWays(state).absolute ?? Number.NaN);
  }
  return { course, comparisons, absolutes };
}

function rowsOf(count: number, failures: (second: number) => number): RecordedRow[] {
  return Array.from({ length: count }, (_, index) => ({
    fromSeconds: index,
    toSeconds: index + 1,
    originAttempts: 90,
    originFailures: 1,
    destinationAttempts: Math.max(10, failures(index + 1)),
    destinationFailures: failures(index + 1),
  }));
}

describe('a course', () => {
  test('of any number of windows has at most as many points as it may, loses no count, and keeps every extreme', () => {
    const counts = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: pointsMax - 2, max: 3 * pointsMax }));
    fc.assert(
      fc.property(counts, fc.nat(1e6), (count, seed) => {
        const rows = rowsOf(count, (second) => ((second * 7919 + seed) % 97 < 3 ? 2 : 0));
        const { course, comparisons, absolutes } = courseOf(rows);
        const { points } = course;
        expect(points.length).toBeLessThanOrEqual(pointsMax);
        expect(points.length).toBeGreaterThanOrEqual(Math.min(count, pointsMax / 2));
        expect(points.map(({ fromSeconds }) => fromSeconds).slice(1)).toEqual(
          points.map(({ toSeconds }) => toSeconds).slice(0, -1),
        );
        const failures = rows.reduce((sum, row) => sum + row.destinationFailures, 0);
        expect(points.reduce((sum, point) => sum + point.destination.failures, 0)).toBe(failures);
        expect(points.reduce((sum, point) => sum + point.origin.attempts, 0)).toBe(90 * count);
        expect(extremes(course, 'rollBack', 'comparison')).toEqual([min(comparisons), max(comparisons)]);
        expect(extremes(course, 'promote', 'absolute')).toEqual([min(absolutes), max(absolutes)]);
        expect(points.at(-1)?.rollBack.comparison.last).toBe(comparisons.at(-1));
      }),
      { numRuns: 20 },
    );
  });

  test('a peak of one window in 100,000 is as high in the picture as it was', () => {
    const rows = rowsOf(100_000, (second) => (second === 43_210 ? 40 : second % 4 === 0 ? 1 : 0));
    const { course, comparisons } = courseOf(rows, null);
    const spans = course.points.map((point) => [point.toSeconds, point.rollBack.comparison] as const);
    const place = { x: (seconds: number) => (seconds / 100_000) * 800, y: (value: number) => value };
    const path = evidenceStroke(course.start.rollBack.comparison, spans, place);
    const drawn = [...path.matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    const middle = drawn.filter(([x]) => x > 100);
    const [x, y] = middle.reduce((best, each) => (each[1] > best[1] ? each : best));
    expect(y).toBeCloseTo(max(comparisons.slice(15_000)), 2);
    expect(Math.abs(x - 800 * 0.4321)).toBeLessThan(1.5);
    expect(drawn.length).toBeLessThanOrEqual(1 + 3 * 801);
  });
});

test('a place far outside of the picture is written as one that every browser can count to', () => {
  expect([1e21, -1e300, 12.345, -0.001].map(short)).toEqual(['100000', '-100000', '12.35', '0']);
});

describe('rates', () => {
  test('are gathered over bins as long as they say, from their first window to their last', () => {
    const { course } = courseOf(rowsOf(1000, () => 0));
    const { points, seconds } = binsOf(course.points, 1000, 80);
    expect(seconds).toBe(15);
    expect(points.slice(0, 2).map(({ fromSeconds, toSeconds }) => [fromSeconds, toSeconds])).toEqual([
      [0, 15],
      [15, 30],
    ]);
    expect(points.reduce((sum, point) => sum + point.origin.attempts, 0)).toBe(90_000);
    expect(binsOf(course.points.slice(0, 80), 80, 80)).toEqual({ points: course.points.slice(0, 80), seconds: null });
  });

  test('where nothing was asked there is a gap, and no line that leads over it', () => {
    const { course } = courseOf(rowsOf(3, () => 0));
    const place = { x: (seconds: number) => seconds, y: (value: number) => value };
    const gap = (point: { fromSeconds: number }) => (point.fromSeconds === 1 ? null : 5);
    expect(stepStroke(course.points, gap, place)).toBe('M0 5H1M2 5H3');
  });
});

describe('ticks', () => {
  test('of any length of time begin at 0, are few, differ in their words, and reach far', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 3, max: 12 }), (seconds, countMax) => {
        const ticks = timeTicks(seconds, countMax);
        expect(ticks[0]).toEqual({ value: 0, label: '0' });
        expect(ticks.length).toBeLessThanOrEqual(countMax + 1);
        expect(ticks.at(-1)?.value ?? 0).toBeGreaterThan(seconds / 2 - 1);
        expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      }),
    );
  });

  test.each([
    [10, '0, 1 s, 2 s, 3 s, 4 s, 5 s, 6 s, 7 s, 8 s, 9 s, 10 s'],
    [600, '0, 1 min, 2 min, 3 min, 4 min, 5 min, 6 min, 7 min, 8 min, 9 min, 10 min'],
    [100_000, '0, 3 h, 6 h, 9 h, 12 h, 15 h, 18 h, 21 h, 24 h, 27 h'],
    [30 * 86_400, '0, 5 d, 10 d, 15 d, 20 d, 25 d, 30 d'],
  ])('%d s', (seconds, expected) => {
    expect(
      timeTicks(seconds, 10)
        .map(({ label }) => label)
        .join(', '),
    ).toBe(expected);
  });

  test('of values are round, with as many digits as they need and a real minus sign', () => {
    const labels = (...range: [number, number, number]) => valueTicks(...range).map(({ label }) => label);
    expect(labels(-9, 9, 4)).toEqual(['−5', '0', '5']);
    expect(labels(0, 0.23, 3)).toEqual(['0', '0.1', '0.2']);
    expect(labels(-2e6, 1e6, 3)).toEqual(['−2,000,000', '−1,000,000', '0', '1,000,000']);
  });
});

function extremes({ points }: Course, verb: 'rollBack' | 'promote', way: 'comparison' | 'absolute'): number[] {
  const spans = points.flatMap((point) => point[verb][way] ?? []);
  return [min(spans.map((span) => span.min)), max(spans.map((span) => span.max))];
}

function min(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value));
}

function max(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value));
}
