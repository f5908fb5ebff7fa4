import { copyBack, copyLiterals } from './back-references.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { uint8At, uint32LittleAt } from './integers.ts';
import { MalformedBytes } from './malformed.ts';
import { xxh32 } from './xxh32.ts';

/*
 * One lz4 frame; integers have the lowest byte first:
 *
 *     frame = magic uint32, flags, block descriptor, [content size uint64], header checksum, block …, 0 uint32, [content checksum uint32]
 *     flags: 7–6 version 1, 5 blocks are independent, 4 blocks have checksums, 3 content size, 2 content checksum, 0 dictionary
 *     block = length uint32 (high bit: stored as it is), bytes, [checksum uint32]
 *     bytes = { token: high four bits literals, low four bits repetition - 4; 15: bytes follow that are added, up to one below 255 } …
 *
 * Kafka's clients made the header's checksum over the magic as well while messages were v0; it is left out there, as Kafka itself does.
 */

export type Lz4Header = 'checked' | 'of v0 messages';

export function lz4Decompressed(
  bytes: Uint8Array,
  from: number,
  to: number,
  outputBytesMax: number,
  header: Lz4Header,
): Uint8Array {
  const frame = frameHeader(bytes, from, to, header);
  const output = new GrowingBytes(Math.min(outputBytesMax, 4 * (to - from)));
  let at = frame.end;
  for (let length = 1; length !== 0; ) {
    length = numberAt(bytes, at, to, 'length of an lz4 block');
    at += 4;
    if (length === 0) break;
    at = appendBlock(output, bytes, at, to, length, frame, outputBytesMax);
  }
  if (frame.contentBytes !== null && frame.contentBytes !== output.length)
    throw new MalformedBytes(
      'content size of an lz4 frame',
      from + 6,
      `${output.length}, as there are`,
      frame.contentBytes,
    );
  if (frame.contentIsChecked) {
    const checksum = numberAt(bytes, at, to, 'checksum of lz4 content');
    const right = xxh32(output.bytes, 0, output.length);
    if (checksum !== right) throw new MalformedBytes('checksum of lz4 content', at, `${right}`, checksum);
    at += 4;
  }
  if (at !== to) throw new MalformedBytes('lz4 frame', at, 'the end', `${to - at} bytes more`);
  return output.written();
}

type Frame = {
  readonly blocksAreIndependent: boolean;
  readonly blocksAreChecked: boolean;
  readonly contentIsChecked: boolean;
  readonly contentBytes: number | null;
  readonly blockBytesMax: number;
  readonly end: number;
};

function frameHeader(bytes: Uint8Array, from: number, to: number, checked: Lz4Header): Frame {
  const magic = numberAt(bytes, from, to, 'magic of an lz4 frame');
  if (magic !== 0x184d2204)
    throw new MalformedBytes('magic of an lz4 frame', from, '0x184d2204', `0x${magic.toString(16)}`);
  const [flags, descriptor] = [uint8At(bytes, from + 4), uint8At(bytes, from + 5)];
  const hasSize = (flags & 0x08) !== 0;
  const end = from + (hasSize ? 15 : 7);
  if (end > to) throw new MalformedBytes('header of an lz4 frame', from, `${end - from} bytes`, to - from);
  // Version 1, nothing reserved, and no dictionary: nobody here would have it.
  if ((flags & 0xc3) !== 0x40)
    throw new MalformedBytes('flags of an lz4 frame', from + 4, 'version 1 without a dictionary', flags);
  const blockSize = descriptor >> 4;
  if (blockSize < 4 || (descriptor & 0x8f) !== 0)
    throw new MalformedBytes('block size of an lz4 frame', from + 5, '4 to 7 in its place', descriptor);
  const right = (xxh32(bytes, from + 4, end - 1) >>> 8) & 0xff;
  if (checked === 'checked' && uint8At(bytes, end - 1) !== right)
    throw new MalformedBytes('header checksum of an lz4 frame', end - 1, `${right}`, uint8At(bytes, end - 1));
  return {
    blocksAreIndependent: (flags & 0x20) !== 0,
    blocksAreChecked: (flags & 0x10) !== 0,
    contentIsChecked: (flags & 0x04) !== 0,
    contentBytes: hasSize ? uint32LittleAt(bytes, from + 6) + uint32LittleAt(bytes, from + 10) * 2 ** 32 : null,
    blockBytesMax: 2 ** (8 + 2 * blockSize),
    end,
  };
}

