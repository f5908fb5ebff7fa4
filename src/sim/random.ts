/**
 * The only source of chance in a simulated world: sfc32, seeded by splitmix32. `fork` makes a stream that depends on the seed
 * and a name alone, so that taking one fault out of a world leaves every other draw as it was.
 */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = splitmix(this.seed + 0x9e3779b9);
    this.#b = splitmix(this.#a + 0x9e3779b9);
    this.#c = splitmix(this.#b + 0x9e3779b9);
    for (let round = 0; round < 12; round++) this.unit();
  }

  fork(name: string): Random {
    let hash = splitmix(this.seed ^ 0x51ed270b);
    for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    return new Random(splitmix(hash));
  }

  /** Uniform in [0, 1). */
  unit(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Uniform in the logarithm: small values are as likely as large ones. */
  spread(low: number, high: number): number {
    return low * (high / low) ** this.unit();
  }

  /** An integer from low to high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.unit() * list.length)];
    if (item === undefined) throw new Error('a list to pick from is empty');
    return item;
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit());
  }

  /** Exact up to a mean of 30 (by inversion), rounded normal above. */
  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    let term = Math.exp(-mean);
    let rest = this.unit() - term;
    let count = 0;
    while (rest > 0 && count < 200) {
      count++;
      term *= mean / count;
      rest -= term;
    }
    return count;
  }

  /** Successes in `trials`: Poisson where successes are rare, rounded normal in the middle. */
  binomial(trials: number, probability: number): number {
    if (trials <= 0 || probability <= 0) return 0;
    if (probability >= 1) return trials;
    if (probability > 0.5) return trials - this.binomial(trials, 1 - probability);
    const mean = trials * probability;
    if (trials <= 16) {
      let successes = 0;
      for (let trial = 0; trial < trials; trial++) if (this.chance(probability)) successes++;
      return successes;
    }
    if (mean <= 30) return Math.min(trials, this.poisson(mean));
    const count = Math.round(mean + Math.sqrt(mean * (1 - probability)) * this.normal());
    return Math.max(0, Math.min(trials, count));
  }

  /** Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
}

/** One step of splitmix32: spreads the bits of a seed. */
function splitmix(value: number): number {
  let bits = (value + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
