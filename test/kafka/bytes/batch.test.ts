import { describe, expect, test } from 'vitest';
import {
  attributes,
  baseOffset,
  baseSequence,
  baseTimestamp,
  batchEnd,
  batchesIn,
  batchHeaderBytes,
  codecOf,
  crcIsRight,
  hasAppendTime,
  hasDeleteHorizon,
  isControl,
  isDense,
  isTransactional,
  lastOffset,
  lastOffsetDelta,
  leaderEpoch,
  magicOf,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
  recordsCrcOf,
  storedCrc,
} from '../../../src/io/kafka/bytes/batch.ts';
import { codecNames } from '../../../src/io/kafka/bytes/codecs.ts';
import { crc32c } from '../../../src/io/kafka/bytes/crc32c.ts';
import { golden, goldenBytes, goldenV2 } from './golden.ts';
import { expectMalformed } from './malformed.ts';

describe('what Kafka wrote is read as Kafka reads it', () => {
  test.each(golden)('$name: where batches begin and end, and of which version they are', ({ bytes, batches }) => {
    const found = batchesIn(bytes, 0, bytes.length);
    expect(found.end).toBe(bytes.length);
    expect(found.at.map((at) => ({ magic: magicOf(bytes, at), bytes: batchEnd(bytes, at) - at }))).toEqual(
      batches.map((batch) => ({ magic: batch.magic, bytes: batch.bytes })),
    );
  });

  test.each(goldenV2)('$name: every field, the checksum over all and that of the records alone', (one) => {
    const { bytes } = one;
    for (const [index, at] of batchesIn(bytes, 0, bytes.length).at.entries()) {
      const { magic, bytes: length, records, count, codec, ...fields } = one.batches[index] ?? fail();
      expect({
        baseOffset: baseOffset(bytes, at),
        lastOffset: lastOffset(bytes, at),
        appendTime: hasAppendTime(bytes, at),
        maxTimestamp: maxTimestamp(bytes, at),
        crc: storedCrc(bytes, at),
        baseTimestamp: baseTimestamp(bytes, at),
        producerId: Number(producerId(bytes, at)),
        producerEpoch: producerEpoch(bytes, at),
        baseSequence: baseSequence(bytes, at),
        leaderEpoch: leaderEpoch(bytes, at),
        transactional: isTransactional(bytes, at),
        control: isControl(bytes, at),
        deleteHorizon: hasDeleteHorizon(bytes, at),
      }).toEqual(fields);
      expect(batchEnd(bytes, at) - at).toBe(length);
      expect(codecNames[codecOf(bytes, at)]).toBe(codec);
      expect(recordCount(bytes, at)).toBe(count);
      expect(isDense(bytes, at)).toBe(records.length > 0 && records.length === lastOffsetDelta(bytes, at) + 1);
      expect(crcIsRight(bytes, at)).toBe(true);
      expect(recordsCrcOf(bytes, at)).toBe(crc32c(bytes, at + batchHeaderBytes, batchEnd(bytes, at)));
    }
  });

  test('there are batches of every kind to be read', () => {
    const all = goldenV2.flatMap(({ bytes }) => batchesIn(bytes, 0, bytes.length).at.map((at) => ({ bytes, at })));
    for (const is of [hasAppendTime, isTransactional, isControl, hasDeleteHorizon, isDense]) {
      expect(all.filter(({ bytes, at }) => is(bytes, at)).length).toBeGreaterThan(0);
      expect(all.filter(({ bytes, at }) => !is(bytes, at)).length).toBeGreaterThan(0);
    }
    expect(all.filter(({ bytes, at }) => recordCount(bytes, at) === 0).length).toBeGreaterThan(0);
  });
});

