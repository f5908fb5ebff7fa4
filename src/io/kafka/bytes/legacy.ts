import { crc32 } from 'node:zlib';
import type { Appender } from './append.ts';
import { batchEnd, magicOf } from './batch.ts';
import { type Codec, codecNamed, decompressed } from './codecs.ts';
import { batchOf, type PlainRecord } from './encode-batch.ts';
import { int32At, int64At, uint8At, uint32At } from './integers.ts';
import { MalformedBytes } from './malformed.ts';
import type { Rebuilt } from './rebuild.ts';
import { contentDigest, encodedBody, type RecordContent, type RecordSeen, recordDigest } from './records.ts';

/*
 * Messages of before v2, each with an offset of its own:
 *
 *     offset int64, size int32, crc uint32 (CRC-32 of what follows), magic int8, attributes int8, [v1: timestamp int64],
 *     key, value = length int32 (-1: null), bytes
 *
 * attributes: 0–2 codec, 3 (v1) time of append. With a codec it is a wrapper: its value is such messages, compressed. Those of a v0
 * wrapper have their own offsets; those of a v1 wrapper count from its first one, and the wrapper has the offset of its last one. A v1
 * wrapper's time of append holds for all that is in it. v0 has no times: -1.
 */

export type LegacyRecord = PlainRecord & { readonly offset: number };
export type LegacyRecords = { readonly codec: Codec; readonly records: readonly LegacyRecord[] };

/** The records of the message, or of the wrapper, that begins at `at` and that `batchesIn` found whole. Keys and values are parts of buffers. */
export function legacyRecords(bytes: Uint8Array, at: number, outputBytesMax: number): LegacyRecords {
  const outer = messageAt(bytes, at);
  const codec = codecNamed(outer.attributes & 0x07, at + 17);
  if (codec === 'none') return { codec, records: [plain(outer, outer.offset, outer.timestamp)] };
  if (codec === 'zstd') throw new MalformedBytes('codec of a message', at + 17, '0 to 3, as there was no other', 4);
  if (outer.value === null) throw new MalformedBytes('value of a compressed message', at, 'messages', 'null');
  const limits = { outputBytesMax, lz4Header: outer.magic === 0 ? ('of v0 messages' as const) : ('checked' as const) };
  const { from, to } = outer.value;
  const inner = messagesIn(decompressed(codec, bytes, from, to, limits), outer.magic);
  const distance = outer.magic === 0 ? 0 : firstOffset(outer, inner, at);
  const appendTime = outer.magic === 1 && (outer.attributes & 0x08) !== 0 ? outer.timestamp : null;
  const records = inner.map((message) => plain(message, distance + message.offset, appendTime ?? message.timestamp));
  for (const [index, { offset }] of records.entries()) {
    const before = records[index - 1]?.offset ?? -1;
    if (offset <= before)
      throw new MalformedBytes('offset of a message in a wrapper', at, `more than ${before}`, offset);
  }
  return { codec, records };
}

export type LegacyRebuildOptions = {
  readonly appender: Appender;
  readonly outputBytesMax: number;
  /** A batch is not made longer by another message if its keys and values would be more than this. */
  readonly contentBytesMax: number;
  readonly keeps: (offset: number) => boolean;
};

/**
 * Records of messages from `at` on as one v2 batch: of as many messages with the same codec as there are before `to` and as fit. `next` is where
 * the next one begins. Null where no record is kept.
 */
export function rebuiltLegacy(
  bytes: Uint8Array,
  at: number,
  to: number,
  options: LegacyRebuildOptions,
): { readonly rebuilt: Rebuilt | null; readonly next: number } {
  const first = legacyRecords(bytes, at, options.outputBytesMax);
  const records = [...first.records];
  let contentBytes = contentBytesOf(first);
  let next = batchEnd(bytes, at);
  while (next < to && magicOf(bytes, next) < 2) {
    const more = legacyRecords(bytes, next, options.outputBytesMax);
    contentBytes += contentBytesOf(more);
    if (more.codec !== first.codec || contentBytes > options.contentBytesMax) break;
    const [before, after] = [records.at(-1)?.offset ?? -1, more.records[0]?.offset ?? 0];
    if (after <= before) throw new MalformedBytes('offset of a message', next, `more than ${before}`, after);
    records.push(...more.records);
    next = batchEnd(bytes, next);
  }
  const kept = records.filter(({ offset }) => options.keeps(offset));
  if (kept.length === 0) return { rebuilt: null, next };
  const sourceOffsets = kept.map(({ offset }) => offset);
  return { rebuilt: { bytes: batchOf(kept, first.codec, options.appender), sourceOffsets }, next };
}

