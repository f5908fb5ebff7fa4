/** The candidate that was probably meant, or null when nothing is near. Case, `_` and `-` are taken as equal. */
export type Speller = (word: string, candidates: Iterable<string>) => string | null;

/** Comparing costs time, so one file gets so many comparisons; after that it gets no more suggestions. */
const comparisonsMax = 50_000;

export function createSpeller(): Speller {
  let left = comparisonsMax;
  return (word, candidates) => {
    const affordable: string[] = [];
    for (const candidate of candidates) {
      if (left === 0) return null;
      left -= 1;
      affordable.push(candidate);
    }
    return nearest(word, affordable);
  };
}

function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > wordLengthMax) return null;
  const wanted = plain(word);
  const distanceMax = Math.max(1, Math.floor(wanted.length / 3));
  let best: { readonly candidate: string; readonly distance: number } | null = null;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) > distanceMax) continue;
    const distance = editDistance(wanted, plain(candidate));
    if (distance > distanceMax || distance >= Math.max(wanted.length, candidate.length)) continue;
    if (best === null || distance < best.distance) best = { candidate, distance };
  }
  return best === null ? nearestByBeginning(wanted, candidates) : best.candidate;
}

/** The same word in another form: `depends_on` for `dependencies`, `health-check` for `health`. */
function nearestByBeginning(wanted: string, candidates: readonly string[]): string | null {
  let best: { readonly candidate: string; readonly shared: number } | null = null;
  for (const candidate of candidates) {
    const known = plain(candidate);
    const shared = sharedBeginning(wanted, known);
    if (shared < beginningLengthMin) continue;
    const isContained = shared === known.length || shared === wanted.length;
    if (!isContained && shared * 2 <= wanted.length) continue;
    if (best === null || shared > best.shared) best = { candidate, shared };
  }
  return best === null ? null : best.candidate;
}

const beginningLengthMin = 4;

function sharedBeginning(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

const wordLengthMax = 64;

function plain(word: string): string {
  return word.toLowerCase().replaceAll('_', '-');
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, replaced);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) distance = Math.min(distance, at(beforePrevious, j - 2) + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
