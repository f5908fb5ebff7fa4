import { expect, test } from 'vitest';
import { Rate } from '../../../src/io/kafka/mover/rate.ts';

test('a rate that is changed counts from now on, and what was taken too much is waited for at the new one', () => {
  const rate = new Rate(1000, 0);
  expect(rate.room(10_000)).toBe(1000);
  rate.take(5000);
  expect(rate.waitMs(10_000)).toBe(4001);
  rate.change(100_000, 10_000);
  expect(rate.waitMs(10_000)).toBe(41);
  rate.change(null, 10_010);
  expect(rate.room(10_010)).toBe(Number.POSITIVE_INFINITY);
  rate.take(1e9);
  expect(rate.waitMs(10_010)).toBe(0);
  rate.change(1000, 60_000);
  expect(rate.waitMs(60_000)).toBe(1);
  expect(rate.room(60_500)).toBe(500);
});
