import fc from 'fast-check';
import { expect, test } from 'vitest';
import { patchedCrc, recordsCrc, registerAfterZeros } from '../../../src/io/kafka/bytes/crc-linear.ts';
import { crc32c, crcRegister } from '../../../src/io/kafka/bytes/crc32c.ts';

test('the checksums that RFC 3720 gives for 32 bytes, and the usual check value', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  const examples: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
    [Buffer.from('123456789'), 0xe3069283],
    [new Uint8Array(0), 0],
  ];
  for (const [bytes, crc] of examples) expect(crc32c(bytes, 0, bytes.length)).toBe(crc);
});

test('eight bytes a step and one byte a step are the same, from any place to any other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(70), fc.nat(70), (bytes, one, other) => {
      const [from, to] = [Math.min(one, other, bytes.length), Math.min(Math.max(one, other), bytes.length)];
      let byOnes = -1;
      for (let at = from; at < to; at += 1) byOnes = crcRegister(byOnes, bytes, at, at + 1);
      expect(crc32c(bytes, from, to)).toBe((byOnes ^ -1) >>> 0);
    }),
  );
});

test('zero bytes by operators are the same as zero bytes', () => {
  const zeros = new Uint8Array(70_000);
  fc.assert(
    fc.property(fc.integer(), fc.nat(zeros.length), (register, count) => {
      expect(registerAfterZeros(register, count)).toBe(crcRegister(register, zeros, 0, count));
    }),
    { numRuns: 300 },
  );
});

test('every power of two of zero bytes is twice the one before, up to the longest batch', () => {
  for (let power = 1; power < 31; power += 1) {
    const half = 2 ** (power - 1);
    for (const register of [1, -1, 0x12345678])
      expect(registerAfterZeros(register, 2 * half)).toBe(registerAfterZeros(registerAfterZeros(register, half), half));
  }
  expect(registerAfterZeros(7, 2 ** 31 - 1)).toBe(registerAfterZeros(registerAfterZeros(7, 2 ** 30), 2 ** 30 - 1));
});

const header = fc.uint8Array({ minLength: 40, maxLength: 40 });
const records = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.nat(255), fc.nat(100_000)).map(([byte, count]) => new Uint8Array(count).fill(byte)),
);

test('a patched checksum is the recomputed one, whatever changed in the header and however long the records are', () => {
  fc.assert(
    fc.property(header, header, records, (before, after, behind) => {
      const change = before.map((byte, index) => byte ^ (after[index] ?? 0));
      const patched = patchedCrc(crcOf(before, behind), change, behind.length);
      expect(patched).toBe(crcOf(after, behind));
    }),
    { numRuns: 500 },
  );
});

test('a wrong checksum stays wrong when it is patched', () => {
  fc.assert(
    fc.property(header, header, records, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (before, after, behind, error) => {
      const change = before.map((byte, index) => byte ^ (after[index] ?? 0));
      const patched = patchedCrc((crcOf(before, behind) ^ error) >>> 0, change, behind.length);
      expect((patched ^ error) >>> 0).toBe(crcOf(after, behind));
    }),
  );
});

test("the records' own checksum comes out of the batch's and of its header", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9 }), header, records, (before, own, behind) => {
      const bytes = Buffer.concat([before, own, behind]);
      const [from, to] = [before.length, before.length + own.length];
      const found = recordsCrc(crc32c(bytes, from, bytes.length), bytes, from, to, behind.length);
      expect(found).toBe(crc32c(behind, 0, behind.length));
    }),
    { numRuns: 500 },
  );
});

function crcOf(...parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  return crc32c(bytes, 0, bytes.length);
}
