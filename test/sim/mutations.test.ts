import { describe, expect, test } from 'vitest';
import { mutations } from '../../src/sim/mutations.ts';
import { firstCatch } from '../../src/sim/swarm.ts';

const seeds = 5000;

/** A checker that never caught anything proves nothing. */
describe('known-bad products are caught', () => {
  test.each(mutations)('$name', { timeout: 900_000 }, async (mutation) => {
    const caught = await firstCatch(mutation, 1, seeds);
    expect(caught?.violation, `none of ${seeds} worlds shows that it is wrong`).toBeDefined();
  });
});
