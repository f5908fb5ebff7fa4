import { describe, expect, test } from 'vitest';
import { Random } from '../../src/sim/random.ts';
import { Schedule } from '../../src/sim/schedule.ts';

describe('virtual time', () => {
  test('events happen in the order of their times, and of their entry where the times are the same', async () => {
    const schedule = new Schedule();
    const random = new Random(7);
    const happened: [number, number][] = [];
    for (let index = 0; index < 500; index++) {
      const atMs = random.integer(0, 40);
      schedule.at(atMs, () => happened.push([atMs, index]));
    }
    expect(await schedule.run(1000)).toBe('idle');
    const sorted = [...happened].sort(([one, first], [other, second]) => one - other || first - second);
    expect(happened).toEqual(sorted);
    expect(happened).toHaveLength(500);
  });

  test('every promise reaction of an event runs before the next event, however long its chain', async () => {
    const schedule = new Schedule();
    const happened: string[] = [];
    schedule.at(1, () => {
      const chain = async (): Promise<void> => {
        for (let index = 0; index < 50; index++) await Promise.resolve();
        await Promise.all([Promise.resolve(), new Promise((resolve) => queueMicrotask(() => resolve(null)))]);
        happened.push('reaction');
      };
      void chain();
    });
    schedule.at(1, () => happened.push('next event'));
    await schedule.run(10);
    expect(happened).toEqual(['reaction', 'next event']);
  });

  test('what is cancelled is left out, what is late stays, and an event that throws ends the run', async () => {
    const schedule = new Schedule();
    const happened: number[] = [];
    const cancelled = schedule.at(5, () => happened.push(5));
    schedule.at(6, () => happened.push(6));
    schedule.at(50, () => happened.push(50));
    cancelled.cancelled = true;
    expect(await schedule.run(10)).toBe('late');
    expect(happened).toEqual([6]);
    expect(await schedule.run(100)).toBe('idle');
    expect(happened).toEqual([6, 50]);
    schedule.after(1, () => {
      throw new Error('as asked');
    });
    await expect(schedule.run(1000)).rejects.toThrow('as asked');
  });
});

describe('chance', () => {
  test('a fork depends on the seed and its name alone', () => {
    const one = new Random(3);
    for (let index = 0; index < 10; index++) one.unit();
    const other = new Random(3);
    expect(one.fork('load').unit()).toBe(other.fork('load').unit());
    expect(one.fork('load').unit()).not.toBe(one.fork('fleets').unit());
    expect(new Random(4).fork('load').unit()).not.toBe(one.fork('load').unit());
  });

  test('counts have the mean and the variance that they claim', () => {
    const random = new Random(11);
    for (const mean of [0.3, 4, 29, 31, 400]) {
      const counts = Array.from({ length: 20_000 }, () => random.poisson(mean));
      expect(averageOf(counts)).toBeGreaterThan(mean - 5 * Math.sqrt(mean / 20_000));
      expect(averageOf(counts)).toBeLessThan(mean + 5 * Math.sqrt(mean / 20_000));
      expect(varianceOf(counts) / mean).toBeGreaterThan(0.93);
      expect(varianceOf(counts) / mean).toBeLessThan(1.07);
    }
    for (const [trials, probability] of [
      [10, 0.2],
      [200, 0.01],
      [500, 0.3],
      [500, 0.8],
    ] as const) {
      const counts = Array.from({ length: 20_000 }, () => random.binomial(trials, probability));
      const spread = 5 * Math.sqrt((trials * probability) / 20_000);
      expect(Math.abs(averageOf(counts) - trials * probability)).toBeLessThan(spread);
      expect(Math.max(...counts)).toBeLessThanOrEqual(trials);
    }
  });
});

function averageOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function varianceOf(values: readonly number[]): number {
  const average = averageOf(values);
  return averageOf(values.map((value) => (value - average) ** 2));
}
