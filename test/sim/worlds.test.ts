import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { account } from '../../src/sim/account.ts';
import { faultNames } from '../../src/sim/faults.ts';
import { simulate } from '../../src/sim/run.ts';
import { drawScenario, type Scenario } from '../../src/sim/scenario.ts';

const seedsFolder = join(import.meta.dirname, '..', 'seeds');

describe('simulated worlds', () => {
  test('a seed decides everything: two runs have the same journal and the same happenings', async () => {
    for (const seed of [11, 12, 13]) {
      const [one, other] = [await simulate(drawScenario(seed)), await simulate(drawScenario(seed))];
      expect(one.run.checks.chain.entries.at(-1)?.hash).toBe(other.run.checks.chain.entries.at(-1)?.hash);
      expect(one.run.world.happenings).toEqual(other.run.world.happenings);
      expect(one.coverage).toEqual(other.coverage);
    }
  });

  test('without faults a good build completes', async () => {
    const scenario = drawScenario(1, { without: faultNames });
    const easy: Scenario = { ...scenario, faults: {}, ratio: 1, origin: { ...scenario.origin, resizable: true } };
    const outcome = await simulate(declared(easy));
    expect(outcome.violation, account(outcome)).toBeNull();
    expect(outcome.end).toBe('completed');
  });

  test('a build that fails thirty times as often is taken back by the judge', async () => {
    const scenario = drawScenario(1, { without: faultNames });
    const outcome = await simulate(
      declared({ ...scenario, faults: {}, ratio: 30, origin: { ...scenario.origin, resizable: true } }),
    );
    expect(outcome.violation, account(outcome)).toBeNull();
    expect(outcome).toMatchObject({ end: 'rolled-back', cause: 'judge' });
  });

  test('taking a fault out of a world leaves the others as they were', () => {
    const whole = drawScenario(21);
    const names = Object.keys(whole.faults) as (keyof typeof whole.faults)[];
    const [first, ...others] = names;
    if (first === undefined) throw new Error('seed 21 has no faults; choose another');
    const fewer = drawScenario(21, { without: [first] as never });
    expect(Object.keys(fewer.faults)).toEqual(others);
    expect({ ...fewer, faults: null }).toEqual({ ...whole, faults: null });
  });
});

describe('worlds that once broke a rule', () => {
  const kept = readdirSync(seedsFolder).filter((name) => name.endsWith('.json'));
  const read = (name: string): { readonly why: string; readonly scenario: Scenario } =>
    JSON.parse(readFileSync(join(seedsFolder, name), 'utf8'));

  test('each says why it was kept', () => {
    expect(kept.filter((name) => read(name).why.length < 20)).toEqual([]);
  });

  test.each(kept)('%s', async (name) => {
    const outcome = await simulate(read(name).scenario);
    expect(outcome.violation, account(outcome)).toBeNull();
  });
});

function declared(scenario: Scenario): Scenario {
  const { plan, origin, destination } = scenario;
  return {
    ...scenario,
    plan: {
      ...plan,
      origin: { ...plan.origin, capacityRps: origin.capacityRps / 1.05 },
      destination: { ...plan.destination, capacityRps: destination.capacityRps / 1.05 },
    },
  };
}
