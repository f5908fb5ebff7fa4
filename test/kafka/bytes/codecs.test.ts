import { gzipSync, zstdCompressSync } from 'node:zlib';
import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils/bundled';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Codec, codecNames, compressed, decompressed } from '../../../src/io/kafka/bytes/codecs.ts';
import { snappyFramed } from '../../../src/io/kafka/bytes/snappy.ts';
import { xxh32 } from '../../../src/io/kafka/bytes/xxh32.ts';
import { lz4Frames, lz4Text } from './lz4.ts';
import { errorOf, expectMalformed } from './malformed.ts';

const codecs = codecNames.filter((name) => name !== 'none');

function output(codec: Codec, bytes: Uint8Array, outputBytesMax = 2_000_000): Buffer {
  return Buffer.from(decompressed(codec, bytes, 0, bytes.length, { outputBytesMax, lz4Header: 'checked' }));
}

/** Bytes as records are: some never seen before, some repeated from near and from far, some all alike. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 5000 })).map(([byte, count]) => new Uint8Array(count).fill(byte)),
      fc.constant(lz4Text().subarray(0, 3000)),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

describe('what went in comes out', () => {
  test.each(codecs)('%s', (codec) => {
    fc.assert(
      fc.property(content, fc.nat(5), fc.nat(5), (bytes, before, after) => {
        const small = compressed(codec, bytes);
        const inside = Buffer.concat([Buffer.alloc(before, 1), small, Buffer.alloc(after, 1)]);
        const limits = { outputBytesMax: bytes.length, lz4Header: 'checked' as const };
        const found = decompressed(codec, inside, before, before + small.length, limits);
        expect(Buffer.from(found).equals(bytes)).toBe(true);
        expectMalformed(
          () => decompressed(codec, small, 0, small.length, { ...limits, outputBytesMax: bytes.length - 1 }),
          { gzip: 'gzip output', zstd: 'zstd output', snappy: 'length of snappy output', lz4: 'lz4 output', none: '' }[
            codec
          ],
        );
      }),
      { numRuns: 60 },
    );
  });

  test.each(codecs)('%s: a megabyte of text and of noise', (codec) => {
    const noise = Buffer.alloc(1_000_000);
    for (let at = 0, state = 1; at < noise.length; at += 1) {
      state = Math.imul(state, 1_103_515_245) + 12_345;
      noise[at] = state >>> 16;
    }
    for (const bytes of [noise, Buffer.concat(Array.from({ length: 7 }, lz4Text))])
      expect(output(codec, compressed(codec, bytes)).equals(bytes)).toBe(true);
  });

  test('nothing is not compressed, and no codec leaves bytes where they are', () => {
    expect(() => compressed('gzip', new Uint8Array(0))).toThrow(RangeError);
    const bytes = Uint8Array.of(1, 2, 3, 4);
    expect(compressed('none', bytes)).toBe(bytes);
    expect(output('none', bytes)).toEqual(Buffer.from([1, 2, 3, 4]));
  });
});

describe('frames that others write', () => {
  test.each(lz4Frames)('lz4 with $name', ({ bytes }) => {
    expect(output('lz4', bytes).equals(lz4Text())).toBe(true);
  });

  test('another decoder of lz4 and snappy reads what we read, and what we wrote', () => {
    const text = lz4Text();
    expect(lz4Decompress(Buffer.from(compressed('lz4', text))).equals(text)).toBe(true);
    expect(output('snappy', snappyCompress(text)).equals(text)).toBe(true);
    const framed = Buffer.from(compressed('snappy', text.subarray(0, 30_000)));
    expect(snappyDecompress(framed.subarray(20)).equals(text.subarray(0, 30_000))).toBe(true);
  });

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s: several frames in a row are all read', (codec, compress) => {
    const frames = ['one', 'two', 'three'].map((word) => compress(Buffer.from(word)));
    expect(output(codec, Buffer.concat(frames)).toString()).toBe('onetwothree');
    expectMalformed(() => output(codec, Buffer.concat(frames), 10), `${codec} output`);
    expect(output(codec, Buffer.concat(frames), 11).toString()).toBe('onetwothree');
  });

  test('more frames than anybody makes are refused before they take time', () => {
    const frame = zstdCompressSync(Buffer.alloc(0));
    expect(output('zstd', Buffer.concat(Array.from({ length: 1000 }, () => frame)))).toHaveLength(0);
    const many = Buffer.concat(Array.from({ length: 1001 }, () => frame));
    expectMalformed(() => output('zstd', many), 'zstd', 1000 * frame.length);
  });
});

describe('nothing is passed over in silence', () => {
  test.each(codecs)('%s: a cut at any byte', (codec) => {
    const whole = compressed(codec, lz4Text().subarray(0, 4000));
    for (let to = 0; to < whole.length; to += 1)
      expect(
        errorOf(() => output(codec, whole.subarray(0, to))),
        `cut at ${to}`,
      ).not.toBeNull();
  });

  test.each(codecs)('%s: bytes behind the end', (codec) => {
    const whole = compressed(codec, lz4Text().subarray(0, 4000));
    for (const behind of [Buffer.alloc(1), Buffer.alloc(20), Buffer.from('behind it all')])
      expect(
        errorOf(() => output(codec, Buffer.concat([whole, behind]))),
        `${behind}`,
      ).not.toBeNull();
  });

  test.each(lz4Frames)('lz4 with $name: every flipped bit is noticed, or changes nothing', ({ name, bytes }) => {
    const text = lz4Text();
    // What has no checksum of its content cannot tell; batches have one of their own.
    const isChecked = name !== 'no content checksum';
    for (let bit = 0; bit < 8 * bytes.length; bit += bit < 160 ? 1 : 501) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const error = errorOf(() => {
        const found = output('lz4', damaged);
        if (isChecked) expect(found.equals(text), `bit ${bit}`).toBe(true);
      });
      if (isChecked && bit < 48) expect(error, `bit ${bit} of the header`).not.toBeNull();
    }
  });
});

describe('a claimed size is not believed', () => {
  test('raw snappy that says more than its bytes can hold, with no room made for it', () => {
    const before = process.memoryUsage().arrayBuffers;
    const claims = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04, 0, 1]);
    expectMalformed(() => output('snappy', claims, 2 ** 31), 'length of snappy output', 0);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
    expectMalformed(
      () => output('snappy', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x01])),
      'length of snappy output',
      0,
    );
    expectMalformed(() => output('snappy', Buffer.alloc(0)), 'length of snappy output', 0);
  });

  test.each([
    ['an element more than it says', [1, 0, 0x61, 0, 0x62], 'snappy element', 3],
    ['an element less', [2, 0, 0x61], 'snappy', 3],
    ['a literal beyond the end', [9, 4 << 2, 0x61], 'snappy literal', 1],
    ['a literal whose length is cut', [9, 60 << 2], 'snappy element', 1],
    ['a repetition of what is not there', [9, 0, 0x61, 0x01, 2], 'snappy distance', 3],
    ['a repetition from where it stands', [9, 0, 0x61, 0x01, 0], 'snappy distance', 3],
    ['a repetition whose distance is cut', [9, 0, 0x61, 0x02, 1], 'snappy element', 3],
    ['one of four bytes that is cut', [9, 0, 0x61, 0x03, 1, 0, 0], 'snappy element', 3],
    ['a repetition beyond what it says', [4, 0, 0x61, 0x01, 1], 'snappy element', 3],
  ])('raw snappy with %s', (_, bytes, what, at) => {
    expectMalformed(() => output('snappy', Uint8Array.from(bytes)), what, at);
  });

  test('raw snappy with every kind of element', () => {
    const far = [0, 0x61, 0x01, 1, (4 << 2) | 2, 2, 0, (2 << 2) | 3, 3, 0, 0, 0];
    const near = ((3 - 1) << 2) | 0;
    const literals = [60 << 2, 1, 0x62, 0x63, 61 << 2, 0, 0, 0x64, 62 << 2, 0, 0, 0, 0x65, 63 << 2, 0, 0, 0, 0, 0x66];
    const elements = [...far, near, 0x78, 0x79, 0x7a, ((5 - 4) << 2) | 1, 3, ...literals];
    expect(output('snappy', Uint8Array.from([26, ...elements])).toString()).toBe(`${'a'.repeat(13)}xyzxyzxybcdef`);
  });

  test('framed snappy whose block is longer than there are bytes, empty, or cut', () => {
    const framed = Buffer.from(snappyFramed(Buffer.from('abc'), (block) => snappyCompress(Buffer.from(block))));
    expect(output('snappy', framed).toString()).toBe('abc');
    for (const length of [0, -1, 2 ** 31 - 1, framed.length - 19]) {
      const damaged = Buffer.from(framed);
      damaged.writeInt32BE(length, 16);
      expectMalformed(() => output('snappy', damaged), 'length of a snappy block', 16);
    }
    expectMalformed(() => output('snappy', framed.subarray(0, 18)), 'length of a snappy block', 16);
    const two = Buffer.concat([framed, framed.subarray(16)]);
    expect(output('snappy', two).toString()).toBe('abcabc');
    expectMalformed(() => output('snappy', two, 5), 'length of snappy output');
  });

  const header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
  const frame = (...block: number[]) => Uint8Array.from([...header, block.length, 0, 0, 0, ...block, 0, 0, 0, 0]);
  test('lz4 by hand: literals, a repetition that overlaps itself, long lengths', () => {
    expect(output('lz4', frame(0x10, 0x61)).toString()).toBe('a');
    expect(output('lz4', frame(0x22, 0x61, 0x62, 2, 0, 0x10, 0x63)).toString()).toBe('ababababc');
    expect(output('lz4', frame(0x1f, 0x61, 1, 0, 255, 3, 0x00)).toString()).toBe('a'.repeat(1 + 19 + 258));
  });

  test.each([
    ['a distance of nothing', frame(0x10, 0x61, 0, 0, 0x00), 'lz4 distance', 13],
    ['a distance to before the beginning', frame(0x10, 0x61, 2, 0, 0x00), 'lz4 distance', 13],
    ['a distance that is cut', frame(0x10, 0x61, 1), 'lz4 distance', 13],
    ['literals beyond the block', frame(0x20, 0x61), 'lz4 literals', 12],
    ['literals whose length is cut', frame(0xf0, 255), 'lz4 literals', 13],
    ['a repetition at its end', frame(0x10, 0x61, 1, 0), 'lz4 block', 15],
    ['no bytes behind the magic', Uint8Array.from(header.slice(0, 6)), 'header of an lz4 frame', 0],
    ['no magic', Uint8Array.from([1, 2, 3, 4, 5, 6, 7]), 'magic of an lz4 frame', 0],
    ['a dictionary', Uint8Array.from(header.with(4, 0x61)), 'flags of an lz4 frame', 4],
    ['another version', Uint8Array.from(header.with(4, 0xa0)), 'flags of an lz4 frame', 4],
    ['a block size that there is not', Uint8Array.from(header.with(5, 0x30)), 'block size of an lz4 frame', 5],
    ['a wrong checksum of its header', Uint8Array.from(header.with(6, 0)), 'header checksum of an lz4 frame', 6],
    ['a block beyond its end', Uint8Array.from([...header, 9, 0, 0, 0, 0]), 'length of an lz4 block', 7],
    ['a block that is longer than blocks are', bigBlock(header), 'length of an lz4 block', 7],
  ])('lz4 with %s', (_, bytes, what, at) => {
    expectMalformed(() => output('lz4', bytes), what, at);
  });

  test('lz4: a block that is independent does not repeat what stands in another one', () => {
    const linked = Uint8Array.from([...header, 2, 0, 0, 0, 0x10, 0x61, 5, 0, 0, 0, 0x00, 1, 0, 0x10, 0x62, 0, 0, 0, 0]);
    expectMalformed(() => output('lz4', linked), 'lz4 distance', 18);
    linked[4] = 0x40;
    linked[6] = (xxh32(linked, 4, 6) >>> 8) & 0xff;
    expect(output('lz4', linked).toString()).toBe('aaaaab');
  });

  test('lz4: a block gives no more than a block of its frame may have', () => {
    const block = [0x1f, 0x61, 1, 0, ...Array.from({ length: 257 }, () => 255), 0, 0x00];
    const bytes = [...header, block.length & 0xff, block.length >> 8, 0, 0, ...block, 0, 0, 0, 0];
    expect(1 + 19 + 257 * 255).toBeGreaterThan(65_536 - 1);
    expectMalformed(() => output('lz4', Uint8Array.from(bytes)), 'lz4 output', 11 + 4 + 258);
  });
});

test('xxh32 gives what its authors say', () => {
  const of = (text: string) => xxh32(Buffer.from(text), 0, text.length);
  expect(of('')).toBe(0x02cc5d05);
  expect(of('a')).toBe(0x550d7456);
  expect(of('abc')).toBe(0x32d153ff);
  expect(of('Nobody inspects the spammish repetition')).toBe(0xe2293b2f);
});

test('a frame of lz4 that says how long it is and is not, is told', () => {
  const sized = lz4Frames.find(({ name }) => name === 'content size');
  const bytes = Buffer.from(sized?.bytes ?? []);
  bytes[6] = (bytes[6] ?? 0) ^ 1;
  bytes[14] = (xxh32(bytes, 4, 14) >>> 8) & 0xff;
  expectMalformed(() => output('lz4', bytes), 'content size of an lz4 frame', 6);
});

test('checksums of blocks and of the content of lz4 are looked at', () => {
  const checked = lz4Frames.find(({ name }) => name === 'linked with block checksums');
  const bytes = Buffer.from(checked?.bytes ?? []);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  expectMalformed(() => output('lz4', bytes), 'checksum of an lz4 block');
  const last = Buffer.from(checked?.bytes ?? []);
  last[last.length - 1] = (last.at(-1) ?? 0) ^ 1;
  expectMalformed(() => output('lz4', last), 'checksum of lz4 content', last.length - 4);
  expect(lz4Compress(lz4Text()).length).toBeLessThan(10_000);
});

function bigBlock(header: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(70_000);
  bytes.set([...header, 0x01, 0x00, 0x01, 0x80]);
  return bytes;
}
