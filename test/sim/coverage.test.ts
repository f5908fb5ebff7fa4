import { describe, expect, test } from 'vitest';
import { account } from '../../src/sim/account.ts';
import { crashPoints } from '../../src/sim/calls.ts';
import { crashKey, newCoverage } from '../../src/sim/coverage.ts';
import { Crashes, drawDeaths, worldsCounted } from '../../src/sim/crashes.ts';
import { mutations } from '../../src/sim/mutations.ts';
import { worldsByPair } from '../../src/sim/pairs.ts';
import { Random } from '../../src/sim/random.ts';
import { simulate } from '../../src/sim/run.ts';
import { drawScenario } from '../../src/sim/scenario.ts';
import { assertionsOver, type Summary } from '../../src/sim/swarm.ts';

/** What 5,000 worlds came through if it is what the table says, each pair struck 20 times. */
function asCounted(): { pairs: Record<string, number>; crashes: Record<string, number> } {
  const pairs = { ...worldsByPair };
  return { pairs, crashes: Object.fromEntries(Object.keys(pairs).map((key) => [key, 20])) };
}

function unmet(of: { pairs: Record<string, number>; crashes: Record<string, number> }): string[] {
  const summaries: Summary[] = Array.from({ length: worldsCounted }, (_, index) => ({
    ...{ seed: index, violation: null, end: null, cause: null, simulatedMs: 0, entries: 0, coverage: newCoverage() },
    nature: { easy: false, bad: false, fair: false },
  }));
  return assertionsOver({ summaries, coverage: { ...newCoverage(), ...of } })
    .filter(({ name, holds }) => !holds && /pair/.test(name))
    .map(({ name, found }) => `${name}: ${found}`);
}

describe('where controllers die', () => {
  test('what was counted is enough', () => {
    expect(unmet(asCounted())).toEqual([]);
  });

  test('a pair that the engine comes through and nobody dies at is named', () => {
    const of = asCounted();
    of.crashes['judging × marker.write/before'] = 19;
    expect(unmet(of)).toEqual([expect.stringContaining('judging × marker.write/before 19')]);
  });

  test('a pair that is new in the engine has to be struck, and the table to be counted anew', () => {
    const of = asCounted();
    of.pairs['cutting × backend.attempts'] = 0.02 * worldsCounted;
    expect(unmet(of)).toEqual([
      expect.stringMatching(/^every pair.*: cutting × backend.attempts 0$/),
      expect.stringMatching(/^src\/sim\/pairs.ts.*: cutting × backend.attempts: 0, now 100$/),
    ]);
  });

  test('a pair of few worlds is not counted on', () => {
    const of = asCounted();
    of.pairs['cutting × backend.attempts'] = 0.02 * worldsCounted - 1;
    expect(unmet(of)).toEqual([]);
  });

  test('the list of pairs cannot shrink unnoticed', () => {
    const of = asCounted();
    for (const key of Object.keys(of.pairs)) if (key.startsWith('judging')) delete of.pairs[key];
    expect(unmet(of)).toEqual([expect.stringMatching(/^such pairs/), expect.stringMatching(/^src\/sim\/pairs.ts/)]);
  });

  test('every point of every state can be planned, one that nobody has come through before most often', () => {
    const struck = (label: 'held' | 'judging', point: (typeof crashPoints)[number]) =>
      Array.from({ length: 400 }, (_, seed) => drawDeaths(new Random(seed))).filter((deaths) =>
        deaths.some(({ pair }) => pair === crashKey(label, point)),
      ).length;
    for (const point of crashPoints) expect(struck('held', point), point).toBeGreaterThan(0);
    expect(worldsByPair['judging × backend.attempts']).toBeUndefined();
    expect(struck('judging', 'backend.attempts')).toBeGreaterThan(160);
    expect(struck('judging', 'sleep')).toBeLessThan(100);
  });

  test('somebody dies at the visit that was planned, and at no other', () => {
    const deaths = [2, 3, 5].map((visit) => ({ pair: 'held × sleep', visit }));
    const crashes = new Crashes(new Random(1), deaths);
    const struck = Array.from({ length: 6 }, () => {
      expect(crashes.strikes('held', 'marker.read')).toBe(false);
      return crashes.strikes('held', 'sleep');
    });
    expect(struck).toEqual([false, true, true, false, true, false]);
    const healed = new Crashes(new Random(1), deaths);
    healed.stop();
    expect([1, 2, 3].map(() => healed.strikes('held', 'sleep'))).toEqual([false, false, false]);
  });

  test('what a controller died at is among what controllers came through', async () => {
    for (const seed of [2, 3, 5, 8]) {
      const { coverage } = await simulate(drawScenario(seed));
      expect(Object.values(coverage.pairs).every((worlds) => worlds === 1)).toBe(true);
      expect(Object.keys(coverage.pairs)).toEqual(expect.arrayContaining(Object.keys(coverage.crashes)));
    }
  });
});

test('the line that repeats a run names what the product was changed to', async () => {
  const [mutation] = mutations;
  if (mutation === undefined) throw new Error('there are no mutations');
  const outcome = await simulate(drawScenario(1, { healAtMs: 0 }), mutation);
  const lines = account(outcome, 1, { without: ['crash'], healAtMs: 0, mutation }).split('\n');
  expect(lines.at(-1)).toBe(
    `  again: npm run sim -- --seed 1 --mutation "${mutation.name}" --without crash --heal-at 0 --verbose`,
  );
});
