import { recordsCrc } from './crc-linear.ts';
import { crc32c } from './crc32c.ts';
import { bigint64At, int16At, int32At, int64At, uint8At, uint32At } from './integers.ts';
import { MalformedBytes } from './malformed.ts';

/*
 * RecordBatch v2, by positions in the buffer that a response came in; nothing is copied and nothing is made for a batch.
 *
 *      0 baseOffset int64            16 magic int8 = 2        27 baseTimestamp int64     53 baseSequence int32
 *      8 batchLength int32 (from 12) 17 crc uint32 (from 21)  35 maxTimestamp int64      57 record count int32
 *     12 partitionLeaderEpoch int32  21 attributes int16      43 producerId int64        61 records
 *                                    23 lastOffsetDelta int32 51 producerEpoch int16
 *
 * attributes: 0–2 codec, 3 time of append and not of creation, 4 transactional, 5 control, 6 baseTimestamp is the delete horizon.
 * Before v2 each message stands alone: offset int64, size int32 (from 12), crc uint32, magic int8 at 16 as well, and the rest of it.
 */

export const batchHeaderBytes = 61;
/** The part of the header that the checksum covers begins here. */
export const checkedFrom = 21;

export type BatchesIn = {
  /** Where complete batches begin, v2 ones and messages of before alike: `magicOf` tells them apart. */
  readonly at: readonly number[];
  /** Where the last complete one ends. If that is before `to`, a piece of a batch follows, which is normal: it is fetched again. */
  readonly end: number;
};

/**
 * The complete batches of bytes[from, to), each with a header that makes sense; their checksums and records are not looked at. A broker
 * sends one batch whole, however long: where nothing is complete and something is there, it is for the caller to ask for more once, and to stop then.
 */
export function batchesIn(bytes: Uint8Array, from: number, to: number): BatchesIn {
  if (from < 0 || to > bytes.length || from > to)
    throw new MalformedBytes('batches', from, `a range of at most ${bytes.length} bytes`, `${from} to ${to}`);
  const at: number[] = [];
  let end = from;
  while (to - end >= shortestEntryBytes) {
    const length = int32At(bytes, end + 8);
    const magic = magicOf(bytes, end);
    checkEntry(bytes, end, magic, length);
    if (length > to - end - 12) break;
    if (magic === 2) checkHeader(bytes, end);
    at.push(end);
    end = batchEnd(bytes, end);
  }
  return { at, end };
}

/** As much as tells length and magic. */
const shortestEntryBytes = 17;

/** From byte 12 on: a v2 batch without records, a v1 and a v0 message with neither key nor value. */
const lengthMin: readonly number[] = [14, 22, batchHeaderBytes - 12];

function checkEntry(bytes: Uint8Array, at: number, magic: number, length: number): void {
  const lengthLeast = lengthMin[magic];
  if (lengthLeast === undefined) throw new MalformedBytes('magic of a batch', at + 16, '0, 1 or 2', magic);
  if (length < lengthLeast)
    throw new MalformedBytes('length of a batch', at + 8, `at least ${lengthLeast} bytes`, length);
  const offset = int64At(bytes, at, 'offset of a batch');
  if (offset < 0) throw new MalformedBytes('offset of a batch', at, '0 or more', offset);
}

function checkHeader(bytes: Uint8Array, at: number): void {
  const [delta, count] = [lastOffsetDelta(bytes, at), recordCount(bytes, at)];
  if (delta < 0) throw new MalformedBytes('lastOffsetDelta', at + 23, '0 or more', delta);
  if (count < 0 || count > delta + 1)
    throw new MalformedBytes('record count', at + 57, `0 to ${delta + 1}, by lastOffsetDelta`, count);
  if (!Number.isSafeInteger(baseOffset(bytes, at) + delta))
    throw new MalformedBytes('last offset of a batch', at, 'at most 2^53 - 1', `${baseOffset(bytes, at)} + ${delta}`);
}

/** Where the batch, or the message of before v2, ends. */
export function batchEnd(bytes: Uint8Array, at: number): number {
  return at + 12 + int32At(bytes, at + 8);
}

export function magicOf(bytes: Uint8Array, at: number): number {
  return uint8At(bytes, at + 16);
}

export function baseOffset(bytes: Uint8Array, at: number): number {
  return int64At(bytes, at, 'baseOffset');
}

export function lastOffset(bytes: Uint8Array, at: number): number {
  return baseOffset(bytes, at) + lastOffsetDelta(bytes, at);
}

export function leaderEpoch(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + 12);
}

export function storedCrc(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at + 17);
}

export function attributes(bytes: Uint8Array, at: number): number {
  return int16At(bytes, at + 21);
}

/** The number of the codec: `codecs.ts` has their names. */
export function codecOf(bytes: Uint8Array, at: number): number {
  return attributes(bytes, at) & 0x07;
}

/** Whether `maxTimestamp` is the time of every record: that of the append. */
export function hasAppendTime(bytes: Uint8Array, at: number): boolean {
  return (attributes(bytes, at) & 0x08) !== 0;
}

export function isTransactional(bytes: Uint8Array, at: number): boolean {
  return (attributes(bytes, at) & 0x10) !== 0;
}

export function isControl(bytes: Uint8Array, at: number): boolean {
  return (attributes(bytes, at) & 0x20) !== 0;
}

export function hasDeleteHorizon(bytes: Uint8Array, at: number): boolean {
  return (attributes(bytes, at) & 0x40) !== 0;
}

export function lastOffsetDelta(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + 23);
}

export function baseTimestamp(bytes: Uint8Array, at: number): number {
  return int64At(bytes, at + 27, 'baseTimestamp');
}

export function maxTimestamp(bytes: Uint8Array, at: number): number {
  return int64At(bytes, at + 35, 'maxTimestamp');
}

export function producerId(bytes: Uint8Array, at: number): bigint {
  return bigint64At(bytes, at + 43);
}

export function producerEpoch(bytes: Uint8Array, at: number): number {
  return int16At(bytes, at + 51);
}

export function baseSequence(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + 53);
}

export function recordCount(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at + 57);
}

/** Whether an offset stands for each record and none is missing: what a broker takes from a client. */
export function isDense(bytes: Uint8Array, at: number): boolean {
  const count = recordCount(bytes, at);
  return count > 0 && count === lastOffsetDelta(bytes, at) + 1;
}

/** Reads the whole batch. */
export function crcIsRight(bytes: Uint8Array, at: number): boolean {
  return crc32c(bytes, at + checkedFrom, batchEnd(bytes, at)) === storedCrc(bytes, at);
}

/** The checksum of the records as they are stored, out of the batch's own and without reading them: the same before and after an append. */
export function recordsCrcOf(bytes: Uint8Array, at: number): number {
  const recordsFrom = at + batchHeaderBytes;
  const recordsBytes = batchEnd(bytes, at) - recordsFrom;
  return recordsCrc(storedCrc(bytes, at), bytes, at + checkedFrom, recordsFrom, recordsBytes);
}
