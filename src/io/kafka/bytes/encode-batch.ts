import type { Appender } from './append.ts';
import { batchHeaderBytes, checkedFrom } from './batch.ts';
import { type Codec, codecNames, compressed } from './codecs.ts';
import { crc32c } from './crc32c.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { writeBigint64, writeInt16, writeInt32 } from './integers.ts';
import { appendRecord, encodedBody, type RecordBody } from './records.ts';

export type BatchHead = {
  readonly codec: Codec;
  readonly appender: Appender;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly recordCount: number;
};

/** A dense batch as a client sends it: offset 0, no leader epoch, times of creation. `section` are its records, not compressed yet. */
export function encodedBatch(head: BatchHead, section: Uint8Array): Uint8Array {
  const records = compressed(head.codec, section);
  const bytes = Buffer.allocUnsafeSlow(batchHeaderBytes + records.length);
  bytes.fill(0, 0, 8);
  writeInt32(bytes, 8, bytes.length - 12);
  writeInt32(bytes, 12, -1);
  bytes[16] = 2;
  writeInt16(bytes, 21, codecNames.indexOf(head.codec));
  writeInt32(bytes, 23, head.recordCount - 1);
  writeBigint64(bytes, 27, head.baseTimestamp);
  writeBigint64(bytes, 35, head.maxTimestamp);
  writeBigint64(bytes, 43, head.appender.producerId);
  writeInt16(bytes, 51, head.appender.producerEpoch);
  writeInt32(bytes, 53, head.appender.baseSequence);
  writeInt32(bytes, 57, head.recordCount);
  bytes.set(records, batchHeaderBytes);
  writeInt32(bytes, 17, crc32c(bytes, checkedFrom, bytes.length));
  return bytes;
}

export type PlainRecord = RecordBody & { readonly timestamp: number };

/** A dense batch out of at least one record. Times are relative to the first one's, as Kafka's own clients write them. */
export function batchOf(records: readonly PlainRecord[], codec: Codec, appender: Appender): Uint8Array {
  const base = records[0]?.timestamp;
  if (base === undefined) throw new RangeError('batchOf: expected at least one record, found none');
  const section = new GrowingBytes(64 * records.length);
  for (const [offsetDelta, record] of records.entries())
    appendRecord(section, {
      attributes: 0,
      timestampDelta: record.timestamp - base,
      offsetDelta,
      body: encodedBody(record),
    });
  const maxTimestamp = records.reduce((max, { timestamp }) => Math.max(max, timestamp), base);
  const head = { codec, appender, baseTimestamp: BigInt(base), maxTimestamp: BigInt(maxTimestamp) };
  return encodedBatch({ ...head, recordCount: records.length }, section.written());
}
