/**
 * Clopper and Pearson: the smallest probability at which `found` or more of `runs` are not rarer than 1 in 100. A claim that the
 * probability is at most q is contradicted, with 99 % confidence, where this is above q.
 */
export function lowerLimit(found: number, runs: number, doubt = 0.01): number {
  if (found === 0) return 0;
  return bisect((probability) => 1 - atMost(found - 1, runs, probability) >= doubt);
}

/** The largest probability at which `found` or fewer of `runs` are not rarer than 1 in 100. */
export function upperLimit(found: number, runs: number, doubt = 0.01): number {
  if (found === runs) return 1;
  return bisect((probability) => atMost(found, runs, probability) < doubt);
}

/** P(binomial(runs, probability) ≤ most), by logarithms so that nothing vanishes. */
function atMost(most: number, runs: number, probability: number): number {
  let term = runs * Math.log1p(-probability);
  let sum = Math.exp(term);
  for (let count = 1; count <= most; count++) {
    term += Math.log(((runs - count + 1) / count) * (probability / (1 - probability)));
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/** Where `holds` begins to hold, between 0 and 1. */
function bisect(holds: (probability: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
