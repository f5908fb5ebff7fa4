import type { SourceItem } from '../../../core/move/adoption.ts';
import { baseTimestamp } from '../bytes/batch.ts';
import { recordContents } from '../bytes/rebuild.ts';
import type { ByteRange } from '../messages/byte-range.ts';
import type { AbortedTransaction } from '../messages/fetch-response.ts';
import { type BatchItem, type Bounds, itemsOf } from '../reader/source-items.ts';
import { prepared } from './prepared.ts';

/**
 * What the mover would have made of a fetched range, without sending any of it: so what it once made of it can be known again. Throws
 * MalformedBytes.
 */
export function adoptionItemsIn(
  records: ByteRange,
  bounds: Bounds,
  aborted: readonly AbortedTransaction[],
  recordBytesMax: number,
): SourceItem[] {
  return itemsOf(records, bounds, aborted).map((item): SourceItem => {
    if (item.kind === 'batch') return batchOf(item, recordBytesMax);
    const { from, to, why, epoch } = item;
    return { kind: 'left', from, to, why, epoch };
  });
}

function batchOf(item: BatchItem, recordBytesMax: number): SourceItem {
  const { from, to, form, epoch } = item;
  if (form === 'legacy') return { kind: 'message', from, to };
  const made = prepared(item, nobody, recordBytesMax);
  if (made === null) return { kind: 'left', from, to, why: 'hole', epoch };
  const { batch, range } = made;
  const { count, checksum, kept, isRebuilt } = batch;
  const contents = () => recordContents(range.bytes, range.from, recordBytesMax);
  const firstMs = baseTimestamp(range.bytes, range.from);
  const known = { kind: 'batch', from, to, count, checksum, firstMs, kept, epoch, contents } as const;
  return isRebuilt === true ? { ...known, isRebuilt } : known;
}

/** The checksum of the records does not depend on who appends them. */
const nobody = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
