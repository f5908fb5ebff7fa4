import type { Shrinkable } from './shrink.ts';

export type Catchable = {
  /** A seed in which it is seen. */
  readonly seenIn: number;
  /** Worlds without any of these do not show it; none: all may. */
  readonly shownBy: readonly string[];
  readonly caughtBy: readonly string[];
};

/**
 * A seed of `first` to `last` in which a check that is meant to catches the mutation, while the real product breaks no rule there. null:
 * there is none.
 */
export async function firstCaught<
  Mutation extends Catchable,
  Scenario extends Shrinkable['scenario'],
  Run extends Shrinkable,
>(
  mutation: Mutation,
  { first, last }: { readonly first: number; readonly last: number },
  draw: (seed: number) => Scenario,
  run: (scenario: Scenario, mutation: Mutation | null) => Promise<Run>,
): Promise<Run | null> {
  for (const seed of seedsFor(mutation, first, last)) {
    const scenario = draw(seed);
    if (mutation.shownBy.length > 0 && !mutation.shownBy.some((fault) => fault in scenario.faults)) continue;
    const outcome = await run(scenario, mutation);
    if (outcome.violation === null || !mutation.caughtBy.includes(outcome.violation.check)) continue;
    if ((await run(scenario, null)).violation === null) return outcome;
  }
  return null;
}

function* seedsFor({ seenIn }: Catchable, first: number, last: number): Iterable<number> {
  if (seenIn >= first && seenIn <= last) yield seenIn;
  for (let seed = first; seed <= last; seed += 1) yield seed;
}
