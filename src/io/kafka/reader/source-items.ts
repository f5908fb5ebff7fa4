import type { Left } from '../../../core/move/ledger-lines.ts';
import {
  baseOffset,
  batchEnd,
  batchesIn,
  crcIsRight,
  hasAppendTime,
  isControl,
  isDense,
  isTransactional,
  lastOffset,
  leaderEpoch,
  magicOf,
  maxTimestamp,
  producerId,
  recordCount,
  storedCrc,
} from '../bytes/batch.ts';
import { uint8At } from '../bytes/integers.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { type MarkerKind, markerOf } from '../bytes/marker.ts';
import type { ByteRange } from '../messages/byte-range.ts';
import type { AbortedTransaction } from '../messages/fetch-response.ts';

/** What the source has from one offset to another: a batch to copy, or offsets that have no counterpart. */
export type Item = LeftItem | BatchItem;

export type LeftItem = {
  readonly kind: 'left';
  readonly from: number;
  readonly to: number;
  readonly why: Left;
  /** Of the leader that had appended what is left out; null: not known. */
  readonly epoch: number | null;
  readonly transaction: InTransaction | null;
};

/** Whose transaction it belongs to; `end`: it is the marker that ends it. null in place of all: it belongs to none, or nobody can tell. */
export type InTransaction = { readonly producerId: bigint; readonly end: MarkerKind | null };

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
  /** Of the leader that had appended it; null: not known. */
  readonly epoch: number | null;
  readonly transaction: InTransaction | null;
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
  const filter = new AbortedFilter(aborted);
  const items: Item[] = [];
  let next = bounds.from;
  let before = -1;
  for (const at of batchesIn(bytes, records.from, records.to).at) {
    const [first, end] = [baseOffset(bytes, at), endOffset(bytes, at)];
    // No checksum covers an offset: one that goes back would leave out everything behind it.
    if (first <= before) throw new MalformedBytes('offset of a batch', at, `more than ${before}`, first);
    before = end - 1;
    const why = filter.leaves(bytes, at);
    if (end <= next) continue;
    if (bounds.to !== null && first >= bounds.to) break;
    const to = Math.min(end, bounds.to ?? end);
    addItem(items, bytes, at, { next, first, to, isWhole: first >= next && to === end, why });
    next = to;
  }
  const isBehind = bounds.to !== null && before >= bounds.to;
  if (isBehind && bounds.to !== null && next < bounds.to)
    items.push({ kind: 'left', from: next, to: bounds.to, why: 'hole', epoch: null, transaction: null });
  return items;
}

type Placed = {
  /** What is accounted for ends here. */
  readonly next: number;
  readonly first: number;
  readonly to: number;
  readonly isWhole: boolean;
  readonly why: Left | null;
};

function addItem(items: Item[], bytes: Uint8Array, at: number, { next, first, to, isWhole, why }: Placed): void {
  const last = items.at(-1);
  if (magicOf(bytes, at) < 2) {
    // Messages of before v2 stand alone: as many as make a batch are one.
    if (last?.kind === 'batch' && isJoined(last, at))
      items[items.length - 1] = { ...last, to, end: batchEnd(bytes, at) };
    else items.push(batchItem(bytes, at, { from: next, to, isWhole }));
    return;
  }
  const epoch = leaderEpoch(bytes, at) < 0 ? null : leaderEpoch(bytes, at);
  if (first > next) items.push({ kind: 'left', from: next, to: first, why: 'hole', epoch: null, transaction: null });
  const from = Math.max(first, next);
  if (why === null) items.push(batchItem(bytes, at, { from, to, isWhole }));
  else items.push({ kind: 'left', from, to, why, epoch, transaction: transactionOf(bytes, at) });
}

function batchItem(
  bytes: Uint8Array,
  at: number,
  { from, to, isWhole }: { from: number; to: number; isWhole: boolean },
): BatchItem {
  const range = { kind: 'batch', from, to, bytes, at, end: batchEnd(bytes, at) } as const;
  if (magicOf(bytes, at) < 2)
    return { ...range, form: 'legacy', newestMs: Number.NEGATIVE_INFINITY, epoch: null, transaction: null };
  const mayStay = isWhole && isDense(bytes, at) && !hasAppendTime(bytes, at);
  const epoch = leaderEpoch(bytes, at) < 0 ? null : leaderEpoch(bytes, at);
  const form = mayStay ? 'as it is' : 'to be rebuilt';
  return { ...range, form, newestMs: maxTimestamp(bytes, at), epoch, transaction: transactionOf(bytes, at) };
}

function transactionOf(bytes: Uint8Array, at: number): InTransaction | null {
  // Nobody can tell what a transaction was of which nothing is left.
  if (!isTransactional(bytes, at) || recordCount(bytes, at) === 0) return null;
  if (!isControl(bytes, at)) return { producerId: producerId(bytes, at), end: null };
  const end = markerOf(bytes, at);
  return end === null ? null : { producerId: producerId(bytes, at), end };
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
    const why = this.#why(bytes, at);
    // What is copied is checked by the target's broker, or when it is rebuilt; what is left out nobody else looks at.
    if (why !== null && !crcIsRight(bytes, at))
      throw new MalformedBytes('checksum of a batch', at + 17, 'that of its bytes', storedCrc(bytes, at));
    if (why === 'control') this.#active.delete(producerId(bytes, at));
    return why;
  }

  #why(bytes: Uint8Array, at: number): Left | null {
    if (isControl(bytes, at)) return 'control';
    if (isTransactional(bytes, at) && this.#active.has(producerId(bytes, at))) return 'aborted';
    return recordCount(bytes, at) === 0 ? 'hole' : null;
  }
}
