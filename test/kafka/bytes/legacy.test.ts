import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { batchEnd, batchesIn, codecOf, crcIsRight, isDense, magicOf } from '../../../src/io/kafka/bytes/batch.ts';
import { type Codec, codecNames, compressed } from '../../../src/io/kafka/bytes/codecs.ts';
import { legacyDigests, legacyRecords, rebuiltLegacy } from '../../../src/io/kafka/bytes/legacy.ts';
import { recordDigests } from '../../../src/io/kafka/bytes/rebuild.ts';
import { nobody } from './arbitrary.ts';
import { golden, goldenBytes, goldenLegacy, seenOf } from './golden.ts';
import { expectMalformed } from './malformed.ts';

const outputBytesMax = 1_000_000;
const options = { appender: nobody, outputBytesMax, contentBytesMax: 1_000_000, keeps: () => true };

describe('messages of before v2 that Kafka wrote', () => {
  test.each(goldenLegacy)("$name: the records are those that Kafka's own reader found", ({ bytes, batches }) => {
    const { at } = batchesIn(bytes, 0, bytes.length);
    expect(at.map((place) => legacyDigests(bytes, place, outputBytesMax))).toEqual(
      batches.map(({ records }) => seenOf(records)),
    );
    expect(at.map((place) => legacyRecords(bytes, place, outputBytesMax).codec)).toEqual(
      batches.map(({ codec }) => codec),
    );
  });

  test.each(goldenLegacy)('$name: as one v2 batch, the records are the same', ({ bytes, batches }) => {
    const { rebuilt, next } = rebuiltLegacy(bytes, 0, bytes.length, options);
    if (rebuilt === null) throw new Error('nothing was left');
    expect(next).toBe(bytes.length);
    const records = batches.flatMap((batch) => batch.records);
    expect(rebuilt.sourceOffsets).toEqual(records.map(({ offset }) => offset));
    expect(recordDigests(rebuilt.bytes, 0, outputBytesMax).map(({ digest }) => digest)).toEqual(
      seenOf(records).map(({ digest }) => digest),
    );
    expect(codecNames[codecOf(rebuilt.bytes, 0)]).toBe(batches[0]?.codec);
    expect(isDense(rebuilt.bytes, 0)).toBe(true);
    expect(crcIsRight(rebuilt.bytes, 0)).toBe(true);
  });

  test('messages of one codec become batches that are not longer than wanted, none of them twice or not at all', () => {
    const { bytes, batches } = golden.find(({ name }) => name === 'all-versions') ?? {
      bytes: Buffer.alloc(0),
      batches: [],
    };
    const legacy = batches.filter(({ magic }) => magic < 2).flatMap(({ records }) => records);
    for (const contentBytesMax of [0, 20, 60, 1_000_000]) {
      const offsets: number[] = [];
      let at = 0;
      let made = 0;
      for (; magicOf(bytes, at) < 2; made += 1) {
        const { rebuilt, next } = rebuiltLegacy(bytes, at, bytes.length, { ...options, contentBytesMax });
        offsets.push(...(rebuilt?.sourceOffsets ?? []));
        at = next;
      }
      expect(offsets).toEqual(legacy.map(({ offset }) => offset));
      // Eight messages and a wrapper. One of them has neither key nor value, and so fits behind any other.
      if (contentBytesMax === 0) expect(made).toBe(8);
      if (contentBytesMax === 1_000_000) expect(made).toBe(2);
    }
  });

  test('only what is kept is in the batch, and a batch of nothing is none', () => {
    const bytes = goldenBytes('v1-gzip');
    const some = rebuiltLegacy(bytes, 0, bytes.length, { ...options, keeps: (offset) => offset >= 110 });
    expect(some.rebuilt?.sourceOffsets).toEqual([110, 111, 112, 113, 114, 115]);
    expect(rebuiltLegacy(bytes, 0, bytes.length, { ...options, keeps: () => false })).toEqual({
      rebuilt: null,
      next: bytes.length,
    });
  });
});