function numberAt(bytes: Uint8Array, at: number, to: number, what: string): number {
  if (to - at < 4) throw new MalformedBytes(what, at, '4 bytes', Math.max(to - at, 0));
  return uint32LittleAt(bytes, at);
}

/** Where the next block begins. */
function appendBlock(
  output: GrowingBytes,
  bytes: Uint8Array,
  from: number,
  to: number,
  length: number,
  frame: Frame,
  outputBytesMax: number,
): number {
  const blockBytes = length % 2 ** 31;
  const end = from + blockBytes;
  if (blockBytes > frame.blockBytesMax || end > to)
    throw new MalformedBytes(
      'length of an lz4 block',
      from - 4,
      `at most ${Math.min(frame.blockBytesMax, to - from)}`,
      blockBytes,
    );
  if (frame.blocksAreChecked) {
    const checksum = numberAt(bytes, end, to, 'checksum of an lz4 block');
    const right = xxh32(bytes, from, end);
    if (checksum !== right) throw new MalformedBytes('checksum of an lz4 block', end, `${right}`, checksum);
  }
  const isStored = length >= 2 ** 31;
  // A byte of a block says at most 255 bytes of output, so room is never made for what cannot come.
  const outputBytes = isStored ? blockBytes : Math.min(frame.blockBytesMax, 255 * blockBytes);
  const room = Math.min(outputBytes, outputBytesMax - output.length);
  output.reserve(room);
  const window = { from: frame.blocksAreIndependent ? output.length : 0, to: output.length + room };
  if (!isStored) output.length = appendSequences(output.bytes, output.length, window, bytes, from, end);
  else if (blockBytes > room) throw tooMuch(from, outputBytesMax - output.length);
  else output.append(bytes.subarray(from, end));
  return frame.blocksAreChecked ? end + 4 : end;
}

/** Where the output ends. `window.from` is the first byte that may be repeated, `window.to` the end of the room. */
function appendSequences(
  output: Uint8Array,
  outputFrom: number,
  window: { readonly from: number; readonly to: number },
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let at = from;
  let written = outputFrom;
  while (at < to) {
    const token = uint8At(bytes, at);
    at += 1;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      for (; more === 255 && at < to; at += 1) {
        more = uint8At(bytes, at);
        literals += more;
      }
    }
    if (literals > to - at) throw new MalformedBytes('lz4 literals', at, `at most ${to - at} bytes`, literals);
    if (literals > window.to - written) throw tooMuch(at, window.to - written);
    copyLiterals(output, written, bytes, at, literals);
    at += literals;
    written += literals;
    if (at === to) return written; // The last sequence has no repetition.

    if (to - at < 2) throw new MalformedBytes('lz4 distance', at, '2 bytes', to - at);
    const distance = uint8At(bytes, at) | (uint8At(bytes, at + 1) << 8);
    if (distance === 0 || distance > written - window.from)
      throw new MalformedBytes('lz4 distance', at, `1 to ${written - window.from}`, distance);
    at += 2;
    let count = (token & 15) + 4;
    if (count === 19) {
      let more = 255;
      for (; more === 255 && at < to; at += 1) {
        more = uint8At(bytes, at);
        count += more;
      }
    }
    if (count > window.to - written) throw tooMuch(at, window.to - written);
    copyBack(output, written, distance, count);
    written += count;
  }
  throw new MalformedBytes('lz4 block', to, 'literals at its end', 'none');
}

function tooMuch(at: number, bytesMax: number): MalformedBytes {
  return new MalformedBytes('lz4 output', at, `at most ${bytesMax} bytes more`, 'more');
}
