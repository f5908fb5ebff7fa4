import {
  attributes,
  baseOffset,
  baseSequence,
  batchEnd,
  batchHeaderBytes,
  checkedFrom,
  codecOf,
  isControl,
  isTransactional,
  lastOffset,
  magicOf,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
} from '../../../io/kafka/bytes/batch.ts';
import { crc32c } from '../../../io/kafka/bytes/crc32c.ts';
import { writeBigint64, writeInt16, writeInt32 } from '../../../io/kafka/bytes/integers.ts';

/** A batch, or a message of before v2, as a replica keeps it. Nothing changes its bytes: what is changed is another one. */
export type Stored = {
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly last: number;
  /** Of the leader that appended it. */
  readonly epoch: number;
};

/** As a leader appends it: the two fields that no checksum covers are set, nothing else. */
export function storedAt(sent: Uint8Array, base: number, epoch: number): Stored {
  const bytes = Uint8Array.from(sent);
  if (magicOf(bytes, 0) < 2) return { bytes, base: baseOffset(bytes, 0), last: baseOffset(bytes, 0), epoch };
  writeBigint64(bytes, 0, BigInt(base));
  writeInt32(bytes, 12, epoch);
  return { bytes, base, last: lastOffset(bytes, 0), epoch };
}

/** Another header, with the checksum that it needs. Bits as in `batch.ts`: 3 time of append, 4 transactional, 5 control. */
export function withHeader(
  batch: Uint8Array,
  change: { readonly bits?: number; readonly lastOffsetDelta?: number; readonly maxTimestamp?: number },
): Uint8Array {
  const bytes = Uint8Array.from(batch);
  if (change.bits !== undefined) writeInt16(bytes, 21, attributes(bytes, 0) | change.bits);
  if (change.lastOffsetDelta !== undefined) writeInt32(bytes, 23, change.lastOffsetDelta);
  if (change.maxTimestamp !== undefined) writeBigint64(bytes, 35, BigInt(change.maxTimestamp));
  writeInt32(bytes, 17, crc32c(bytes, checkedFrom, batchEnd(bytes, 0)));
  return bytes;
}

export const bits = { appendTime: 0x08, transactional: 0x10, control: 0x20 } as const;

/** What a broker reads of a batch. */
export type Seen = {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly maxTimestamp: number;
  readonly count: number;
};

export function seenOf(bytes: Uint8Array): Seen | null {
  if (magicOf(bytes, 0) < 2 || isControl(bytes, 0) || producerId(bytes, 0) < 0n) return null;
  const count = recordCount(bytes, 0);
  const firstSequence = baseSequence(bytes, 0);
  return {
    producerId: producerId(bytes, 0),
    epoch: producerEpoch(bytes, 0),
    firstSequence,
    lastSequence: (firstSequence + lastOffset(bytes, 0) - baseOffset(bytes, 0)) % 2 ** 31,
    maxTimestamp: maxTimestamp(bytes, 0),
    count,
  };
}

/** In whose transaction a stored batch is; null: in none. `marker`: it ends that transaction, and how. */
export function transactionOf({
  bytes,
}: Stored): { readonly producerId: bigint; readonly marker: Marker | null } | null {
  if (magicOf(bytes, 0) < 2 || !isTransactional(bytes, 0)) return null;
  const marker = isControl(bytes, 0) ? markerOf(bytes) : null;
  return { producerId: producerId(bytes, 0), marker };
}

export type Marker = 'abort' | 'commit';

/** The key of a control record is a version and a type; before it are length, attributes, two deltas and its own length. */
function markerOf(bytes: Uint8Array): Marker {
  return bytes[batchHeaderBytes + 5 + 3] === 0 ? 'abort' : 'commit';
}

export function isCompressed(bytes: Uint8Array): boolean {
  return magicOf(bytes, 0) === 2 && codecOf(bytes, 0) !== 0;
}
