import { type Entry, emptyHead, type Head } from '../../core/journal/entry.ts';

/** Entries that are not one unbroken run behind `head` are a mistake of the caller: they must never reach a store. */
export function assertRun(head: Head, entries: readonly Entry[]): void {
  let { seq, hash } = head;
  for (const entry of entries) {
    if (entry.operation !== head.operation || entry.seq !== seq + 1 || entry.previous !== hash) {
      throw new Error(
        `entry ${entry.seq} of ${entry.operation} does not follow entry ${seq} of ${head.operation}: seal entries behind the head that is expected`,
      );
    }
    ({ seq, hash } = entry);
  }
}

/** Whether a chain whose last entry is `last` (undefined: it has none) still has the head that a caller expects. */
export function isHead(expected: Head, last: { readonly seq?: unknown; readonly hash?: unknown } | undefined): boolean {
  const { seq, hash } = last ?? emptyHead(expected.operation);
  return expected.seq === seq && expected.hash === hash;
}
