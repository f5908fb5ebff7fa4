import { keptBits } from '../../../core/move/offset-map.ts';
import type { Batch } from '../../../core/move/writer.ts';
import type { Appender } from '../bytes/append.ts';
import { maxTimestamp, recordCount, recordsCrcOf } from '../bytes/batch.ts';
import { rebuiltLegacy } from '../bytes/legacy.ts';
import { rebuiltBatch } from '../bytes/rebuild.ts';
import { type ByteRange, wholeOf } from '../messages/byte-range.ts';
import type { BatchItem } from '../reader/source-items.ts';

/** A batch of the source as it is handed to the target, but for its appender. */
export type Prepared = { readonly batch: Batch; readonly range: ByteRange };

/** null: nothing is left of it. Throws MalformedBytes. */
export function prepared(item: BatchItem, appender: Appender, recordBytesMax: number): Prepared | null {
  return item.form === 'as it is' ? asItIs(item) : rebuilt(item, appender, recordBytesMax);
}

function asItIs({ bytes, at, end, from, to, newestMs }: BatchItem): Prepared {
  const count = recordCount(bytes, at);
  const batch = { from, to, count, checksum: recordsCrcOf(bytes, at), kept: null, newestMs };
  return { batch, range: { bytes, from: at, to: end } };
}

function rebuilt(item: BatchItem, appender: Appender, outputBytesMax: number): Prepared | null {
  const { bytes, at, end, from, to } = item;
  const keeps = (offset: number) => offset >= from && offset < to;
  const legacyLimits = { appender, outputBytesMax, contentBytesMax: Number.POSITIVE_INFINITY, keeps };
  const made =
    item.form === 'legacy'
      ? rebuiltLegacy(bytes, at, end, legacyLimits).rebuilt
      : rebuiltBatch(bytes, at, { appender, outputBytesMax, keeps });
  if (made === null) return null;
  const { bytes: range, sourceOffsets } = made;
  const count = sourceOffsets.length;
  const offsets = sourceOffsets.map((offset) => offset - from);
  const kept = count === to - from ? null : keptBits(to - from, offsets);
  const batch = { from, to, count, checksum: recordsCrcOf(range, 0), kept, newestMs: maxTimestamp(range, 0) };
  return { batch: kept === null ? { ...batch, isRebuilt: true } : batch, range: wholeOf(range) };
}