describe('a response that was cut or damaged', () => {
  test('a cut at any byte leaves the batches before it, and tells where the piece begins', () => {
    for (const { bytes } of golden) {
      const { at, end } = batchesIn(bytes, 0, bytes.length);
      for (let to = 0; to <= bytes.length; to += 1) {
        const whole = [...at.slice(1), end].filter((next) => next <= to);
        expect(batchesIn(bytes, 0, to)).toEqual({ at: at.slice(0, whole.length), end: whole.at(-1) ?? 0 });
      }
    }
  });

  test('batches are found from wherever they begin', () => {
    const one = goldenBytes('v2-none');
    const shifted = Buffer.concat([Buffer.alloc(5, 0xff), one, Buffer.alloc(3, 0xff)]);
    const { at, end } = batchesIn(one, 0, one.length);
    expect(batchesIn(shifted, 5, 5 + one.length)).toEqual({ at: at.map((place) => place + 5), end: end + 5 });
    expectMalformed(() => batchesIn(one, 0, one.length + 1), 'batches');
    expectMalformed(() => batchesIn(one, -1, one.length), 'batches');
    expectMalformed(() => batchesIn(one, 2, 1), 'batches');
  });

  test.each([
    ['an offset below zero', 0, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 'offset of a batch', 0],
    ['an offset beyond 2^53', 0, [0x00, 0x20], 'offset of a batch', 0],
    [
      'an offset whose last one is beyond 2^53',
      0,
      [0, 0x1f, 255, 255, 255, 255, 255, 255],
      'last offset of a batch',
      0,
    ],
    ['a length below that of its header', 8, [0, 0, 0, 48], 'length of a batch', 8],
    ['a negative length', 8, [0xff, 0xff, 0xff, 0xff], 'length of a batch', 8],
    ['a version that there is not', 16, [3], 'magic of a batch', 16],
    ['a lastOffsetDelta below zero', 23, [0xff, 0xff, 0xff, 0xff], 'lastOffsetDelta', 23],
    ['more records than offsets', 57, [0, 0, 0, 9], 'record count', 57],
    ['fewer than no records', 57, [0xff, 0xff, 0xff, 0xff], 'record count', 57],
  ] as const)('%s is told with its place', (_, at, damage, what, place) => {
    const one = goldenBytes('v2-none');
    const second = batchEnd(one, 0);
    one.set(damage, second + at);
    expectMalformed(() => batchesIn(one, 0, one.length), what, second + place);
  });

  test('a message that is shorter than its own fields is told', () => {
    for (const [name, least] of [
      ['v0-none', 14],
      ['v1-none', 22],
    ] as const) {
      const one = goldenBytes(name);
      one[11] = least - 1;
      expectMalformed(() => batchesIn(one, 0, one.length), 'length of a batch', 8);
    }
  });

  test('a length that goes far beyond the response is a piece of a batch, and nothing is made for it', () => {
    const one = goldenBytes('v2-none');
    one.set([0x7f, 0xff, 0xff, 0xff], 8);
    expect(batchesIn(one, 0, one.length)).toEqual({ at: [], end: 0 });
  });

  test('every flipped bit that the checksum covers, or is in it, is noticed', () => {
    const one = goldenBytes('v2-zstd');
    for (let bit = 17 * 8; bit < batchEnd(one, 0) * 8; bit += 1) {
      one[bit >> 3] = (one[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(crcIsRight(one, 0)).toBe(false);
      one[bit >> 3] = (one[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
    expect(crcIsRight(one, 0)).toBe(true);
  });

  test('a time beyond what a number holds is an error that names it', () => {
    const one = goldenBytes('v2-none');
    one.set([0x17, 0x97, 0x9c, 0xfe, 0x36, 0x2a, 0, 0], 35);
    expect(() => maxTimestamp(one, 0)).toThrow(
      'maxTimestamp at byte 35: expected an integer between -(2^53 - 1) and 2^53 - 1, found 1700000000000000000',
    );
    one.set([0x80, 0, 0, 0, 0, 0, 0, 0], 27);
    expectMalformed(() => baseTimestamp(one, 0), 'baseTimestamp', 27);
  });

  test('no records at no offsets are not dense', () => {
    const one = goldenBytes('v2-none');
    one.writeInt32BE(-1, 23);
    one.writeInt32BE(0, 57);
    expect(isDense(one, 0)).toBe(false);
  });

  test('attributes of a batch are sixteen bits with a sign', () => {
    const one = goldenBytes('v2-none');
    one.set([0xff, 0x7a], 21);
    expect(attributes(one, 0)).toBe(-134);
  });
});

function fail(): never {
  throw new Error('no such batch among the golden ones');
}
