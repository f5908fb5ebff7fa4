import { firstCaught } from '../first-caught.ts';
import { shrinkWorld, type World } from '../shrink.ts';
import type { Mutation } from './mutation.ts';
import { type CopyOutcome, simulateOperation } from './run.ts';
import { drawScenario, type Strike } from './scenario.ts';

/** A seed in which a check that is meant to catches the mutation; null: there is none. */
export function firstCatch(mutation: Mutation, first: number, last: number): Promise<CopyOutcome | null> {
  return firstCaught(mutation, { first, last }, drawScenario, simulateOperation);
}

/** A world that breaks the same rule with as few faults as possible, healed as early as possible; null: the seed breaks none. */
export function shrinkOperation(seed: number, mutation: Mutation | null) {
  const run: World<Strike, CopyOutcome>['run'] = (narrowing) =>
    simulateOperation(drawScenario(seed, narrowing), mutation);
  return shrinkWorld({ run, struck: ({ struck }) => struck });
}
