import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchForAppend } from '../../src/io/kafka/bytes/append.ts';
import { batchEnd, batchesIn, isDense, magicOf, recordCount } from '../../src/io/kafka/bytes/batch.ts';
import { type Codec, codecNames, compressed, decompressed } from '../../src/io/kafka/bytes/codecs.ts';
import { crc32c } from '../../src/io/kafka/bytes/crc32c.ts';
import { legacyRecords, rebuiltLegacy } from '../../src/io/kafka/bytes/legacy.ts';
import { MalformedBytes } from '../../src/io/kafka/bytes/malformed.ts';
import { markerOf } from '../../src/io/kafka/bytes/marker.ts';
import { rebuiltBatch, recordDigests } from '../../src/io/kafka/bytes/rebuild.ts';
import { RecordCursor } from '../../src/io/kafka/bytes/records.ts';
import { nobody } from '../kafka/bytes/arbitrary.ts';
import { golden } from '../kafka/bytes/golden.ts';
import { lz4Frames } from '../kafka/bytes/lz4.ts';
import { damagedBytes, someDamage } from './damage.ts';
import { expectQuick, runs } from './runs.ts';

const outputBytesMax = 300_000;
const legacyOptions = { appender: nobody, outputBytesMax, contentBytesMax: 100_000, keeps: () => true };

/** A value, or the only error that is allowed; anything else escapes and fails the property. */
function outcomeOf<T>(action: () => T): T | null {
  try {
    return expectQuick(action);
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    expect(error.message.length).toBeLessThan(300);
    return null;
  }
}

/** All that there is to read in bytes as a response has them. What is read has to be whole and within the bytes. */
function readAll(bytes: Buffer): void {
  const found = outcomeOf(() => batchesIn(bytes, 0, bytes.length));
  if (found === null) return;
  let end = 0;
  for (const at of found.at) {
    expect(at).toBe(end);
    end = batchEnd(bytes, at);
    expect(end).toBeGreaterThan(at);
    if (magicOf(bytes, at) === 2) readBatch(bytes, at);
    else readLegacy(bytes, at);
  }
  expect(found.end).toBe(end);
  expect(end).toBeLessThanOrEqual(bytes.length);
}

function readBatch(bytes: Buffer, at: number): void {
  outcomeOf(() => markerOf(bytes, at));
  const seen = outcomeOf(() => recordDigests(bytes, at, outputBytesMax));
  const rebuilt = outcomeOf(() => rebuiltBatch(bytes, at, { appender: nobody, outputBytesMax, keeps: () => true }));
  if (seen === null) {
    expect(rebuilt).toBeNull();
    return;
  }
  expect(seen).toHaveLength(recordCount(bytes, at));
  if (rebuilt === null) expect(seen).toHaveLength(0);
  else expectSameRecords(rebuilt.bytes, seen);
  if (isDense(bytes, at)) outcomeOf(() => patchForAppend(Buffer.from(bytes), at, nobody));
}

function expectSameRecords(bytes: Uint8Array, seen: readonly { readonly digest: string }[]): void {
  expect(isDense(bytes, 0)).toBe(true);
  expect(recordDigests(bytes, 0, 4 * outputBytesMax).map(({ digest }) => digest)).toEqual(
    seen.map(({ digest }) => digest),
  );
}

function readLegacy(bytes: Buffer, at: number): void {
  const records = outcomeOf(() => legacyRecords(bytes, at, outputBytesMax))?.records;
  const made = outcomeOf(() => rebuiltLegacy(bytes, at, batchEnd(bytes, at), legacyOptions));
  expect(made === null).toBe(records === undefined);
  if (made === null || records === undefined) return;
  expect(made.next).toBe(batchEnd(bytes, at));
  expect(made.rebuilt?.sourceOffsets).toEqual(records.map(({ offset }) => offset));
}

/** Every checksum made right again, so that damage gets behind them. */
function withRightChecksums(bytes: Buffer): Buffer {
  const found = outcomeOf(() => batchesIn(bytes, 0, bytes.length));
  for (const at of found?.at ?? [])
    if (magicOf(bytes, at) === 2) bytes.writeUInt32BE(crc32c(bytes, at + 21, batchEnd(bytes, at)), at + 17);
  return bytes;
}

