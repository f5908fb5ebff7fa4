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
 * The past is the spans from index `from` on and, if there is one, `last` after them. (Loops by index, and no copies: this
 * is done for every poll of every balancer, and is most of what judging costs.)
 */
export function forSteadyParts(
  spans: readonly Span[],
  from: number,
  last: Span | null,
  visit: (ms: number, origin: number, destination: number) => void,
): void {
  const end = spans.length + (last === null ? 0 : 1);
  let totalMs = last === null ? 0 : last[0];
  for (let index = from; index < spans.length; index++) totalMs += spans[index]?.[0] ?? 0;
  const partMs = totalMs / Math.ceil(totalMs / partMsMax);
  let part = 0;
  let endMs = 0;
  let ms = 0;
  let origin = 0;
  let destination = 0;
  for (let index = from; index < end; index++) {
    const span = spans[index] ?? last;
    if (span === null) continue;
    const spanMs = span[0];
    const spanOrigin = span[1];
    const spanDestination = span[2];
    // A span belongs to the part that its middle lies in.
    const partOfSpan = Math.floor((endMs + spanMs / 2) / partMs);
    if (ms > 0 && (partOfSpan !== part || jumps(origin, destination, spanOrigin, spanDestination))) {
      visit(ms, origin, destination);
      ms = 0;
      origin = 0;
      destination = 0;
    }
    part = partOfSpan;
    endMs += spanMs;
    ms += spanMs;
    origin += spanOrigin;
    destination += spanDestination;
  }
  if (ms > 0) visit(ms, origin, destination);
}

/**
 * Two-sample test of proportions, by its square and without divisions: with p pooled over both,
 * (d₁/n₁ − d₂/n₂)² > errors² · p(1−p)(1/n₁ + 1/n₂).
 */
function jumps(originBefore: number, destinationBefore: number, originNow: number, destinationNow: number): boolean {
  const before = originBefore + destinationBefore;
  const now = originNow + destinationNow;
  const difference = destinationBefore * now - destinationNow * before;
  const pooled = (destinationBefore + destinationNow) * (originBefore + originNow);
  return difference ** 2 * (before + now) > jumpErrors ** 2 * pooled * before * now;
}