/** What `recordDigests` is for v2. */
export function legacyDigests(bytes: Uint8Array, at: number, outputBytesMax: number): RecordSeen[] {
  return legacyRecords(bytes, at, outputBytesMax).records.map((record) => ({
    offset: record.offset,
    digest: recordDigest(BigInt(record.timestamp), encodedBody(record)),
  }));
}

/** What `recordContents` is for v2. */
export function legacyContents(bytes: Uint8Array, at: number, outputBytesMax: number): RecordContent[] {
  return legacyRecords(bytes, at, outputBytesMax).records.map((record) => ({
    offset: record.offset,
    timeMs: record.timestamp,
    content: contentDigest(encodedBody(record)),
  }));
}

type Part = { readonly bytes: Uint8Array; readonly from: number; readonly to: number };
type Message = {
  readonly magic: number;
  readonly attributes: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Part | null;
  readonly value: Part | null;
};

/** A message that is there whole, by its size, and has a magic of 0 or 1. */
function messageAt(bytes: Uint8Array, at: number): Message {
  const end = batchEnd(bytes, at);
  const magic = magicOf(bytes, at);
  const stored = uint32At(bytes, at + 12);
  if (crc32(bytes.subarray(at + 16, end)) !== stored)
    throw new MalformedBytes('checksum of a message', at + 12, 'that of its bytes', stored);
  const keyAt = at + (magic === 0 ? 18 : 26);
  const key = partAt(bytes, keyAt, end, 'key of a message');
  const valueAt = key === null ? keyAt + 4 : key.to;
  const value = partAt(bytes, valueAt, end, 'value of a message');
  const valueEnd = value === null ? valueAt + 4 : value.to;
  if (valueEnd !== end)
    throw new MalformedBytes('message', valueEnd, 'its end, by its size', `${end - valueEnd} bytes more`);
  return {
    magic,
    attributes: uint8At(bytes, at + 17),
    offset: int64At(bytes, at, 'offset of a message'),
    timestamp: magic === 0 ? -1 : int64At(bytes, at + 18, 'timestamp of a message'),
    key,
    value,
  };
}

function partAt(bytes: Uint8Array, at: number, end: number, what: string): Part | null {
  if (end - at < 4) throw new MalformedBytes(what, at, 'a length of 4 bytes', Math.max(end - at, 0));
  const length = int32At(bytes, at);
  if (length < -1 || length > end - at - 4)
    throw new MalformedBytes(what, at, `-1 (null) to ${end - at - 4} bytes`, length);
  return length === -1 ? null : { bytes, from: at + 4, to: at + 4 + length };
}

/** What a wrapper had in it: at least one message, all of its version, none compressed once more, nothing behind them. */
function messagesIn(bytes: Uint8Array, magic: number): Message[] {
  const sizeMin = magic === 0 ? 14 : 22;
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length || at === 0; at = batchEnd(bytes, at)) {
    const left = bytes.length - at - 12;
    if (left < sizeMin)
      throw new MalformedBytes('message in a wrapper', at, `${12 + sizeMin} bytes`, bytes.length - at);
    const size = int32At(bytes, at + 8);
    if (size < sizeMin || size > left)
      throw new MalformedBytes('size of a message in a wrapper', at + 8, `${sizeMin} to ${left}`, size);
    if (magicOf(bytes, at) !== magic)
      throw new MalformedBytes('magic of a message in a wrapper', at + 16, `${magic}, its own`, magicOf(bytes, at));
    const message = messageAt(bytes, at);
    if ((message.attributes & 0x07) !== 0)
      throw new MalformedBytes('codec of a message in a wrapper', at + 17, '0', message.attributes & 0x07);
    messages.push(message);
  }
  return messages;
}

/** What to add to the offsets in a v1 wrapper. Some old clients left 0 as the wrapper's own: then the others are right as they are. */
function firstOffset(outer: Message, inner: readonly Message[], at: number): number {
  const last = inner.at(-1)?.offset ?? 0;
  if (outer.offset === 0) return 0;
  if (outer.offset < last) throw new MalformedBytes('offset of a wrapper', at, `at least ${last}`, outer.offset);
  return outer.offset - last;
}

function plain({ key, value }: Message, offset: number, timestamp: number): LegacyRecord {
  return { offset, timestamp, key: bytesOf(key), value: bytesOf(value), headers: [] };
}

function bytesOf(part: Part | null): Uint8Array | null {
  return part === null ? null : part.bytes.subarray(part.from, part.to);
}

function contentBytesOf({ records }: LegacyRecords): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
}
