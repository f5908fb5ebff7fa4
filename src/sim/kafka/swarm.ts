import type { Violation } from './checks/violation.ts';
import type { Mutation } from './mutation.ts';
import { type KafkaOutcome, simulateCopy } from './run.ts';
import { drawScenario, type FaultName, type Narrowing } from './scenario.ts';

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

/**
 * A seed of `first` to `last` in which a check that is meant to catches the mutation, while the real mover breaks no rule there.
 * null: there is none.
 */
export async function firstCatch(mutation: Mutation, first: number, last: number): Promise<KafkaOutcome | null> {
  for (const seed of seedsFor(mutation, first, last)) {
    const scenario = drawScenario(seed);
    if (mutation.shownBy.length > 0 && !mutation.shownBy.some((fault) => fault in scenario.faults)) continue;
    const outcome = await simulateCopy(scenario, mutation);
    if (outcome.violation === null || !mutation.caughtBy.includes(outcome.violation.check)) continue;
    if ((await simulateCopy(scenario)).violation === null) return outcome;
  }
  return null;
}

function* seedsFor({ seenIn }: Mutation, first: number, last: number): Iterable<number> {
  if (seenIn >= first && seenIn <= last) yield seenIn;
  for (let seed = first; seed <= last; seed += 1) yield seed;
}

/** A world that breaks the same rule with as few faults as possible, healed as early as possible; null: the seed breaks none. */
export async function shrinkCopy(
  seed: number,
  mutation: Mutation | null,
): Promise<{ readonly narrowing: Narrowing; readonly outcome: KafkaOutcome } | null> {
  const broken = async (narrowing: Narrowing) => {
    const outcome = await simulateCopy(drawScenario(seed, narrowing), mutation);
    return outcome.violation === null ? null : { narrowing, outcome };
  };
  let best = await broken({});
  if (best === null) return null;
  const { check } = best.outcome.violation ?? { check: null };
  for (const fault of Object.keys(best.outcome.scenario.faults) as FaultName[]) {
    const fewer = await broken({ ...best.narrowing, without: [...(best.narrowing.without ?? []), fault] });
    if (fewer?.outcome.violation?.check === check) best = fewer;
  }
  for (let healAtMs = best.outcome.scenario.healAtMs / 2; healAtMs > 600; healAtMs /= 2) {
    const shorter = await broken({ ...best.narrowing, healAtMs: Math.round(healAtMs) });
    if (shorter?.outcome.violation?.check === check) best = shorter;
  }
  return best;
}
