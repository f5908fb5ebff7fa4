import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrowingBytes } from '../../../src/io/kafka/bytes/growing-bytes.ts';
import { appendVarint, VarintReader, varintBytes } from '../../../src/io/kafka/bytes/varints.ts';
import { expectMalformed } from './malformed.ts';

const int32 = fc.integer();
const safe = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.integer({ min: -70, max: 70 }));

describe('varints', () => {
  test.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [63, '7e'],
    [-64, '7f'],
    [64, '8001'],
    [-65, '8101'],
    [8191, 'fe7f'],
    [8192, '808001'],
    [2 ** 31 - 1, 'feffffff0f'],
    [-(2 ** 31), 'ffffffff0f'],
  ])('%i is %s', (value, hex) => {
    expect(Buffer.from(written(value)).toString('hex')).toBe(hex);
    expect(reader(Buffer.from(hex, 'hex')).int32('number')).toBe(value);
    expect(reader(Buffer.from(hex, 'hex')).int64('number')).toBe(value);
  });

  test('what is written is read, and takes as many bytes as foretold', () => {
    fc.assert(
      fc.property(safe, (value) => {
        const bytes = written(value);
        const read = reader(bytes);
        expect(read.int64('number')).toBe(value);
        expect(read.at).toBe(bytes.length);
        expect(varintBytes(value)).toBe(bytes.length);
        expect(bytes.length).toBe(bytesOf(BigInt(value)).length);
        expect(Buffer.from(bytes)).toEqual(bytesOf(BigInt(value)));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(int32, (value) => {
        expect(reader(written(value)).int32('number')).toBe(value);
      }),
    );
  });

  test('every 64 bits are either read as what they are, or refused for being beyond a number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = bytesOf(value);
        if (Number.isSafeInteger(Number(value)) && BigInt(Number(value)) === value)
          expect(BigInt(reader(bytes).int64('time'))).toBe(value);
        else expectMalformed(() => reader(bytes).int64('time'), 'time', 0);
      }),
      { numRuns: 1000 },
    );
    for (const value of [2n ** 53n - 1n, -(2n ** 53n) + 1n])
      expect(BigInt(reader(bytesOf(value)).int64('time'))).toBe(value);
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])
      expectMalformed(() => reader(bytesOf(value)).int64('time'), 'time', 0);
  });

  test('one that is longer than its width, or is cut, is told where it begins', () => {
    const long = (count: number, last: number) => Uint8Array.of(...Array.from({ length: count }, () => 0x80), last);
    expect(reader(long(4, 0)).int32('number')).toBe(0);
    expectMalformed(() => reader(long(4, 0x10)).int32('number'), 'number', 0);
    expectMalformed(() => reader(long(5, 0)).int32('number'), 'number', 0);
    expect(reader(long(9, 0)).int64('number')).toBe(0);
    expectMalformed(() => reader(long(10, 0)).int64('number'), 'number', 0);
    for (let to = 0; to < 5; to += 1) {
      expectMalformed(() => new VarintReader(long(4, 0), 0, to).int32('number'), 'number', 0);
      expectMalformed(() => new VarintReader(long(4, 0), 0, to).int64('number'), 'number', 0);
    }
    expectMalformed(() => new VarintReader(Uint8Array.of(1, 2), 1, 1).int32('number'), 'number', 1);
  });

  test('nothing is stepped over that is not there', () => {
    const read = new VarintReader(new Uint8Array(10), 2, 8);
    expect(read.skip(6, 'bytes')).toBe(2);
    expectMalformed(() => read.skip(1, 'bytes'), 'bytes', 8);
  });
});

function written(value: number): Uint8Array {
  const sink = new GrowingBytes(0);
  appendVarint(sink, value);
  return sink.written();
}

function reader(bytes: Uint8Array): VarintReader {
  return new VarintReader(bytes, 0, bytes.length);
}

/** By definition, without the care for doubles. */
function bytesOf(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
