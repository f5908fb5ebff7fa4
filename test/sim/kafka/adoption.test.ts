import { describe, expect, test } from 'vitest';
import type { Mutation } from '../../../src/sim/kafka/mutation.ts';
import { simulateCopy } from '../../../src/sim/kafka/run.ts';
import { drawScenario, type KafkaScenario } from '../../../src/sim/kafka/scenario.ts';

const firstFit: Mutation = {
  name: 'the first place that fits is adopted',
  ...{ seenIn: 8, shownBy: ['ledger-lost'], caughtBy: ['what is adopted is what was copied'] },
  adoption: (view) => ({ ...view, tail: [] }),
};

/** Batches that are all the same, of which the source deletes the oldest; and the ledger is lost. */
function alike(seed: number): KafkaScenario {
  const drawn = drawScenario(seed);
  const same = { isMonotonous: true, isTransactional: false, hasAppendTime: false, legacyMessages: 0, recordsMax: 2 };
  const feeds = drawn.feeds.map((plan) => ({ ...plan, ...same }));
  return { ...drawn, feeds, isFollowed: true, faults: { 'ledger-lost': 9000, retention: 1500 } };
}

/** Nothing else goes wrong, and nothing is as old as the target's memory. */
function calm(seed: number): KafkaScenario {
  const drawn = drawScenario(seed, { without: [] });
  const feeds = drawn.feeds.map((plan) => ({ ...plan, isMonotonous: false, legacyMessages: 0 }));
  return { ...drawn, feeds, faults: { 'ledger-lost': 12_000 } };
}

const made = 'the ledger is made of what stands on both sides';

describe('a copy whose ledger is lost', () => {
  test.each([8, 87, 95])('world %d: where batches are all alike none is taken for another', async (seed) => {
    expect((await simulateCopy(alike(seed), firstFit)).violation?.check).toBe(firstFit.caughtBy[0]);
    const { violation, happenings } = await simulateCopy(alike(seed));
    expect(violation).toBeNull();
    expect(happenings.some(({ text }) => text.startsWith('not adopted') && text.includes('ambiguous'))).toBe(true);
  });

  test('goes on from what is proven, without a duplicate and without a gap', { timeout: 240_000 }, async () => {
    let adopted = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const { violation, happenings } = await simulateCopy(calm(seed));
      expect(violation, `world ${seed}`).toBeNull();
      adopted += happenings.filter(({ text }) => text === made).length;
    }
    expect(adopted).toBeGreaterThan(6);
  });
});
