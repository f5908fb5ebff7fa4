import { logMeanExp } from './logarithms.ts';
import type { Term } from './terms.ts';

/** Evidence of one attempt at one step that the destination is good enough. Plain JSON. */
export type PromotionSums = {
  /** ln of the comparison's e-value. */
  readonly comparison: number;
  /** ln e-values against the objective, one for each r; null: there is no objective. */
  readonly absolute: readonly number[] | null;
};

/** r: how much better than the objective the destination may be. */
export const betterThanObjective: readonly number[] = [0.1, 0.25, 0.5];

export function startPromotion(objective: number | null): PromotionSums {
  return { comparison: 0, absolute: objective === null ? null : betterThanObjective.map(() => 0) };
}

/**
 * Comparison: [ −x_d·ln R_bad + k·ln(1+(R_bad−1)p) ] / φ with p the smallest share that the failures can have come from.
 * Absolute: [ X_d·ln r + (1−r)·λ0·N_d ] / φ, where N_d counts an attempt only when it has had time to fail: otherwise a
 * destination that hangs would be promoted before its first time-out.
 */
export function addPromotion(sums: PromotionSums, bad: number, objective: number | null, term: Term): PromotionSums {
  const { originFailures, destinationFailures, share, dispersion } = term;
  const worst = -destinationFailures * Math.log(bad);
  const seen = (originFailures + destinationFailures) * Math.log1p((bad - 1) * (share?.smallest ?? 0));
  const comparison = share === null ? sums.comparison : sums.comparison + (worst + seen) / dispersion;
  if (objective === null || sums.absolute === null) return { comparison, absolute: sums.absolute };
  const expected = objective * term.settledAttempts;
  const absolute = sums.absolute.map((sum, index) => {
    const ratio = betterThanObjective[index] ?? Number.NaN;
    return sum + (destinationFailures * Math.log(ratio) + (1 - ratio) * expected) / dispersion;
  });
  return { comparison, absolute };
}

/** Evidence of the absolute part in nats. */
export function absolutePromotion(absolute: readonly number[]): number {
  return logMeanExp(absolute);
}

/** The part of β that attempt j at one step with one pair of builds gets. */
export function betaOfAttempt(beta: number, attempt: number): number {
  return beta / (attempt * (attempt + 1));
}
