/**
 * The fewest positions that must be taken out so that the rest ascends: everything outside one longest ascending run.
 * Names the one entry that was moved rather than all those it was moved past.
 */
export function outOfOrder(values: readonly number[]): number[] {
  if (values.every((value, position) => position === 0 || value > (values[position - 1] ?? value))) return [];
  const kept = new Set(longestAscending(values));
  return values.flatMap((_value, position) => (kept.has(position) ? [] : [position]));
}

/** Patience sorting: `ends[k]` is the position of the smallest value that ends an ascending run of k + 1. */
function longestAscending(values: readonly number[]): number[] {
  const ends: number[] = [];
  const before: number[] = [];
  values.forEach((value, position) => {
    const length = countBelow(value, ends, values);
    before.push(length === 0 ? -1 : (ends[length - 1] ?? -1));
    ends[length] = position;
  });
  const run: number[] = [];
  for (let position = ends.at(-1) ?? -1; position >= 0; position = before[position] ?? -1) run.push(position);
  return run;
}

function countBelow(value: number, ends: readonly number[], values: readonly number[]): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const end = values[ends[middle] ?? 0] ?? value;
    if (end < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