describe('wrappers', () => {
  const inner = (magic: 0 | 1, ...offsets: number[]) =>
    Buffer.concat(offsets.map((offset) => message({ magic, offset, value: Buffer.from('x') })));

  test.each([
    ['v1: the offset of its last one', 1, 100, [0, 1, 2], [98, 99, 100]],
    ['v1: with holes in it', 1, 100, [0, 3, 4], [96, 99, 100]],
    ['v1: with an offset of 0, as some clients left it', 1, 0, [0, 1, 2], [0, 1, 2]],
    ['v0: their own offsets', 0, 7, [5, 6, 7], [5, 6, 7]],
  ] as const)('%s', (_, magic, offset, offsets, found) => {
    const bytes = wrapper({ magic, offset, codec: 'gzip' }, inner(magic, ...offsets));
    expect(legacyRecords(bytes, 0, outputBytesMax).records.map((record) => record.offset)).toEqual(found);
  });

  test('an append time of a v1 wrapper is that of all in it; a time of creation is not', () => {
    const messages = Buffer.concat([0, 1].map((offset) => message({ magic: 1, offset, timestamp: 5 + offset })));
    const times = (attributes: number) =>
      legacyRecords(
        wrapper({ magic: 1, offset: 1, codec: 'lz4', attributes, timestamp: 99 }, messages),
        0,
        outputBytesMax,
      ).records.map(({ timestamp }) => timestamp);
    expect(times(0x08)).toEqual([99, 99]);
    expect(times(0)).toEqual([5, 6]);
  });

  test('the checksum of an lz4 header is not looked at in v0, and is in v1', () => {
    for (const magic of [0, 1] as const) {
      const value = Buffer.from(compressed('lz4', inner(magic, 0)));
      value[6] = (value[6] ?? 0) ^ 0xff;
      const bytes = message({ magic, offset: 0, attributes: 3, value });
      if (magic === 0) expect(legacyRecords(bytes, 0, outputBytesMax).records).toHaveLength(1);
      else expectMalformed(() => legacyRecords(bytes, 0, outputBytesMax), 'header checksum of an lz4 frame');
    }
  });

  const badCrc = inner(1, 0);
  badCrc[15] = (badCrc[15] ?? 0) ^ 1;
  test.each([
    ['an offset below that of its last one', { offset: 1 }, inner(1, 0, 1, 2), 'offset of a wrapper'],
    ['the same offset twice', { offset: 3 }, inner(1, 1, 1), 'offset of a message in a wrapper'],
    ['offsets that fall', { offset: 3 }, inner(1, 2, 1), 'offset of a message in a wrapper'],
    ['nothing in it', { value: Buffer.alloc(0) }, inner(1), 'message in a wrapper'],
    [
      'messages of another version',
      {},
      message({ magic: 0, offset: 9, value: Buffer.alloc(20) }),
      'magic of a message in a wrapper',
    ],
    [
      'another wrapper in it',
      {},
      wrapper({ magic: 1, offset: 0, codec: 'gzip' }, inner(1, 0)),
      'codec of a message in a wrapper',
    ],
    ['a message in it that is cut', {}, inner(1, 0, 1).subarray(0, -1), 'size of a message in a wrapper'],
    ['some bytes behind them', {}, Buffer.concat([inner(1, 0), Buffer.alloc(9)]), 'message in a wrapper'],
    ['a wrong checksum in it', {}, badCrc, 'checksum of a message'],
  ])('%s is told', (_, head, messages, what) => {
    const bytes =
      messages.length === 0
        ? message({ magic: 1, offset: 9, attributes: 1, value: gzipOfNothing })
        : wrapper({ magic: 1, offset: 9, codec: 'gzip', ...head }, messages);
    expectMalformed(() => legacyRecords(bytes, 0, outputBytesMax), what);
  });

  test('a wrapper of null, and one by a codec that came later, are told', () => {
    const nothing = message({ magic: 1, offset: 0, attributes: 1, value: null });
    expectMalformed(() => legacyRecords(nothing, 0, outputBytesMax), 'value of a compressed message', 0);
    const later = message({ magic: 1, offset: 0, attributes: 4, value: Buffer.from(compressed('zstd', inner(1, 0))) });
    expectMalformed(() => legacyRecords(later, 0, outputBytesMax), 'codec of a message', 17);
    const never = message({ magic: 1, offset: 0, attributes: 6 });
    expectMalformed(() => legacyRecords(never, 0, outputBytesMax), 'codec', 17);
  });

  test('more than the limit says is told', () => {
    const bytes = wrapper(
      { magic: 1, offset: 0, codec: 'gzip' },
      message({ magic: 1, offset: 0, value: Buffer.alloc(9000) }),
    );
    expectMalformed(() => legacyRecords(bytes, 0, 8000), 'gzip output');
  });
});

describe('a message that is not as it has to be', () => {
  test('every flipped bit from its checksum on is noticed', () => {
    const bytes = goldenBytes('v1-none');
    for (let bit = 12 * 8; bit < batchEnd(bytes, 0) * 8; bit += 1) {
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectMalformed(() => legacyRecords(bytes, 0, outputBytesMax), 'checksum of a message', 12);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
  });

  test.each([
    ['a key beyond its end', 26, 100, 'key of a message', 26],
    ['a key of length -2', 26, -2, 'key of a message', 26],
    ['a key that leaves no room for a value', 26, 4, 'value of a message', 34],
    ['a value beyond its end', 31, 2, 'value of a message', 31],
    ['a value of length -2', 31, -2, 'value of a message', 31],
    ['a value that ends before it', 31, 0, 'message', 35],
  ])('%s is told with its place', (_, at, length, what, place) => {
    const bytes = message({ magic: 1, offset: 0, key: Buffer.from('k'), value: Buffer.from('v') });
    bytes.writeInt32BE(length, at);
    bytes.writeUInt32BE(crc32(bytes.subarray(16)), 12);
    expectMalformed(() => legacyRecords(bytes, 0, outputBytesMax), what, place);
  });

  test('messages whose offsets fall are not made one batch', () => {
    const bytes = Buffer.concat([5, 5].map((offset) => message({ magic: 0, offset })));
    expectMalformed(() => rebuiltLegacy(bytes, 0, bytes.length, options), 'offset of a message', batchEnd(bytes, 0));
  });
});

type Message = {
  readonly magic: 0 | 1;
  readonly offset: number;
  readonly attributes?: number;
  readonly timestamp?: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
};

function message({ magic, offset, attributes = 0, timestamp = 1, key = null, value = null }: Message): Buffer {
  const head = Buffer.alloc(magic === 0 ? 18 : 26);
  head[16] = magic;
  head[17] = attributes;
  if (magic === 1) head.writeBigInt64BE(BigInt(timestamp), 18);
  const bytes = Buffer.concat([head, part(key), part(value)]);
  bytes.writeBigInt64BE(BigInt(offset), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(16)), 12);
  return bytes;
}

function part(bytes: Buffer | null): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes === null ? -1 : bytes.length);
  return Buffer.concat([length, bytes ?? Buffer.alloc(0)]);
}

function wrapper({ codec, ...head }: Message & { readonly codec: Codec }, messages: Buffer): Buffer {
  const attributes = (head.attributes ?? 0) | codecNames.indexOf(codec);
  return message({ ...head, attributes, value: Buffer.from(compressed(codec, messages)) });
}

const gzipOfNothing = Buffer.from('1f8b080000000000000303000000000000000000', 'hex');
