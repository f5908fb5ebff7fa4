import { expect, test } from 'vitest';
import { copyOrder, type OrderedPartition } from '../../src/core/move/copy-order.ts';
import { inTurn } from '../../src/core/move/operation/plan.ts';

const nowMs = 1_000_000;
const partition = (number: number, more: Partial<OrderedPartition>): OrderedPartition => ({
  ...{ topic: 'orders', partition: number, newestMs: null, dueMs: null, race: { kind: 'none', why: 'kept' } },
  ...more,
});

test('what is deleted soonest comes first, by time or by size, and what is kept comes last', () => {
  const partitions = [
    partition(0, {}),
    partition(1, { dueMs: nowMs + 5000 }),
    partition(2, { dueMs: nowMs + 9000, race: { kind: 'overtaken', inMs: 100, by: 'size' } }),
    partition(3, { dueMs: nowMs + 9000, race: { kind: 'due' } }),
    partition(4, { dueMs: nowMs - 50 }),
  ];
  expect(copyOrder('retention', partitions, nowMs)).toEqual([
    'orders-4',
    'orders-3',
    'orders-2',
    'orders-1',
    'orders-0',
  ]);
});

test('the newest records come first, and partitions of which nothing is known last', () => {
  const partitions = [partition(0, {}), partition(1, { newestMs: 10 }), partition(2, { newestMs: 20 })];
  expect(copyOrder('newest', partitions, nowMs)).toEqual(['orders-2', 'orders-1', 'orders-0']);
});

test('by name the tenth partition comes behind the second', () => {
  const partitions = [partition(10, {}), partition(2, {}), { ...partition(7, {}), topic: 'clicks' }];
  expect(copyOrder('name', partitions, nowMs)).toEqual(['clicks-7', 'orders-2', 'orders-10']);
});

test('what has no turn comes behind what has one, in the order in which it was', () => {
  const places = [3, 0, 2, 1].map((number) => ({ topic: 'orders', partition: number }));
  expect(inTurn(places, ['orders-2', 'orders-0']).map(({ partition: number }) => number)).toEqual([2, 0, 3, 1]);
});
