import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchForAppend } from '../../../src/io/kafka/bytes/append.ts';
import {
  attributes,
  baseOffset,
  baseSequence,
  batchEnd,
  batchesIn,
  codecOf,
  crcIsRight,
  leaderEpoch,
  producerEpoch,
  producerId,
  recordsCrcOf,
} from '../../../src/io/kafka/bytes/batch.ts';
import { appender } from './arbitrary.ts';
import { goldenBytes, goldenV2 } from './golden.ts';

const somebody = { producerId: 2n ** 62n + 12_345n, producerEpoch: 3, baseSequence: 2 ** 31 - 1 };

describe('a stored batch that is made one that a client sends', () => {
  test.each(goldenV2)('$name: only what the rule names is changed, and the checksum is right', ({ bytes: stored }) => {
    const bytes = Buffer.from(stored);
    for (const at of batchesIn(bytes, 0, bytes.length).at) {
      const [before, end] = [Buffer.from(bytes), batchEnd(bytes, at)];
      patchForAppend(bytes, at, somebody);
      expect({
        baseOffset: baseOffset(bytes, at),
        leaderEpoch: leaderEpoch(bytes, at),
        attributes: attributes(bytes, at),
        producerId: producerId(bytes, at),
        producerEpoch: producerEpoch(bytes, at),
        baseSequence: baseSequence(bytes, at),
      }).toEqual({ baseOffset: 0, leaderEpoch: -1, attributes: codecOf(before, at), ...somebody });
      expect(crcIsRight(bytes, at)).toBe(true);
      expect(recordsCrcOf(bytes, at)).toBe(recordsCrcOf(before, at));
      for (const [from, to] of [
        [0, at],
        [at + 8, at + 12],
        [at + 16, at + 17],
        [at + 23, at + 43],
        [at + 57, end],
        [end, bytes.length],
      ] as const)
        expect(bytes.subarray(from, to)).toEqual(before.subarray(from, to));
    }
  });

  test('in any name, from any bits of its attributes', () => {
    fc.assert(
      fc.property(appender, fc.integer({ min: -32_768, max: 32_767 }), (who, bits) => {
        const bytes = goldenBytes('v2-lz4');
        const first = goldenBytes('v2-lz4');
        patchForAppend(bytes, 0, who);
        bytes.writeInt16BE(bits, 21);
        // What the broker of the source would have stored with these bits.
        const crcBefore = recordsCrcOf(first, 0);
        bytes.writeUInt32BE(recomputed(bytes), 17);
        patchForAppend(bytes, 0, who);
        expect(crcIsRight(bytes, 0)).toBe(true);
        expect(attributes(bytes, 0)).toBe(bits & 7);
        expect(recordsCrcOf(bytes, 0)).toBe(crcBefore);
        expect(producerId(bytes, 0)).toBe(who.producerId);
        expect(producerEpoch(bytes, 0)).toBe(who.producerEpoch);
        expect(baseSequence(bytes, 0)).toBe(who.baseSequence);
      }),
    );
  });

  test('records that were damaged before are still found damaged after: no bit of them is made right', () => {
    const whole = goldenBytes('v2-snappy');
    const end = batchEnd(whole, 0);
    for (let bit = 61 * 8; bit < end * 8; bit += 7) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      patchForAppend(bytes, 0, somebody);
      expect(crcIsRight(bytes, 0)).toBe(false);
    }
  });

  test('patched twice is patched once, with the last name', () => {
    const [once, twice] = [goldenBytes('v2-gzip'), goldenBytes('v2-gzip')];
    patchForAppend(once, 0, somebody);
    patchForAppend(twice, 0, { ...somebody, producerId: -2n, baseSequence: 0 });
    patchForAppend(twice, 0, somebody);
    expect(twice).toEqual(once);
  });
});

/** The checksum by an implementation that shares nothing with ours but the polynomial. */
function recomputed(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(21, batchEnd(bytes, 0))) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
