import { copyBack, copyLiterals } from './back-references.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { int32At } from './integers.ts';
import { MalformedBytes } from './malformed.ts';

/*
 * Snappy as Kafka has it: the framing of snappy-java (Kafka's own clients: a header, then { length int32, raw snappy } …), or
 * raw snappy without any (librdkafka and others).
 *
 *     raw = length of the output as a varint, elements
 *     element = tag; low two bits: 0 literal, 1, 2, 4 bytes of tag and distance for a repetition
 */

export function snappyDecompressed(bytes: Uint8Array, from: number, to: number, outputBytesMax: number): Uint8Array {
  const output = new GrowingBytes(Math.min(outputBytesMax, 4 * (to - from)));
  if (!isFramed(bytes, from, to)) {
    appendRaw(output, bytes, from, to, outputBytesMax);
    return output.written();
  }
  let at = from + framedHeader.length;
  // Where it is cut between two blocks, only the records' count tells; a header alone is what no writer leaves.
  while (at < to || output.length === 0) {
    if (to - at < 4) throw new MalformedBytes('length of a snappy block', at, '4 bytes', to - at);
    const length = int32At(bytes, at);
    if (length < 1 || length > to - at - 4)
      throw new MalformedBytes('length of a snappy block', at, `1 to ${to - at - 4}`, length);
    appendRaw(output, bytes, at + 4, at + 4 + length, outputBytesMax);
    at += 4 + length;
  }
  return output.written();
}

/** Raw blocks in the framing, as Kafka's own clients write them; `compressBlock` makes one. */
export function snappyFramed(bytes: Uint8Array, compressBlock: (block: Uint8Array) => Uint8Array): Uint8Array {
  const output = new GrowingBytes(bytes.length);
  output.append(framedHeader);
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = compressBlock(bytes.subarray(at, at + blockBytes));
    output.append(Uint8Array.of(block.length >> 24, block.length >> 16, block.length >> 8, block.length));
    output.append(block);
  }
  return output.written();
}

/** Magic, version 1, readable since version 1. */
const framedHeader = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const blockBytes = 32 * 1024;

/** By the magic, of which raw snappy is none: it would be an output of 10,626 bytes whose first element has a distance to nowhere. */
function isFramed(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < framedHeader.length) return false;
  return framedHeader.subarray(0, 8).every((byte, at) => bytes[from + at] === byte);
}

/** No element makes more than 64 bytes of three. */
const expansionMax = 22;

function appendRaw(output: GrowingBytes, bytes: Uint8Array, from: number, to: number, outputBytesMax: number): void {
  const { value: claimed, at } = claimedLength(bytes, from, to);
  if (claimed > outputBytesMax - output.length)
    throw new MalformedBytes('length of snappy output', from, `at most ${outputBytesMax} bytes in all`, claimed);
  if (claimed > expansionMax * (to - at))
    throw new MalformedBytes('length of snappy output', from, `what ${to - at} bytes can hold`, claimed);
  output.reserve(claimed);
  const end = appendElements(output.bytes, output.length, output.length + claimed, bytes, at, to);
  if (end !== output.length + claimed)
    throw new MalformedBytes('snappy', to, `${claimed} bytes of output`, end - output.length);
  output.length = end;
}

function claimedLength(bytes: Uint8Array, from: number, to: number): { value: number; at: number } {
  let value = 0;
  for (let at = from; at < to && at < from + 5; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - from));
    if (byte < 0x80) return { value, at: at + 1 };
  }
  throw new MalformedBytes('length of snappy output', from, 'a varint of 32 bits', 'none');
}

/** Where the output ends. */
function appendElements(
  output: Uint8Array,
  outputFrom: number,
  outputTo: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let at = from;
  let written = outputFrom;
  while (at < to) {
    const tag = bytes[at] ?? 0;
    const kind = tag & 3;
    let count = (tag >> 2) + 1;
    // The bytes that follow the tag and say how long a literal is, or how far back a repetition begins.
    const extra = kind === 0 ? Math.max(count - 60, 0) : kind === 3 ? 4 : kind;
    if (extra > to - at - 1)
      throw new MalformedBytes('snappy element', at, `${extra} bytes after its tag`, to - at - 1);
    let number = 0;
    for (let byte = extra; byte > 0; byte -= 1) number = number * 256 + (bytes[at + byte] ?? 0);
    const start = at;
    at += 1 + extra;
    if (kind === 0) {
      if (extra > 0) count = number + 1;
      if (count > to - at) throw new MalformedBytes('snappy literal', start, `at most ${to - at} bytes`, count);
    } else if (kind === 1) {
      count = 4 + ((tag >> 2) & 7);
      number += (tag >> 5) << 8;
    }
    if (count > outputTo - written)
      throw new MalformedBytes('snappy element', start, `at most ${outputTo - written} bytes more`, count);
    if (kind === 0) {
      copyLiterals(output, written, bytes, at, count);
      at += count;
    } else {
      if (number === 0 || number > written - outputFrom)
        throw new MalformedBytes('snappy distance', start, `1 to ${written - outputFrom}`, number);
      copyBack(output, written, number, count);
    }
    written += count;
  }
  return written;
}