const someGolden = fc.constantFrom(...golden).map(({ bytes }) => bytes);

describe('batches', () => {
  test('after any damage they are read whole, or told with the place', () => {
    fc.assert(
      fc.property(someGolden, someDamage, (bytes, damage) => readAll(damagedBytes(Buffer.from(bytes), damage))),
      runs(1500),
    );
  });

  test('after damage that got behind their checksums as well', () => {
    fc.assert(
      fc.property(someGolden, someDamage, (bytes, damage) =>
        readAll(withRightChecksums(damagedBytes(Buffer.from(bytes), damage))),
      ),
      runs(1500),
    );
  });

  test('with hostile numbers in place of any four or eight bytes', () => {
    const numbers = fc.constantFrom(0n, 1n, -1n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 53n, 2n ** 63n - 1n, 0x7fn, 0x80n);
    fc.assert(
      fc.property(someGolden, fc.nat(90), numbers, fc.boolean(), (golden, at, number, wide) => {
        const bytes = Buffer.from(golden);
        if (wide) bytes.writeBigInt64BE(number, at % (bytes.length - 8));
        else bytes.writeInt32BE(Number(BigInt.asIntN(32, number)), at % (bytes.length - 4));
        readAll(withRightChecksums(bytes));
      }),
      runs(2000),
    );
  });

  test('of any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2), (random, magic) => {
        const bytes = Buffer.from(random);
        if (bytes.length > 16) bytes[16] = magic;
        if (bytes.length > 12) bytes.writeInt32BE(bytes.length - 12, 8);
        readAll(withRightChecksums(bytes));
      }),
      runs(1500),
    );
  });
});

test('records of any bytes are read whole, or told with the place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(12), (bytes, count) => {
      const cursor = new RecordCursor(bytes, 0, bytes.length, { count, lastOffsetDelta: 30 });
      let read = 0;
      const all = outcomeOf(() => {
        for (; cursor.next(); read += 1) {
          expect(cursor.bodyTo).toBeLessThanOrEqual(bytes.length);
          cursor.headers();
        }
        return true;
      });
      if (all !== null) expect(read).toBe(count);
    }),
    runs(2000),
  );
});

describe('codecs', () => {
  const words = Buffer.from('the same words again and again, '.repeat(60));
  const frames: [Codec, Buffer][] = codecNames
    .filter((codec) => codec !== 'none')
    .map((codec) => [codec, Buffer.from(compressed(codec, words))]);
  const frame = fc.constantFrom<[Codec, Buffer]>(
    ...frames,
    ...lz4Frames.map(({ bytes }): [Codec, Buffer] => ['lz4', bytes]),
  );

  /** Nothing that is longer than it may be, and nothing allocated beyond it but what the doubling of room takes. */
  function expectBounded(codec: Codec, bytes: Buffer, bytesMax: number): void {
    const limits = { outputBytesMax: bytesMax, lz4Header: 'checked' as const };
    const output = outcomeOf(() => decompressed(codec, bytes, 0, bytes.length, limits));
    if (output === null) return;
    expect(output.length).toBeLessThanOrEqual(bytesMax);
    expect(output.buffer.byteLength).toBeLessThanOrEqual(2 * bytesMax + 65_536);
  }

  test('after any damage they give bytes within the limit, or tell the place', () => {
    fc.assert(
      fc.property(frame, someDamage, fc.nat(200_000), ([codec, bytes], damage, bytesMax) =>
        expectBounded(codec, damagedBytes(Buffer.from(bytes), damage), bytesMax),
      ),
      runs(1500),
    );
  });

  test('of any bytes behind a beginning that is right', () => {
    const beginnings = { none: 0, gzip: 10, snappy: 16, lz4: 7, zstd: 4 };
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        ([codec, whole], random, raw) =>
          expectBounded(codec, Buffer.concat([whole.subarray(0, raw ? 0 : beginnings[codec]), random]), 50_000),
      ),
      runs(1500),
    );
  });
});
