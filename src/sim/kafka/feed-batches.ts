import { checkedFrom } from '../../io/kafka/bytes/batch.ts';
import type { Codec } from '../../io/kafka/bytes/codecs.ts';
import { crc32c } from '../../io/kafka/bytes/crc32c.ts';
import { batchOf, encodedBatch, type PlainRecord } from '../../io/kafka/bytes/encode-batch.ts';
import { GrowingBytes } from '../../io/kafka/bytes/growing-bytes.ts';
import { writeBigint64, writeInt16, writeInt32 } from '../../io/kafka/bytes/integers.ts';
import { appendRecord, encodedBody } from '../../io/kafka/bytes/records.ts';
import { bits, type Marker, withHeader } from './world/stored.ts';

/** A batch of the source before and after compaction: null where a record was taken out. */
export type Made = {
  readonly records: readonly (PlainRecord | null)[];
  readonly codec: Codec;
  readonly producerId: bigint;
  readonly sequence: number;
  readonly bits: number;
  readonly appendTimeMs: number | null;
};

/** Its bytes as a leader would append them. The leader's fields are not set yet. */
export function bytesOf(made: Made): Uint8Array {
  const { records, codec, producerId, sequence, appendTimeMs } = made;
  const appender = { producerId, producerEpoch: producerId < 0n ? -1 : 0, baseSequence: sequence };
  const kept = records.flatMap((record) => record ?? []);
  const [first] = kept;
  if (first === undefined) return emptyBatch(made);
  const whole = kept.length === records.length ? batchOf(kept, codec, appender) : withHoles(made, appender, first);
  const change = { bits: made.bits, lastOffsetDelta: records.length - 1 };
  return withHeader(whole, appendTimeMs === null ? change : { ...change, maxTimestamp: appendTimeMs });
}

function withHoles(
  { records, codec }: Made,
  appender: { producerId: bigint; producerEpoch: number; baseSequence: number },
  first: PlainRecord,
): Uint8Array {
  const section = new GrowingBytes(64 * records.length);
  let newest = first.timestamp;
  let recordCount = 0;
  for (const [offsetDelta, record] of records.entries()) {
    if (record === null) continue;
    recordCount += 1;
    newest = Math.max(newest, record.timestamp);
    const timestampDelta = record.timestamp - first.timestamp;
    appendRecord(section, { attributes: 0, timestampDelta, offsetDelta, body: encodedBody(record) });
  }
  const times = { baseTimestamp: BigInt(first.timestamp), maxTimestamp: BigInt(newest) };
  return encodedBatch({ codec, appender, ...times, recordCount }, section.written());
}

/** What compaction leaves of a producer's last batch: a header. */
function emptyBatch({ records, producerId, sequence, bits: set }: Made): Uint8Array {
  const one = batchOf([{ timestamp: 0, key: null, value: null, headers: [] }], 'none', {
    producerId,
    producerEpoch: 0,
    baseSequence: sequence,
  });
  const bytes = one.slice(0, 61);
  writeInt32(bytes, 8, 61 - 12);
  writeInt16(bytes, 21, set);
  writeInt32(bytes, 23, records.length - 1);
  writeInt32(bytes, 57, 0);
  writeInt32(bytes, 17, crc32c(bytes, checkedFrom, bytes.length));
  return bytes;
}

export function markerBytes(producerId: bigint, marker: Marker, timestamp: number): Uint8Array {
  const key = Uint8Array.from([0, 0, 0, marker === 'abort' ? 0 : 1]);
  const record = { timestamp, key, value: new Uint8Array(6), headers: [] };
  const batch = batchOf([record], 'none', { producerId, producerEpoch: 0, baseSequence: -1 });
  return withHeader(batch, { bits: bits.transactional | bits.control });
}

/** A message of before v2, which stands alone. */
export function messageBytes(offset: number, timestamp: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(34 + value.length);
  writeBigint64(bytes, 0, BigInt(offset));
  writeInt32(bytes, 8, bytes.length - 12);
  bytes[16] = 1;
  writeBigint64(bytes, 18, BigInt(timestamp));
  writeInt32(bytes, 26, -1);
  writeInt32(bytes, 30, value.length);
  bytes.set(value, 34);
  writeInt32(bytes, 12, crc32(bytes.subarray(16)));
  return bytes;
}

/** The checksum of zip files, bit by bit: messages of before v2 are few. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc;
}
