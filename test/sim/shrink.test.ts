import { describe, expect, test } from 'vitest';
import { mutationNamed } from '../../src/sim/mutations.ts';
import { simulate } from '../../src/sim/run.ts';
import { drawScenario } from '../../src/sim/scenario.ts';
import { shrink } from '../../src/sim/shrink.ts';

const ignored = mutationNamed('marker ignored');
const forgotten = mutationNamed('reserve forgotten');

describe('shrinking a world in which something is wrong', () => {
  test('leaves the fault that it takes, and the narrowed seed shows the same again', async () => {
    const shrunk = await shrink(ignored.seenIn, ignored);
    expect(Object.keys(drawScenario(ignored.seenIn).faults).length).toBeGreaterThanOrEqual(10);
    const rate = expect.any(Number);
    expect(shrunk?.outcome.scenario.faults).toEqual({ 'offline-back': rate });
    const again = await simulate(drawScenario(ignored.seenIn, shrunk?.narrowing), ignored);
    expect(again.violation).toEqual(shrunk?.outcome.violation);
    expect((await simulate(drawScenario(ignored.seenIn, shrunk?.narrowing))).violation).toBeNull();
  });

  test('takes every fault out of one that needs none, and heals it at once', async () => {
    const shrunk = await shrink(forgotten.seenIn, forgotten);
    expect(shrunk?.outcome.scenario.faults).toEqual({});
    expect(shrunk?.narrowing.healAtMs).toBeLessThan(10_000);
  });

  test('ends where its runs are used up, with the smallest world so far', async () => {
    const shrunk = await shrink(ignored.seenIn, ignored, 5);
    expect(shrunk?.runs).toBe(5);
    expect(shrunk?.outcome.violation?.check).toBe('no raise after a way back');
    expect(Object.keys(shrunk?.outcome.scenario.faults ?? {}).length).toBeGreaterThan(2);
  });

  test('has nothing to do with a world in which nothing is wrong', async () => {
    expect(await shrink(1, null)).toBeNull();
  });
});
