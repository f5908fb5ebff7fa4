import { expect, test } from 'vitest';
import type { Mutation } from '../../../src/sim/kafka/mutation.ts';
import { simulateCopy } from '../../../src/sim/kafka/run.ts';
import { drawScenario } from '../../../src/sim/kafka/scenario.ts';

const impatient: Mutation = {
  name: 'what the process before had sent is not waited for',
  ...{ seenIn: 30, shownBy: [], caughtBy: ['nothing is damaged while it is remembered'] },
  partition: (partition) => Object.assign(partition, { mayStillCome: () => false }),
};

/** Requests that arrive long after the process that sent them was killed, and its lease is over. */
function worldOf(seed: number) {
  return { ...drawScenario(seed), leaseMs: 2500, faults: { stalled: 0.3, 'killed-at-a-send': 0.05 } };
}

test.each([30, 96])('what a killed mover had sent arrives in world %d, and stands there once', async (seed) => {
  expect((await simulateCopy(worldOf(seed), impatient)).violation?.check).toBe(impatient.caughtBy[0]);
  expect((await simulateCopy(worldOf(seed), null)).violation).toBeNull();
});
