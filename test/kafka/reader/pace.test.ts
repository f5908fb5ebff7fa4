import { expect, test } from 'vitest';
import { Pace } from '../../../src/io/kafka/reader/pace.ts';

const signal = new AbortController().signal;

test('however many ask at once, a broker is read no faster than it is allowed, and another one does not wait for it', async () => {
  const pace = new Pace(1_000_000, () => performance.now());
  const startedMs = performance.now();
  const read = async (broker: number) => {
    const came = await pace.room(broker, 50_000, signal);
    came(50_000);
  };
  await Promise.all(Array.from({ length: 6 }, () => read(1)));
  // The last one has waited for what the five before it took.
  expect(performance.now() - startedMs).toBeGreaterThan(240);
  const otherMs = performance.now();
  await read(2);
  expect(performance.now() - otherMs).toBeLessThan(240);
});

test('what was asked for and did not come is given back', async () => {
  const pace = new Pace(10_000, () => performance.now());
  const came = await pace.room(1, 1_000_000_000, signal);
  came(0);
  await pace.room(1, 1, signal);
});

test('an interruption ends the wait', async () => {
  const pace = new Pace(1, () => performance.now());
  await pace.room(1, 1_000_000, signal);
  const ending = new AbortController();
  const waiting = pace.room(1, 1, ending.signal);
  ending.abort();
  await expect(waiting).rejects.toThrow('aborted');
});
