import type { Mutation } from './engine.ts';
import type { FaultName, OperatorAct } from './faults.ts';
import { type Outcome, simulate } from './run.ts';
import { drawScenario } from './scenario.ts';

/** What every simulator tells of a run. */
export type Shrinkable = {
  readonly scenario: { readonly faults: object; readonly healAtMs: number };
  readonly violation: { readonly check: string; readonly atMs: number } | null;
};

/** The smallest world of a seed that was found to break the same rule, and how many runs it took to find it. */
export type Shrunk<Fault, Run> = {
  readonly narrowing: { readonly without: readonly Fault[]; readonly healAtMs: number };
  readonly outcome: Run;
  readonly runs: number;
};

/** One kind of world, by its seed. */
export type World<Fault, Run> = {
  run(narrowing: { readonly without?: readonly Fault[]; readonly healAtMs?: number }): Promise<Run>;
  /** How often each fault has struck. */
  struck(outcome: Run): Readonly<Partial<Record<string, number>>>;
};

/** Of a rollout's world. */
export function shrink(
  seed: number,
  mutation: Mutation | null,
  runsMax = 300,
): Promise<Shrunk<FaultName | OperatorAct, Outcome> | null> {
  const run: World<FaultName | OperatorAct, Outcome>['run'] = (narrowing) =>
    simulate(drawScenario(seed, narrowing), mutation);
  return shrinkWorld({ run, struck: ({ coverage }) => coverage.faults }, runsMax);
}

/**
 * Makes a failing world smaller: it is healed right after the violation, then loses as many of its faults as possible, then is
 * healed as early as possible, until nothing more helps or `runsMax` runs were made. What never struck goes first, what struck most
 * goes last, and many go at once before each goes by itself (Zeller and Hildebrandt's delta debugging). Narrower means fewer
 * faults; any violation of the same check counts. Returns null where the seed breaks nothing.
 */
export async function shrinkWorld<Fault extends string, Run extends Shrinkable>(
  world: World<Fault, Run>,
  runsMax = 300,
): Promise<Shrunk<Fault, Run> | null> {
  const first = await world.run({});
  if (first.violation === null) return null;
  const search = new Search(world, first.violation.check, first, runsMax);
  await search.healedAtTheViolation();
  for (let faults = Number.POSITIVE_INFINITY; search.faults().length < faults; ) {
    faults = search.faults().length;
    await search.withFewerFaults();
    await search.healedEarlier();
  }
  return search.found();
}

/** What is known so far: the best narrowing, and the run that shows it. */
class Search<Fault extends string, Run extends Shrinkable> {
  readonly #world: World<Fault, Run>;
  readonly #check: string;
  readonly #runsMax: number;
  #best: Run;
  #without: readonly Fault[] = [];
  #healAtMs: number;
  #runs = 1;

  constructor(world: World<Fault, Run>, check: string, first: Run, runsMax: number) {
    this.#world = world;
    this.#check = check;
    this.#best = first;
    this.#healAtMs = first.scenario.healAtMs;
    this.#runsMax = runsMax;
  }

  found(): Shrunk<Fault, Run> {
    return {
      narrowing: { without: this.#without, healAtMs: this.#healAtMs },
      outcome: this.#best,
      runs: this.#runs,
    };
  }

  /** Those left, the least harmful first. */
  faults(): Fault[] {
    const struck = this.#world.struck(this.#best);
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
    const outcome = await this.#world.run({ without, healAtMs });
    if (outcome.violation?.check !== this.#check) return false;
    this.#best = outcome;
    this.#without = without;
    this.#healAtMs = healAtMs;
    return true;
  }
}
