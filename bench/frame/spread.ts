/** Of repeated measurements: the median, how far they scatter, and how many there were. */
export type Spread = {
  readonly count: number;
  readonly smallest: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly largest: number;
};

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = values.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    smallest: quantile(sorted, 0),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    largest: quantile(sorted, 1),
  };
}

/**
 * How two things compare that were measured in turns: the ratio within each turn, so that what slowed the machine for a while
 * slowed both, and then the spread of these ratios.
 */
export function ratiosOf(turns: readonly { readonly ours: number; readonly theirs: number }[]): Spread {
  return spreadOf(turns.map(({ ours, theirs }) => ours / theirs));
}

/** `12.3 (11.9 to 14.0, 20 times)`. */
export function describeSpread({ median, smallest, largest, count }: Spread, digits = 1): string {
  return `${median.toFixed(digits)} (${smallest.toFixed(digits)} to ${largest.toFixed(digits)}, ${count} times)`;
}

/** The smallest value that at least this part of the values does not exceed. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
