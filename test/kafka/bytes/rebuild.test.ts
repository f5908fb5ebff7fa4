import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attributes,
  baseOffset,
  baseTimestamp,
  batchEnd,
  batchesIn,
  codecOf,
  crcIsRight,
  isDense,
  leaderEpoch,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
} from '../../../src/io/kafka/bytes/batch.ts';
import { codecNames } from '../../../src/io/kafka/bytes/codecs.ts';
import { crc32c } from '../../../src/io/kafka/bytes/crc32c.ts';
import { batchOf } from '../../../src/io/kafka/bytes/encode-batch.ts';
import { rebuiltBatch, recordDigests } from '../../../src/io/kafka/bytes/rebuild.ts';
import { encodedBody, recordDigest } from '../../../src/io/kafka/bytes/records.ts';
import { nobody, plainRecords } from './arbitrary.ts';
import { goldenBytes, goldenV2, seenOf } from './golden.ts';
import { expectMalformed } from './malformed.ts';

const who = { producerId: 2n ** 62n + 1n, producerEpoch: 1, baseSequence: 40 };
const outputBytesMax = 1_000_000;
const options = { appender: who, outputBytesMax, keeps: () => true };

describe('batches that Kafka wrote', () => {
  test.each(goldenV2)(
    "$name: the records' digests are those of what Kafka's own reader found",
    ({ bytes, batches }) => {
      const found = batchesIn(bytes, 0, bytes.length).at.map((at) => recordDigests(bytes, at, outputBytesMax));
      expect(found).toEqual(batches.map(({ records }) => seenOf(records)));
    },
  );

  test.each(goldenV2)('$name: made anew, they are dense, of the same codec and with the same records', (one) => {
    const { bytes } = one;
    for (const [index, at] of batchesIn(bytes, 0, bytes.length).at.entries()) {
      const { records = [], codec } = one.batches[index] ?? {};
      const before = Buffer.from(bytes);
      const rebuilt = rebuiltBatch(bytes, at, options);
      expect(bytes).toEqual(before);
      if (records.length === 0) {
        expect(rebuilt).toBeNull();
        continue;
      }
      if (rebuilt === null) throw new Error('nothing was left of a batch with records');
      const [offsets, times] = [records.map(({ offset }) => offset), records.map(({ timestamp }) => timestamp)];
      expect(rebuilt.sourceOffsets).toEqual(offsets);
      expect(batchesIn(rebuilt.bytes, 0, rebuilt.bytes.length)).toEqual({ at: [0], end: rebuilt.bytes.length });
      expect(crcIsRight(rebuilt.bytes, 0)).toBe(true);
      expect(isDense(rebuilt.bytes, 0)).toBe(true);
      expect(codecNames[codecOf(rebuilt.bytes, 0)]).toBe(codec);
      expect({
        attributes: attributes(rebuilt.bytes, 0),
        baseOffset: baseOffset(rebuilt.bytes, 0),
        leaderEpoch: leaderEpoch(rebuilt.bytes, 0),
        producerId: producerId(rebuilt.bytes, 0),
        producerEpoch: producerEpoch(rebuilt.bytes, 0),
        maxTimestamp: maxTimestamp(rebuilt.bytes, 0),
      }).toEqual({
        attributes: codecOf(bytes, at),
        baseOffset: 0,
        leaderEpoch: -1,
        producerId: who.producerId,
        producerEpoch: who.producerEpoch,
        maxTimestamp: Math.max(...times),
      });
      const seen = recordDigests(rebuilt.bytes, 0, outputBytesMax);
      expect(seen).toEqual(seenOf(records).map(({ digest }, offset) => ({ offset, digest })));
      // What is dense and has times of creation comes out as it is stored, where the codec's library has no say.
      expect(rebuiltBatch(rebuilt.bytes, 0, options)?.bytes).toEqual(rebuilt.bytes);
    }
  });

  test('with an append time every record has it, and says so by itself', () => {
    const source = goldenBytes('v2-none-append-time');
    const rebuilt = rebuiltBatch(source, 0, options);
    if (rebuilt === null) throw new Error('nothing was left');
    expect(baseTimestamp(rebuilt.bytes, 0)).toBe(maxTimestamp(source, 0));
    expect(maxTimestamp(rebuilt.bytes, 0)).toBe(maxTimestamp(source, 0));
    const digests = (bytes: Uint8Array) => recordDigests(bytes, 0, outputBytesMax).map(({ digest }) => digest);
    expect(digests(rebuilt.bytes)).toEqual(digests(source));
  });
});

