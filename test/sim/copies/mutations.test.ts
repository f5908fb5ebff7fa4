import { describe, expect, test } from 'vitest';
import { checkNames } from '../../../src/sim/copies/checks/violation.ts';
import { mutations } from '../../../src/sim/copies/mutations.ts';
import { firstCatch } from '../../../src/sim/copies/swarm.ts';

const seeds = 8000;

/** A checker that never caught anything proves nothing. */
describe('known-bad products are caught', () => {
  test.each(mutations)('$name', { timeout: 240_000 }, async (mutation) => {
    const caught = await firstCatch(mutation, 1, seeds);
    expect(caught?.violation, `none of ${seeds} worlds shows that it is wrong`).toBeDefined();
  });

  test.each(checkNames)('"%s" is proven by one that nothing else may catch', (check) => {
    const proofs = mutations.filter(({ caughtBy }) => caughtBy.length === 1 && caughtBy[0] === check);
    expect(proofs.map(({ name }) => name)).not.toEqual([]);
  });
});
