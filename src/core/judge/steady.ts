/**
 * Length and attempts of each side: a tuple, because a checkpoint carries some thirty of them. Spans follow each other
 * without a gap, so their times need not be kept.
 */
export type Span = readonly [ms: number, origin: number, destination: number];

/** Parts of the past are not longer than this. */
const partMsMax = 10_000;
/** A share that differs by more standard errors than this has jumped. */
const jumpErrors = 4;

/**
 * Calls `visit` for parts of the past within which the share was steady: equal parts of at most 10 s, cut where the share
 * jumped. A balancer that throws dice gives each second another share although nothing has changed, and the largest of
 * thirty such shares is far above the truth; over 10 s the dice even out. Where the balancer takes turns the shares of
 * spans and parts are the same. Spans without attempts belong to the part that they follow.
 */
export function forSteadyParts(
  spans: readonly Span[],
  visit: (ms: number, origin: number, destination: number) => void,
): void {
  let totalMs = 0;
  for (const [ms] of spans) totalMs += ms;
  const partMs = totalMs / Math.ceil(totalMs / partMsMax);
  let [part, endMs, ms, origin, destination] = [0, 0, 0, 0, 0];
  for (const span of spans) {
    // A span belongs to the part that its middle lies in.
    const partOfSpan = Math.floor((endMs + span[0] / 2) / partMs);
    if (ms > 0 && (partOfSpan !== part || jumps(origin, destination, span))) {
      visit(ms, origin, destination);
      [ms, origin, destination] = [0, 0, 0];
    }
    part = partOfSpan;
    endMs += span[0];
    ms += span[0];
    origin += span[1];
    destination += span[2];
  }
  if (ms > 0) visit(ms, origin, destination);
}

/** Two-sample test of proportions, by its square. */
function jumps(origin: number, destination: number, span: Span): boolean {
  const [before, now] = [origin + destination, span[1] + span[2]];
  if (before === 0 || now === 0) return false;
  const pooled = (destination + span[2]) / (before + now);
  const variance = pooled * (1 - pooled) * (1 / before + 1 / now);
  return (destination / before - span[2] / now) ** 2 > jumpErrors ** 2 * variance;
}
