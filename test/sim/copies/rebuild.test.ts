import { describe, expect, test } from 'vitest';
import type { Mutation } from '../../../src/sim/copies/mutation.ts';
import { simulateOperation } from '../../../src/sim/copies/run.ts';
import { type CopyScenario, drawScenario, type Rates } from '../../../src/sim/copies/scenario.ts';

/** What others have written since all was looked at is not seen; groups are. */
const overStrangers: Mutation = {
  name: 'a topic is made anew with the batches of strangers',
  ...{ seenIn: 1, shownBy: ['rebuild'], caughtBy: ['nothing is removed that somebody needs'] },
  decider: ({ decide, fold }) => ({
    decide(state, observation) {
      const { stage } = state;
      const { topics } = observation;
      if (stage.kind !== 'rebuilding' || topics === null || !topics.known) return decide(state, observation);
      const found = topics.value[stage.topic];
      if (found === undefined || found.holdings === null) return decide(state, observation);
      const partitions = stage.ends.map((end) => ({ ...end, ledgerEnd: null }));
      const holdings = { ...found.holdings, partitions };
      const value = { ...topics.value, [stage.topic]: { ...found, holdings } };
      return decide(state, { ...observation, topics: { known: true, value } });
    },
    fold,
  }),
};

function worldOf(seed: number, faults: Rates): CopyScenario {
  return { ...drawScenario(seed, { without: ['crash'] }), faults, isFollowed: true, killed: null };
}

const strangers: Rates = { rebuild: 100, 'foreign-write': 60 };
const deadly: Rates = { rebuild: 60, crash: 100, 'call-lost': 0.1, 'call-late': 0.1, 'read-late': 0.5, stop: 20 };

describe('a topic of the target that is deleted and made anew', () => {
  test('never takes with it what a stranger has written meanwhile', { timeout: 240_000 }, async () => {
    const [caught, refused] = [[] as number[], [] as number[]];
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = worldOf(seed, strangers);
      const { violation, happenings } = await simulateOperation(world);
      expect(violation, `world ${seed}`).toBeNull();
      if (happenings.some(({ text }) => text.includes('rebuild-refused'))) refused.push(seed);
      if ((await simulateOperation(world, overStrangers)).violation?.check === overStrangers.caughtBy[0])
        caught.push(seed);
    }
    expect(refused.length).toBeGreaterThan(2);
    expect(caught.length).toBeGreaterThan(0);
  });

  test('is there again in the end, wherever controllers die and whatever answers are lost', {
    timeout: 240_000,
  }, async () => {
    let remade = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const { violation, happenings } = await simulateOperation(worldOf(seed, deadly));
      expect(violation, `world ${seed}`).toBeNull();
      remade += happenings.filter(({ text }) => text.includes('topic-cleared')).length;
    }
    expect(remade).toBeGreaterThan(20);
  });
});