describe('a part of a batch', () => {
  test('records that are kept, with the greatest time of those that are', () => {
    fc.assert(
      fc.property(
        plainRecords,
        fc.constantFrom(...codecNames),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
        (records, codec, kept) => {
          const source = batchOf(records, codec, nobody);
          source[6] = 1; // A base offset of 256, which no checksum covers.
          const rebuilt = rebuiltBatch(source, 0, { ...options, keeps: (offset) => kept[offset - 256] === true });
          const wanted = records
            .map((record, index) => ({ ...record, offset: 256 + index }))
            .filter((_, at) => kept[at]);
          if (wanted.length === 0) {
            expect(rebuilt).toBeNull();
            return;
          }
          if (rebuilt === null) throw new Error('nothing was left');
          expect(rebuilt.sourceOffsets).toEqual(wanted.map(({ offset }) => offset));
          expect(recordDigests(rebuilt.bytes, 0, outputBytesMax).map(({ digest }) => digest)).toEqual(
            wanted.map((record) => recordDigest(BigInt(record.timestamp), encodedBody(record))),
          );
          expect(maxTimestamp(rebuilt.bytes, 0)).toBe(Math.max(...wanted.map(({ timestamp }) => timestamp)));
          expect(recordCount(rebuilt.bytes, 0)).toBe(wanted.length);
          expect(isDense(rebuilt.bytes, 0)).toBe(true);
          expect(crcIsRight(rebuilt.bytes, 0)).toBe(true);
        },
      ),
    );
  });

  test('times in nanoseconds, which some clients write, stay what they are', () => {
    const nanoseconds = 1_700_000_000_000_000_123n;
    const source = Buffer.from(
      batchOf(
        [
          { timestamp: 0, ...bodyOf('a') },
          { timestamp: 7, ...bodyOf('b') },
        ],
        'none',
        nobody,
      ),
    );
    source.writeBigInt64BE(nanoseconds, 27);
    source.writeBigInt64BE(nanoseconds + 7n, 35);
    source.writeUInt32BE(crcOf(source), 17);
    const rebuilt = rebuiltBatch(source, 0, { ...options, keeps: (offset) => offset === 1 });
    if (rebuilt === null) throw new Error('nothing was left');
    expect(Buffer.from(rebuilt.bytes).readBigInt64BE(35)).toBe(nanoseconds + 7n);
    expect(recordDigests(rebuilt.bytes, 0, outputBytesMax).map(({ digest }) => digest)).toEqual([
      recordDigest(nanoseconds + 7n, encodedBody(bodyOf('b'))),
    ]);
  });
});

describe('damage is told, and never made right by a new checksum', () => {
  test('a wrong checksum of the source', () => {
    for (const name of ['v2-none', 'v2-zstd', 'v2-lz4-append-time']) {
      const source = goldenBytes(name);
      const last = batchEnd(source, 0) - 1;
      source[last] = (source[last] ?? 0) ^ 1;
      expectMalformed(() => rebuiltBatch(source, 0, options), 'checksum of a batch', 17);
      expectMalformed(() => recordDigests(source, 0, outputBytesMax), 'checksum of a batch', 17);
    }
  });

  test('a codec that there is not', () => {
    const source = goldenBytes('v2-none');
    source[22] = 5;
    source.writeUInt32BE(crcOf(source), 17);
    expectMalformed(() => rebuiltBatch(source, 0, options), 'codec', 21);
  });

  test('more records than the codec gave, fewer, and an offset behind the last one', () => {
    const damaged = (at: number, byte: number) => {
      const source = goldenBytes('v2-zstd');
      source[at] = byte;
      source.writeUInt32BE(crcOf(source), 17);
      return source;
    };
    expectMalformed(() => rebuiltBatch(damaged(60, 7), 0, options), 'records');
    expectMalformed(() => rebuiltBatch(damaged(60, 9), 0, options), 'record length');
    expectMalformed(() => rebuiltBatch(damaged(26, 6), 0, options), 'offsetDelta');
  });

  test('more than the limit says', () => {
    expectMalformed(() => rebuiltBatch(goldenBytes('v2-zstd'), 0, { ...options, outputBytesMax: 100 }), 'zstd output');
  });
});

function bodyOf(value: string) {
  return { key: null, value: Buffer.from(value), headers: [] };
}

function crcOf(batch: Uint8Array): number {
  return crc32c(batch, 21, batchEnd(batch, 0));
}
