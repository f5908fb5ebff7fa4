import type { Offsets, Seen } from '../../../core/move/alignment.ts';
import type { SideName } from '../side.ts';
import type { Feed } from './feed.ts';

export type Feeds = Record<SideName, Feed>;
/** Records of one side that lie before the first one of the other, whose log starts above 0. */
export type Before = { readonly side: SideName; readonly offsets: Offsets; readonly count: number };

/** So many records on end have to be alike. */
const anchorRecords = 4;

/** Leaves both feeds at the first record that they have in common; where there is none, at their beginnings. */
export async function skipToCommonBeginning(feeds: Feeds, open: (side: SideName) => Feed): Promise<Before | null> {
  const anchors = { source: await feeds.source.peek(anchorRecords), target: await feeds.target.peek(anchorRecords) };
  const [source, target] = [anchors.source[0], anchors.target[0]];
  if (source !== undefined && source.content === target?.content) return null;
  for (const [side, other] of pairs) {
    if (feeds[other].bounds.logStart === 0 || anchors[side].length === 0) continue;
    const skipped = await skipTo(anchors[other], side, feeds, open);
    if (skipped !== null) return { side, ...skipped };
  }
  return null;
}

const pairs: readonly (readonly [SideName, SideName])[] = [
  ['target', 'source'],
  ['source', 'target'],
];

type Skipped = { readonly offsets: Offsets; readonly count: number };

/** Where the other side has nothing any more, everything is before it. */
async function skipTo(
  anchor: readonly Seen[],
  side: SideName,
  feeds: Feeds,
  open: (side: SideName) => Feed,
): Promise<Skipped | null> {
  const found = await search(feeds[side], anchor);
  if (found.at === 'exact') return found.skipped;
  feeds[side].abandon();
  feeds[side] = open(side);
  // Times may have been lost on the way. What has the same content only is taken where nothing is the same.
  return found.contentAt === null ? null : await skip(feeds[side], found.contentAt);
}

type Found =
  | { readonly at: 'exact'; readonly skipped: Skipped | null }
  | { readonly at: 'end'; readonly contentAt: number | null };

async function search(feed: Feed, anchor: readonly Seen[]): Promise<Found> {
  let window: Seen[] = [];
  let passed = 0;
  let [first, last] = [-1, -1];
  let contentAt: number | null = null;
  const skipped = () => (passed === 0 ? null : { offsets: { from: first, to: last }, count: passed });
  for (let records = await feed.next(); records !== null; records = await feed.next()) {
    window = [...window, ...records];
    let start = 0;
    for (; anchor.length > 0 && start + anchor.length <= window.length; start += 1) {
      if (contentAt === null && isAt(window, start, anchor, false)) contentAt = passed + start;
      if (isAt(window, start, anchor, true)) break;
    }
    if (anchor.length === 0) start = window.length;
    const dropped = window.slice(0, start);
    if (first < 0) first = dropped[0]?.offset ?? -1;
    last = dropped.at(-1)?.offset ?? last;
    passed += start;
    window = window.slice(start);
    if (anchor.length > 0 && isAt(window, 0, anchor, true)) {
      feed.putBack(window);
      return { at: 'exact', skipped: skipped() };
    }
  }
  return anchor.length === 0 ? { at: 'exact', skipped: skipped() } : { at: 'end', contentAt };
}

async function skip(feed: Feed, count: number): Promise<Skipped | null> {
  let passed = 0;
  let [first, last] = [-1, -1];
  while (passed < count) {
    const records = await feed.next();
    if (records === null) break;
    const taken = records.slice(0, count - passed);
    feed.putBack(records.slice(taken.length));
    if (first < 0) first = taken[0]?.offset ?? -1;
    last = taken.at(-1)?.offset ?? last;
    passed += taken.length;
  }
  return passed === 0 ? null : { offsets: { from: first, to: last }, count: passed };
}

function isAt(window: readonly Seen[], start: number, anchor: readonly Seen[], withTime: boolean): boolean {
  if (start + anchor.length > window.length) return false;
  return anchor.every(({ content, timeMs }, index) => {
    const record = window[start + index];
    return record?.content === content && (!withTime || record.timeMs === timeMs);
  });
}
