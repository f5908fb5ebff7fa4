import type { CheckName } from './checks/violation.ts';
import type { Mutation } from './engine.ts';
import type { FaultName, OperatorAct } from './faults.ts';
import { type Outcome, simulate } from './run.ts';
import { drawScenario, type Narrowing } from './scenario.ts';

type Fault = FaultName | OperatorAct;

/** The smallest world of a seed that was found to break the same rule, and how many runs it took to find it. */
export type Shrunk = { readonly narrowing: Required<Narrowing>; readonly outcome: Outcome; readonly runs: number };

/**
 * Makes a failing world smaller: it is healed right after the violation, then loses as many of its faults as possible, then is
 * healed as early as possible, until nothing more helps or `runsMax` runs were made. What never struck goes first, what struck most
 * goes last, and many go at once before each goes by itself (Zeller and Hildebrandt's delta debugging). Narrower means fewer
 * faults; any violation of the same check counts. Returns null where the seed breaks nothing.
 */
export async function shrink(seed: number, mutation: Mutation | null, runsMax = 300): Promise<Shrunk | null> {
  const first = await simulate(drawScenario(seed), mutation);
  if (first.violation === null) return null;
  const search = new Search(seed, mutation, first.violation.check, first, runsMax);
  await search.healedAtTheViolation();
  for (let faults = Number.POSITIVE_INFINITY; search.faults().length < faults; ) {
    faults = search.faults().length;
    await search.withFewerFaults();
    await search.healedEarlier();
  }
  return search.found();
}

/** What is known so far: the best narrowing, and the run that shows it. */
class Search {
  readonly #seed: number;
  readonly #mutation: Mutation | null;
  readonly #check: CheckName;
  readonly #runsMax: number;
  #best: Outcome;
  #without: readonly Fault[] = [];
  #healAtMs: number;
  #runs = 1;

  constructor(seed: number, mutation: Mutation | null, check: CheckName, first: Outcome, runsMax: number) {
    this.#seed = seed;
    this.#mutation = mutation;
    this.#check = check;
    this.#best = first;
    this.#healAtMs = first.scenario.healAtMs;
    this.#runsMax = runsMax;
  }

  found(): Shrunk {
    return {
      narrowing: { without: this.#without, healAtMs: this.#healAtMs },
      outcome: this.#best,
      runs: this.#runs,
    };
  }

  /** Those left, the least harmful first. */
  faults(): Fault[] {
    const struck = this.#best.coverage.faults;
    const names = Object.keys(this.#best.scenario.faults) as Fault[];
    return names.sort((one, other) => (struck[one] ?? 0) - (struck[other] ?? 0));
  }

  async healedAtTheViolation(): Promise<void> {
    await this.#try(this.#without, this.#violatedAtMs() + 1);
  }

  async withFewerFaults(): Promise<void> {
    for (let size = this.faults().length; size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < this.faults().length; ) {
        const some = this.faults().slice(at, at + size);
        if (!(await this.#try([...this.#without, ...some], this.#healAtMs))) at += size;
      }
    }
  }

  /** Halves the time in which anything bad may happen, as long as that leaves enough of it. */
  async healedEarlier(): Promise<void> {
    await this.healedAtTheViolation();
    for (let stepMs = this.#healAtMs / 2; stepMs > 1000; stepMs /= 2) {
      await this.#try(this.#without, Math.round(this.#healAtMs - stepMs));
    }
  }

  #violatedAtMs(): number {
    return Math.ceil(this.#best.violation?.atMs ?? this.#healAtMs);
  }

  async #try(without: readonly Fault[], healAtMs: number): Promise<boolean> {
    if (this.#runs >= this.#runsMax || healAtMs > this.#healAtMs) return false;
    this.#runs++;
    const outcome = await simulate(drawScenario(this.#seed, { without, healAtMs }), this.#mutation);
    if (outcome.violation?.check !== this.#check) return false;
    this.#best = outcome;
    this.#without = without;
    this.#healAtMs = healAtMs;
    return true;
  }
}
