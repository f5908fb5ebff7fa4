/** By how much the values of one sample lie above those of another. */
export type Shift = { readonly low: number; readonly estimate: number; readonly high: number };

/**
 * Two-sided confidence interval of the shift that goes with the Mann-Whitney test: the differences of all pairs in order, from the
 * one at which the normal approximation of U (corrected for ties and continuity) would just reject to its mirror image; the estimate is
 * their median (Hodges and Lehmann). `z`: the quantile of the normal distribution, 2.326 for 98 %.
 */
export function shiftOf(sample: readonly number[], baseline: readonly number[], z: number): Shift {
  const [m, n] = [sample.length, baseline.length];
  const differences = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) differences[i * n + j] = (sample[i] ?? 0) - (baseline[j] ?? 0);
  }
  differences.sort();
  const deviation = Math.sqrt(((m * n) / 12) * (m + n + 1 - tieCorrection([...sample, ...baseline])));
  const rank = Math.max(0, Math.floor((m * n) / 2 - 0.5 - z * deviation));
  const middle = (m * n) >> 1;
  const median =
    (m * n) % 2 === 1 ? at(differences, middle) : (at(differences, middle - 1) + at(differences, middle)) / 2;
  return { low: at(differences, rank), estimate: median, high: at(differences, m * n - 1 - rank) };
}

/** Σ (t³ − t) / (N (N − 1)) over groups of t equal values. */
function tieCorrection(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum += count ** 3 - count;
  return sum / (values.length * (values.length - 1));
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
