import { Alignment, type AlignmentResult } from '../../../core/move/alignment.ts';
import type { SideName } from '../side.ts';
import { type Before, type Feeds, skipToCommonBeginning } from './beginning.ts';
import type { Feed } from './feed.ts';

export type Compared = AlignmentResult & {
  /** What the other side, by its log start, had at the beginning and has no more; null: both begin with the same record. */
  readonly before: Before | null;
  readonly feeds: Readonly<Feeds>;
};

/**
 * One partition of both sides, in bounded memory. Where a log has lost its beginning, the place where both begin is looked for on
 * the other side first: it may lie behind any window.
 */
export async function comparePartition(open: (side: SideName) => Feed): Promise<Compared> {
  const feeds: Feeds = { source: open('source'), target: open('target') };
  const before = await skipToCommonBeginning(feeds, open);
  const alignment = new Alignment();
  for (let side = alignment.wants; side !== null; side = alignment.wants) {
    const records = await feeds[side].next();
    if (records === null) alignment.end(side);
    else alignment.add(side, records);
  }
  return { ...alignment.result(), before, feeds };
}
