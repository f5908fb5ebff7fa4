/** Bytes that are gone through at once by the machine rather than by our loop, from this length on. */
const longRun = 48;

/** Copies `count` bytes of `source` from `from` to `target` at `at`. Both ranges were checked by the caller. */
export function copyLiterals(target: Uint8Array, at: number, source: Uint8Array, from: number, count: number): void {
  if (count >= longRun) {
    target.set(source.subarray(from, from + count), at);
    return;
  }
  for (let byte = 0; byte < count; byte += 1) target[at + byte] = source[from + byte] ?? 0;
}

/** Repeats what stands `distance` before `at`, `count` bytes of it. Where they overlap, bytes that were just written are repeated. */
export function copyBack(target: Uint8Array, at: number, distance: number, count: number): void {
  if (count >= longRun && distance >= count) {
    target.copyWithin(at, at - distance, at - distance + count);
    return;
  }
  for (let byte = at; byte < at + count; byte += 1) target[byte] = target[byte - distance] ?? 0;
}
