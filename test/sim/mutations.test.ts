import { describe, expect, test } from 'vitest';
import { mutations } from '../../src/sim/mutations.ts';
import { simulate } from '../../src/sim/run.ts';
import { drawScenario } from '../../src/sim/scenario.ts';
import { firstCatch } from '../../src/sim/swarm.ts';

const seeds = 5000;

/** A checker that never caught anything proves nothing. Where the real product breaks a rule too, the catch does not count. */
describe('known-bad products are caught', () => {
  test.each(mutations)('$name', { timeout: 900_000 }, async (mutation) => {
    let from = 1;
    for (;;) {
      const caught = await firstCatch(mutation, from, seeds - from + 1);
      expect(caught, `none of ${seeds} worlds shows that it is wrong`).not.toBeNull();
      if (caught === null) return;
      const real = await simulate(drawScenario(caught.scenario.seed));
      if (real.violation === null) return;
      from = caught.scenario.seed + 1;
    }
  });
});
