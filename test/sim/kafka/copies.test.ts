import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { accountOfCopy } from '../../../src/sim/kafka/account.ts';
import { simulateCopy } from '../../../src/sim/kafka/run.ts';
import { drawScenario, faultNames, type KafkaScenario } from '../../../src/sim/kafka/scenario.ts';
import { summarizeCopy } from '../../../src/sim/kafka/swarm.ts';
import type { ClusterPlan } from '../../../src/sim/kafka/world/cluster.ts';

/** Whatever the mover is made of, these worlds broke a rule once. */
const brokeOnce: readonly (readonly [seed: number, why: string])[] = [
  [22, 'a hole of no length was written where the asked range ended at a border of a batch'],
  [128, 'a hold read connections that did not exist'],
  [173, 'an epoch that was not synced was written in again after the power was cut'],
  [213, 'who was started again had forgotten in which epoch the source had written what was copied'],
  [367, 'nobody sent anything any more after a lease had been over for a while'],
  [385, 'batches without a line, and a source that had nothing left to compare them with'],
  [405, 'an unclean leader of the source that had nothing of the epoch of what was copied'],
  [1089, 'what the source had deleted was compared with what it still had'],
  [8221, 'records that were spoiled again and again stopped a partition, and nobody said so'],
  [10455, 'batches without a line, where nothing was fetched any more'],
  [
    10853,
    'another batch got the sequence number of one that was still on its way, and the broker took the two for one',
  ],
  [2028, 'a request that was given up came late, after the source had been cleaned'],
];

/** Whole worlds that broke a rule, and say which. */
const keptFolder = join(import.meta.dirname, '..', '..', 'seeds', 'kafka');
const kept = readdirSync(keptFolder).filter((name) => name.endsWith('.json'));

describe('simulated copies', () => {
  test('200 seeds break no rule, and every fault strikes', { timeout: 240_000 }, async () => {
    const struck = new Set<string>();
    for (let seed = 1; seed <= 200; seed += 1) {
      const summary = await summarizeCopy(seed);
      expect(summary.violation, `npm run sim -- --kafka --seed ${seed} --shrink`).toBeNull();
      for (const name of Object.keys(summary.struck)) struck.add(name);
    }
    // The limit of a topic is there from the beginning, and strikes nobody by itself.
    expect(faultNames.filter((name) => !struck.has(name))).toEqual(['too-large']);
  });

  test.each(brokeOnce)('seed %i: %s', { timeout: 60_000 }, async (seed) => {
    const outcome = await simulateCopy(drawScenario(seed));
    expect(outcome.violation, accountOfCopy(outcome, 40)).toBeNull();
  });

  test.each(kept)('kept: %s', { timeout: 60_000 }, async (name) => {
    const { why, scenario }: { readonly why: string; readonly scenario: KafkaScenario } = JSON.parse(
      readFileSync(join(keptFolder, name), 'utf8'),
    );
    expect(why.length).toBeGreaterThan(20);
    const outcome = await simulateCopy(scenario);
    expect(outcome.violation, accountOfCopy(outcome, 40)).toBeNull();
  });

  test('a seed decides everything', async () => {
    for (const seed of [5, 6]) {
      const [one, other] = [await simulateCopy(drawScenario(seed)), await simulateCopy(drawScenario(seed))];
      expect(one.happenings).toEqual(other.happenings);
      expect(one.ends).toEqual(other.ends);
    }
  });

  test('what is followed is a few milliseconds behind', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const drawn = drawScenario(seed, { without: faultNames });
      const near = (plan: ClusterPlan): ClusterPlan => ({
        ...plan,
        latencyMs: 1,
        partitions: plan.partitions.map((partition) => ({ ...partition, replicationMs: 1 })),
      });
      const feeds = drawn.feeds.map((plan) => ({ ...plan, isTransactional: false, legacyMessages: 0 }));
      const clusters = { source: near(drawn.source), target: near(drawn.target), feeds };
      const pace = { feedMeanMs: 20, batchesBefore: 0, isFollowed: true, rate: null, heldBytesMax: 1_000_000 };
      const outcome = await simulateCopy({ ...drawn, ...clusters, ...pace });
      expect(outcome.violation, accountOfCopy(outcome, 40)).toBeNull();
      // To the follower and back, to the mover, to the target; a batch waits for the one before it where its records are old.
      const sorted = outcome.delaysMs.toSorted((one, other) => one - other);
      expect(sorted.length).toBeGreaterThan(300);
      expect(sorted[Math.floor(sorted.length * 0.99)], `seed ${seed}`).toBeLessThanOrEqual(20);
    }
  });

  test('without faults everything is copied, and nothing is damaged', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const outcome = await simulateCopy(drawScenario(seed, { without: faultNames }));
      expect(outcome.violation, accountOfCopy(outcome, 40)).toBeNull();
      expect(outcome.ends.filter((end) => !end.includes('writing'))).toEqual([]);
      expect(outcome.movers).toBe(2);
    }
  });
});
