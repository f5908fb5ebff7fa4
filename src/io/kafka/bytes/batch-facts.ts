import type { ProofBatch } from '../../../core/move/proof/read-back.ts';
import {
  baseOffset,
  baseTimestamp,
  batchEnd,
  crcIsRight,
  hasAppendTime,
  isControl,
  lastOffset,
  magicOf,
  producerEpoch,
  producerId,
  recordCount,
  recordsCrcOf,
} from './batch.ts';

export type BatchFacts = ProofBatch & {
  /** The time that those of its records are counted from; of a message of before v2 it is not looked up, and -1. */
  readonly firstMs: number;
  /** Of the producer. */
  readonly epoch: number;
};

/** What a batch is without decompressing it; reads all of it, for its checksum. `ours`: the producer id that only one copy of this partition has. */
export function batchFacts(bytes: Uint8Array, at: number, ours: bigint): BatchFacts {
  const size = batchEnd(bytes, at) - at;
  const base = baseOffset(bytes, at);
  if (magicOf(bytes, at) < 2) {
    const told = { base, count: 1, records: 1, checksum: 0, producer: null, isOurs: false, firstMs: -1, epoch: 0 };
    return { ...told, isIntact: true, hasAppendTime: false, bytes: size };
  }
  const id = producerId(bytes, at);
  return {
    base,
    count: lastOffset(bytes, at) - base + 1,
    records: recordCount(bytes, at),
    checksum: recordsCrcOf(bytes, at),
    producer: id.toString(),
    isOurs: id === ours && !isControl(bytes, at),
    isIntact: crcIsRight(bytes, at),
    hasAppendTime: hasAppendTime(bytes, at),
    bytes: size,
    firstMs: baseTimestamp(bytes, at),
    epoch: producerEpoch(bytes, at),
  };
}
