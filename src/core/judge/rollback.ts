import { logAddExp, logMeanExp } from './logarithms.ts';
import type { Term } from './terms.ts';

/**
 * A sum of e-processes, one for each alternative R (or r) and start time. `sums[i]` is S = ln Σ_j exp(L − L(start of j)) / (j(j+1))
 * over the processes that have started: the L_R + A_R of the definition in one number, which stays exact after a long clean
 * time, when L and A are large and opposite. The mass not yet started is left out, so S begins at ln ½.
 */
export type StartMixture = {
  readonly sums: readonly number[];
  /** j of the next process to start. */
  readonly next: number;
};

/** Process j starts before the first row that starts at or after 60(j−1) s. */
const startEverySeconds = 60;

export function startMixture(alternatives: readonly number[]): StartMixture {
  return { sums: alternatives.map(() => -Math.LN2), next: 2 };
}

/** R: by how much the destination may be worse than the origin. Those that are tolerated are left out. */
export function comparedRatios(tolerate: number): readonly number[] {
  return [2, 3, 5, 10, 30, 100].filter((ratio) => ratio > tolerate);
}

/** r: by how much the destination may be worse than the objective. */
export const guardedRatios: readonly number[] = [2, 3, 5, 10, 30];

/** Starts the processes that are due before a row that begins `seconds` after the start. */
export function startProcesses(mixture: StartMixture, seconds: number): StartMixture {
  const last = Math.floor(seconds / startEverySeconds) + 1;
  if (last < mixture.next) return mixture;
  // Σ 1/(j(j+1)) from `next` to `last` telescopes: after a gap many processes start at once.
  const mass = Math.log((last + 1 - mixture.next) / mixture.next / (last + 1));
  return { sums: mixture.sums.map((sum) => logAddExp(sum, mass)), next: last + 1 };
}

/**
 * Adds the comparison's ℓ_R = [ x_d·ln(R/R0) + k·( ln(1+(R0−1)p) − ln(1+(R−1)p) ) ] / φ with k = x_o + x_d and p the
 * largest share that the failures can have come from. Given k and p, x_d of a destination that is at most R0 times as bad
 * is at most binomial with the odds R0·p : 1−p, so that E exp(ℓ_R) ≤ 1 (for φ = 1) whatever the rate itself does.
 */
export function addComparison(
  mixture: StartMixture,
  tolerate: number,
  ratios: readonly number[],
  term: Term,
): StartMixture {
  const failures = term.originFailures + term.destinationFailures;
  if (term.share === null || failures === 0) return mixture;
  const p = term.share.largest;
  const tolerated = Math.log1p((tolerate - 1) * p);
  const sums = mixture.sums.map((sum, index) => {
    const ratio = ratios[index] ?? Number.NaN;
    const gain = term.destinationFailures * (Math.log(ratio) - Math.log(tolerate));
    return sum + (gain + failures * (tolerated - Math.log1p((ratio - 1) * p))) / term.dispersion;
  });
  return { sums, next: mixture.next };
}

/** Adds the absolute guard's [ X_d·ln r − (r−1)·λ0·N_d ] / φ: the Poisson likelihood ratio of r·λ0 against the objective λ0. */
export function addGuard(
  mixture: StartMixture,
  objective: number,
  seen: { readonly failures: number; readonly attempts: number; readonly dispersion: number },
): StartMixture {
  const expected = objective * seen.attempts;
  const sums = mixture.sums.map((sum, index) => {
    const ratio = guardedRatios[index] ?? Number.NaN;
    return sum + (seen.failures * Math.log(ratio) - (ratio - 1) * expected) / seen.dispersion;
  });
  return { sums, next: mixture.next };
}

/** ln of the mixture over the alternatives: evidence in nats, to be held against ln(1/α). */
export function mixtureEvidence(mixture: StartMixture): number {
  return logMeanExp(mixture.sums);
}

/** The part of α that the i-th pair of builds of one operation gets: the parts of all pairs together are α. */
export function alphaOfPair(alpha: number, pair: number): number {
  return alpha / (pair * (pair + 1));
}
