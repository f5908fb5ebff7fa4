import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { accountOfOperation } from '../../../src/sim/copies/account.ts';
import { killAtEveryAppend, killedScenarios } from '../../../src/sim/copies/kill-points.ts';
import { copyPoints, labels } from '../../../src/sim/copies/points.ts';
import { simulateOperation } from '../../../src/sim/copies/run.ts';
import { type CopyScenario, drawScenario, strikeNames } from '../../../src/sim/copies/scenario.ts';

const calm = { isFollowed: false, isRemovedAfterwards: false, batchMs: 50, patienceMs: 3_600_000 };

/** Worlds that broke a rule once, and say which. */
const keptFolder = join(import.meta.dirname, '..', '..', 'seeds', 'copies');
const kept = readdirSync(keptFolder).filter((name) => name.endsWith('.json'));

describe('the loop of a copy in simulated worlds', () => {
  test('300 seeds break no rule; every fault strikes, every stage is seen, and controllers die everywhere', {
    timeout: 240_000,
  }, async () => {
    const [struck, seen, deaths] = [new Set<string>(), new Set<string>(), new Set<string>()];
    for (let seed = 1; seed <= 300; seed += 1) {
      const outcome = await simulateOperation(drawScenario(seed));
      expect(outcome.violation, `npm run sim -- --copies --seed ${seed} --shrink`).toBeNull();
      for (const name of Object.keys(outcome.struck)) struck.add(name);
      for (const label of outcome.labels) seen.add(label);
      for (const pair of outcome.deaths) deaths.add(pair.split(' × ')[1] ?? '');
    }
    expect(strikeNames.filter((name) => !struck.has(name))).toEqual([]);
    expect(labels.filter((label) => !seen.has(label))).toEqual([]);
    expect(copyPoints.filter((point) => !deaths.has(point))).toEqual([]);
  });

  test.each(killedScenarios())(
    '$name: killed right before and right after each append it ends as if nobody had been',
    async ({ scenario }) => {
      const killed = await killAtEveryAppend(scenario);
      expect(killed.length).toBeGreaterThanOrEqual(18);
      expect(killed.filter(({ wrong }) => wrong !== null)).toEqual([]);
    },
  );

  test.each(kept)('kept: %s', async (name) => {
    const { why, scenario }: { readonly why: string; readonly scenario: CopyScenario } = JSON.parse(
      readFileSync(join(keptFolder, name), 'utf8'),
    );
    expect(why.length).toBeGreaterThan(20);
    const outcome = await simulateOperation(scenario);
    expect(outcome.violation, accountOfOperation(outcome, 40)).toBeNull();
  });

  test('a seed decides everything', async () => {
    for (const seed of [7, 8, 9]) {
      const [one, other] = [await simulateOperation(drawScenario(seed)), await simulateOperation(drawScenario(seed))];
      expect(one.happenings).toEqual(other.happenings);
      expect(one.target).toEqual(other.target);
    }
  });

  test('without faults everything is copied by one controller, and nobody sees afterwards what was set aside', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const drawn = drawScenario(seed, { without: strikeNames });
      const outcome = await simulateOperation({ ...drawn, ...calm });
      expect(outcome.violation, accountOfOperation(outcome, 40)).toBeNull();
      expect([outcome.state?.stage.kind, outcome.controllers]).toEqual(['copied', 1]);
      const ends = drawn.topics.map(({ name, ends }) => [name, ends] as const);
      expect(
        Object.entries(outcome.target)
          .map(([name, { ends }]) => [name, ends])
          .sort(),
      ).toEqual(ends);
    }
  });
});
