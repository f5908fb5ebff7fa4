import type { Appender } from './append.ts';
import {
  baseOffset,
  baseTimestamp,
  batchEnd,
  batchHeaderBytes,
  codecOf,
  crcIsRight,
  hasAppendTime,
  lastOffsetDelta,
  maxTimestamp,
  recordCount,
  storedCrc,
} from './batch.ts';
import { codecNamed, decompressed } from './codecs.ts';
import { encodedBatch } from './encode-batch.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { bigint64At } from './integers.ts';
import { MalformedBytes } from './malformed.ts';
import {
  appendRecord,
  canonicalBody,
  contentDigest,
  type RecordContent,
  RecordCursor,
  type RecordSeen,
  recordDigest,
} from './records.ts';

/**
 * A batch made anew from another one's records: dense, times of creation, same codec. The same input gives the same batch with the same
 * version of the codec's library; what is compared afterwards is the records, by `recordDigests`.
 */
export type Rebuilt = {
  readonly bytes: Uint8Array;
  /** The source's offset of each record that is in it, in order. */
  readonly sourceOffsets: readonly number[];
};

export type RebuildOptions = {
  readonly appender: Appender;
  readonly outputBytesMax: number;
  /** Whether the record of this source offset is copied. */
  readonly keeps: (offset: number) => boolean;
};

/**
 * What a broker cannot be given as it is: a batch with holes, one whose times are those of its append, one of which only a part is
 * wanted. Keys, values, headers and their order stay as they are, byte for byte; with an append time every record has that time. Null where no record is
 * left. The source's checksum is checked here, as that of the new batch says nothing of the way before.
 */
export function rebuiltBatch(bytes: Uint8Array, at: number, options: RebuildOptions): Rebuilt | null {
  const { section, cursor } = openBatch(bytes, at, options.outputBytesMax);
  const base = baseOffset(bytes, at);
  const hasOneTime = hasAppendTime(bytes, at);
  const appendTime = bigint64At(bytes, at + 35);
  const baseTimestamp = hasOneTime ? appendTime : bigint64At(bytes, at + 27);
  const records = new GrowingBytes(batchEnd(bytes, at) - at);
  const sourceOffsets: number[] = [];
  let deltaMax = Number.NEGATIVE_INFINITY;
  while (cursor.next()) {
    if (!options.keeps(base + cursor.offsetDelta)) continue;
    const timestampDelta = hasOneTime ? 0 : cursor.timestampDelta;
    appendRecord(records, {
      attributes: cursor.attributes,
      timestampDelta,
      offsetDelta: sourceOffsets.length,
      body: section.subarray(cursor.bodyFrom, cursor.bodyTo),
    });
    sourceOffsets.push(base + cursor.offsetDelta);
    deltaMax = Math.max(deltaMax, timestampDelta);
  }
  if (sourceOffsets.length === 0) return null;
  const head = {
    codec: codecNamed(codecOf(bytes, at), at + 21),
    appender: options.appender,
    baseTimestamp,
    maxTimestamp: baseTimestamp + BigInt(deltaMax),
    recordCount: sourceOffsets.length,
  };
  return { bytes: encodedBatch(head, records.written()), sourceOffsets };
}

/**
 * Each record's offset, and a digest of its time, key, value and headers: equal for equal records, whatever batch, codec and kind of timestamp
 * they came in. For a v2 batch; `legacyDigests` of `legacy.ts` is the same for what came before.
 */
export function recordDigests(bytes: Uint8Array, at: number, outputBytesMax: number): RecordSeen[] {
  const { section, cursor } = openBatch(bytes, at, outputBytesMax);
  const base = baseOffset(bytes, at);
  const appendTime = hasAppendTime(bytes, at) ? bigint64At(bytes, at + 35) : null;
  const baseTimestamp = bigint64At(bytes, at + 27);
  const seen: RecordSeen[] = [];
  while (cursor.next()) {
    const timestamp = appendTime ?? baseTimestamp + BigInt(cursor.timestampDelta);
    seen.push({ offset: base + cursor.offsetDelta, digest: recordDigest(timestamp, canonicalBody(section, cursor)) });
  }
  return seen;
}

/** The same with the time beside the digest, so that it can be told when only the time differs. */
export function recordContents(bytes: Uint8Array, at: number, outputBytesMax: number): RecordContent[] {
  const { section, cursor } = openBatch(bytes, at, outputBytesMax);
  const base = baseOffset(bytes, at);
  const appendTimeMs = hasAppendTime(bytes, at) ? maxTimestamp(bytes, at) : null;
  const baseTimeMs = baseTimestamp(bytes, at);
  const contents: RecordContent[] = [];
  while (cursor.next()) {
    const timeMs = appendTimeMs ?? baseTimeMs + cursor.timestampDelta;
    if (!Number.isSafeInteger(timeMs))
      throw new MalformedBytes('timestamp of a record', at + 27, 'within ±2^53', String(timeMs));
    const offset = base + cursor.offsetDelta;
    contents.push({ offset, timeMs, content: contentDigest(canonicalBody(section, cursor)) });
  }
  return contents;
}

/** Checked, decompressed, and a cursor before its first record. Without a codec the section is the batch's own buffer. */
function openBatch(bytes: Uint8Array, at: number, outputBytesMax: number) {
  if (!crcIsRight(bytes, at))
    throw new MalformedBytes('checksum of a batch', at + 17, 'that of its bytes', storedCrc(bytes, at));
  const codec = codecNamed(codecOf(bytes, at), at + 21);
  const [from, to] = [at + batchHeaderBytes, batchEnd(bytes, at)];
  const expected = { count: recordCount(bytes, at), lastOffsetDelta: lastOffsetDelta(bytes, at) };
  // Compaction leaves batches without records, with nothing that could be decompressed.
  if (codec === 'none' || from === to) return { section: bytes, cursor: new RecordCursor(bytes, from, to, expected) };
  const section = decompressed(codec, bytes, from, to, { outputBytesMax, lz4Header: 'checked' });
  return { section, cursor: new RecordCursor(section, 0, section.length, expected) };
}
