/** A small generator of uniform numbers in [0, 1) (splitmix-like, 32 bits of state): the same seed, the same run, everywhere. */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** By inversion, in pieces of at most 30 so that e^−mean does not vanish: exact for every mean. */
export function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let left = mean; left > 0; left -= 30) count += smallPoisson(random, Math.min(30, left));
  return count;
}

function smallPoisson(random: Random, mean: number): number {
  const u = random();
  let probability = Math.exp(-mean);
  let cumulated = probability;
  let count = 0;
  while (u > cumulated && count < 200) {
    count += 1;
    probability *= mean / count;
    cumulated += probability;
  }
  return count;
}

/** How many of `trials` independent tries succeed. */
export function binomial(random: Random, trials: number, probability: number): number {
  let count = 0;
  for (let trial = 0; trial < trials; trial++) if (random() < probability) count += 1;
  return count;
}
