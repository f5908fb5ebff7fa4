// A whole rollout, killed at a point and gone on with by the real command, once for each point. `npm run kill-points` does all.
import { expect, test } from 'vitest';
import { describePoint, killAtEvery, type Listed, listPoints } from './kill-points/every.ts';
import type { Point } from './kill-points/points.ts';
import { haproxyScenarios, localScenarios } from './kill-points/scenario.ts';

/** Most of a run is waiting for the lease of the dead. */
const width = 8;

test('a controller that dies right after anything that it wrote is followed by the same command, with the same end and nothing twice', {
  timeout: 1_200_000,
}, async () => {
  const [behindHaproxy, ofItsOwn] = await Promise.all([listPoints(haproxyScenarios), listPoints(localScenarios)]);
  // Nothing changes between one write and the next: a death right before is one right after the one before it.
  const afterEach = (listed: readonly Listed[], isMeant: (point: Point) => boolean) =>
    listed.map((one) => ({ ...one, points: one.points.filter((point) => point.when === 'after' && isMeant(point)) }));
  const listed = [
    ...afterEach(behindHaproxy, () => true),
    // What is written to the journal and to a balancer has its points above.
    ...afterEach(ofItsOwn, ({ what }) => /^(size|start)/.test(what)),
  ];
  const all = [...behindHaproxy, ...ofItsOwn].reduce((sum, { points }) => sum + points.length, 0);
  const startedAt = performance.now();
  const results = await killAtEvery(listed, width, () => undefined);
  const missed = results.reduce((sum, result) => sum + result.missed, 0);
  const unreached = results.filter(({ isReached }) => !isReached);
  process.stdout.write(
    [
      `killed at ${results.length - unreached.length} of ${all} points in ${Math.round((performance.now() - startedAt) / 1000)} s, ${missed} runs passed theirs by and were repeated:`,
      'right after each append and each effect behind HAProxy, and right after each start and resize of instances of its own',
      ...unreached.map(({ scenario, point }) => `not come by again: ${scenario.name}, ${describePoint(point)}`),
      '(left out: right before each of them, and what instances of its own have in common with HAProxy; npm run kill-points does all)\n',
    ].join('\n  '),
  );
  expect(results.length - unreached.length).toBeGreaterThan(40);
  expect(unreached.length).toBeLessThanOrEqual(results.length * 0.05);
  const wrong = results.filter((result) => result.wrong.length > 0);
  expect(wrong.map(({ scenario, point, wrong }) => [`${scenario.name}: ${describePoint(point)}`, ...wrong])).toEqual(
    [],
  );
});
