import type { Random } from '../../src/sim/random.ts';

/** A distribution over whole numbers as a table, drawn from by inversion with a guide: exact, and some ten nanoseconds for each draw. */
type Table = { readonly first: number; readonly cumulated: Float64Array; readonly guide: Uint16Array };

export type FailureModel = 'poisson' | 'bernoulli';

/**
 * How many of so many attempts fail. `poisson`: independent failures at this rate, of which there may be more than attempts;
 * `bernoulli`: each attempt fails or does not. One table for each number of attempts that occurs.
 */
export class Failures {
  readonly #model: FailureModel;
  readonly #rate: number;
  readonly #tables: (Table | undefined)[] = [];

  constructor(model: FailureModel, rate: number) {
    this.#model = model;
    this.#rate = rate;
  }

  draw(attempts: number, random: Random): number {
    if (attempts === 0 || this.#rate === 0) return 0;
    let known = this.#tables[attempts];
    if (known === undefined) {
      known = this.#model === 'poisson' ? poisson(attempts * this.#rate) : binomial(attempts, this.#rate);
      this.#tables[attempts] = known;
    }
    return drawFrom(known, random.unit());
  }
}

/** A Poisson variable whose mean is the same every time. */
export class Arrivals {
  readonly #table: Table;
  constructor(mean: number) {
    this.#table = poisson(mean);
  }
  draw(random: Random): number {
    return drawFrom(this.#table, random.unit());
  }
}

function drawFrom({ first, cumulated, guide }: Table, unit: number): number {
  let index = guide[Math.floor(unit * guide.length)] ?? 0;
  while (index < cumulated.length - 1 && unit >= (cumulated[index] ?? 1)) index++;
  return first + index;
}

function poisson(mean: number): Table {
  const mode = Math.floor(mean);
  return tableAround(
    mode,
    (count) => mean / count,
    () => true,
  );
}

function binomial(trials: number, probability: number): Table {
  if (probability >= 1) return tabled(trials, [1]);
  const odds = probability / (1 - probability);
  const mode = Math.min(trials, Math.floor((trials + 1) * probability));
  return tableAround(
    mode,
    (count) => ((trials - count + 1) / count) * odds,
    (count) => count <= trials,
  );
}

/** `step(k)`: P(k) / P(k − 1). From the most probable number outwards, as far as doubles have anything to add. */
function tableAround(mode: number, step: (count: number) => number, possible: (count: number) => boolean): Table {
  const negligible = 1e-18;
  const below: number[] = [];
  for (let [count, weight] = [mode, 1]; count > 0; count--) {
    weight /= step(count);
    if (weight < negligible) break;
    below.push(weight);
  }
  const above: number[] = [];
  for (let [count, weight] = [mode + 1, 1]; possible(count); count++) {
    weight *= step(count);
    if (weight < negligible) break;
    above.push(weight);
  }
  return tabled(mode - below.length, [...below.reverse(), 1, ...above]);
}

function tabled(first: number, weights: readonly number[]): Table {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const cumulated = new Float64Array(weights.length);
  let sum = 0;
  for (const [index, weight] of weights.entries()) {
    sum += weight / total;
    cumulated[index] = sum;
  }
  const guide = new Uint16Array(Math.max(16, 2 * weights.length));
  let index = 0;
  for (let slot = 0; slot < guide.length; slot++) {
    while (index < cumulated.length - 1 && (cumulated[index] ?? 1) <= slot / guide.length) index++;
    guide[slot] = index;
  }
  return { first, cumulated, guide };
}

/** Sizes 1, 2, 3 … with this mean, each once more with the same probability. Their dispersion is 2·mean − 1. */
export function geometric(random: Random, mean: number): number {
  return mean <= 1 ? 1 : 1 + Math.floor(Math.log(1 - random.unit()) / Math.log1p(-1 / mean));
}
