import {
  baseOffset,
  batchEnd,
  batchesIn,
  hasAppendTime,
  isControl,
  isDense,
  isTransactional,
  lastOffset,
  magicOf,
  maxTimestamp,
  producerId,
  recordCount,
} from '../bytes/batch.ts';
import { uint8At } from '../bytes/integers.ts';
import type { ByteRange } from '../messages/byte-range.ts';
import type { AbortedTransaction } from '../messages/fetch-response.ts';

/** Why offsets have no record that is read. Compaction and markers that were removed look alike: both are holes. */
type Left = 'control' | 'aborted' | 'hole';

/** What the source has from one offset to another: a batch to copy, or offsets that have no counterpart. */
export type Item =
  | { readonly kind: 'left'; readonly from: number; readonly to: number; readonly why: Left }
  | BatchItem;

export type BatchItem = {
  readonly kind: 'batch';
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
  /** Its place in `bytes`. */
  readonly at: number;
  readonly end: number;
  readonly form: 'as it is' | 'to be rebuilt' | 'legacy';
  readonly newestMs: number;
};

export type Bounds = {
  /** The next offset that is not accounted for. */
  readonly from: number;
  /** Nothing at or behind it is asked for; null: no end. */
  readonly to: number | null;
};

/**
 * The batches of one fetched range, in order and without gaps, from `bounds.from` on. Those of aborted transactions and
 * markers are left out; whatever is no batch of its own here was taken out by compaction. Throws MalformedBytes.
 */
export function itemsOf(records: ByteRange, bounds: Bounds, aborted: readonly AbortedTransaction[]): Item[] {
  const { bytes } = records;
  const { at: places } = batchesIn(bytes, records.from, records.to);
  const filter = new AbortedFilter(aborted);
  const items: Item[] = [];
  let next = bounds.from;
  for (const at of places) {
    const [first, end] = [baseOffset(bytes, at), endOffset(bytes, at)];
    const why = filter.leaves(bytes, at);
    if (end <= next) continue;
    if (bounds.to !== null && first >= bounds.to) {
      items.push({ kind: 'left', from: next, to: bounds.to, why: 'hole' });
      break;
    }
    const to = Math.min(end, bounds.to ?? end);
    if (first > next && magicOf(bytes, at) === 2) items.push({ kind: 'left', from: next, to: first, why: 'hole' });
    const from = magicOf(bytes, at) < 2 ? next : Math.max(first, next);
    const last = items.at(-1);
    if (magicOf(bytes, at) < 2 && last?.kind === 'batch' && isJoined(last, at)) {
      // Messages of before v2 stand alone: as many as make a batch are one.
      items[items.length - 1] = { ...last, to, end: batchEnd(bytes, at) };
      next = to;
      continue;
    }
    if (why !== null) items.push({ kind: 'left', from, to, why });
    else items.push(batchItem(bytes, at, { from, to, isWhole: first === from && to === end }));
    next = to;
  }
  return items;
}

function batchItem(
  bytes: Uint8Array,
  at: number,
  { from, to, isWhole }: { from: number; to: number; isWhole: boolean },
): BatchItem {
  const range = { kind: 'batch', from, to, bytes, at, end: batchEnd(bytes, at) } as const;
  if (magicOf(bytes, at) < 2) return { ...range, form: 'legacy', newestMs: Number.NEGATIVE_INFINITY };
  const mayStay = isWhole && isDense(bytes, at) && !hasAppendTime(bytes, at);
  return { ...range, form: mayStay ? 'as it is' : 'to be rebuilt', newestMs: maxTimestamp(bytes, at) };
}

/** A message in which others are wrapped has the offset of the last of them: of the first it is known only that none was before. */
function isJoined(last: BatchItem, at: number): boolean {
  const { bytes } = last;
  const sameCodec = last.form === 'legacy' && legacyCodec(bytes, last.at) === legacyCodec(bytes, at);
  return sameCodec && last.end === at && batchEnd(bytes, at) - last.at <= joinedBytesMax;
}

const joinedBytesMax = 256 * 1024;

function legacyCodec(bytes: Uint8Array, at: number): number {
  return uint8At(bytes, at + 17) & 0x07;
}

function endOffset(bytes: Uint8Array, at: number): number {
  return (magicOf(bytes, at) < 2 ? baseOffset(bytes, at) : lastOffset(bytes, at)) + 1;
}

/**
 * Which batches belong to aborted transactions. A producer's transaction is aborted from its first offset to the next marker of
 * the same producer.
 */
class AbortedFilter {
  readonly #waiting: AbortedTransaction[];
  readonly #active = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = [...aborted].sort((one, other) => other.firstOffset - one.firstOffset);
  }

  /** null: it is to be copied. */
  leaves(bytes: Uint8Array, at: number): Left | null {
    if (magicOf(bytes, at) < 2) return null;
    const last = lastOffset(bytes, at);
    for (let next = this.#waiting.at(-1); next !== undefined && next.firstOffset <= last; next = this.#waiting.at(-1)) {
      this.#active.add(next.producerId);
      this.#waiting.pop();
    }
    if (isControl(bytes, at)) {
      this.#active.delete(producerId(bytes, at));
      return 'control';
    }
    if (isTransactional(bytes, at) && this.#active.has(producerId(bytes, at))) return 'aborted';
    return recordCount(bytes, at) === 0 ? 'hole' : null;
  }
}
