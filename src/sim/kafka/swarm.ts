import { firstCaught } from '../first-caught.ts';
import { shrinkWorld, type World } from '../shrink.ts';
import type { Violation } from './checks/violation.ts';
import type { Mutation } from './mutation.ts';
import type { KafkaOutcome } from './outcome.ts';
import { simulateCopy } from './run.ts';
import { drawScenario, type FaultName } from './scenario.ts';

/** What is kept of one of many worlds. */
export type KafkaSummary = {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly simulatedMs: number;
  readonly records: number;
  readonly struck: Readonly<Partial<Record<FaultName, number>>>;
};

export async function summarizeCopy(seed: number): Promise<KafkaSummary> {
  const { violation, simulatedMs, records, struck } = await simulateCopy(drawScenario(seed));
  return { seed, violation, simulatedMs, records, struck };
}

/** A seed in which a check that is meant to catches the mutation; null: there is none. */
export function firstCatch(mutation: Mutation, first: number, last: number): Promise<KafkaOutcome | null> {
  return firstCaught(mutation, { first, last }, drawScenario, simulateCopy);
}

/** A world that breaks the same rule with as few faults as possible, healed as early as possible; null: the seed breaks none. */
export function shrinkCopy(seed: number, mutation: Mutation | null) {
  const run: World<FaultName, KafkaOutcome>['run'] = (narrowing) =>
    simulateCopy(drawScenario(seed, narrowing), mutation);
  return shrinkWorld({ run, struck: ({ struck }) => struck });
}
