import { attributes, batchEnd, batchHeaderBytes, checkedFrom, storedCrc } from './batch.ts';
import { patchedCrc } from './crc-linear.ts';
import { uint8At, writeBigint64, writeInt16, writeInt32 } from './integers.ts';

/** In whose name a batch is appended. Ids are those of nobody else; the sequence is that of the batch's first record. */
export type Appender = {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
};

/**
 * Makes of a batch, as a broker stored it, one that a broker takes from a client: in place, its records untouched, its checksum
 * by linearity, so that it guards the records from their producer to the target's disk. Everything but the codec is cleared from the attributes:
 * with the bit of an append time, of a transaction or of a control batch a broker refuses it or changes times, and a delete horizon would be
 * kept as if it were ours. What may be patched (dense, no control batch, times of creation) is for the caller to know.
 */
export function patchForAppend(bytes: Uint8Array, at: number, appender: Appender): void {
  const checked = at + checkedFrom;
  for (let byte = 0; byte < change.length; byte += 1) change[byte] = uint8At(bytes, checked + byte);

  bytes.fill(0, at, at + 8); // baseOffset: 0, or the broker refuses it
  writeInt32(bytes, at + 12, -1); // the leader's epoch, which the broker sets
  writeInt16(bytes, at + 21, attributes(bytes, at) & 0x07);
  writeBigint64(bytes, at + 43, appender.producerId);
  writeInt16(bytes, at + 51, appender.producerEpoch);
  writeInt32(bytes, at + 53, appender.baseSequence);

  for (let byte = 0; byte < change.length; byte += 1)
    change[byte] = uint8At(change, byte) ^ uint8At(bytes, checked + byte);
  const bytesAfter = batchEnd(bytes, at) - at - batchHeaderBytes;
  writeInt32(bytes, at + 17, patchedCrc(storedCrc(bytes, at), change, bytesAfter));
}

/** Old xor new of the header's checked part. One for all, as nothing waits between its two uses. */
const change = new Uint8Array(batchHeaderBytes - checkedFrom);
