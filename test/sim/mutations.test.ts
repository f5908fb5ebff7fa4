import { describe, expect, test } from 'vitest';
import { checkNames } from '../../src/sim/checks/violation.ts';
import { mutations } from '../../src/sim/mutations.ts';
import { firstCatch } from '../../src/sim/swarm.ts';

const seeds = 5000;

/** A checker that never caught anything proves nothing. */
describe('known-bad products are caught', () => {
  test.each(mutations)('$name', { timeout: 900_000 }, async (mutation) => {
    const caught = await firstCatch(mutation, 1, seeds);
    expect(caught?.violation, `none of ${seeds} worlds shows that it is wrong`).toBeDefined();
  });

  // Among several checks one may do all the catching.
  test.each(checkNames)('"%s" is proven by one that nothing else may catch', (check) => {
    const proofs = mutations.filter(({ caughtBy }) => caughtBy.length === 1 && caughtBy[0] === check);
    expect(proofs.map(({ name }) => name)).not.toEqual([]);
  });
});
