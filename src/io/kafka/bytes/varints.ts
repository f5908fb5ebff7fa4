import type { GrowingBytes } from './growing-bytes.ts';
import { MalformedBytes } from './malformed.ts';

/*
 * Integers of Kafka's records: zigzag (0, -1, 1, -2 … as 0, 1, 2, 3 …), then seven bits a byte, the lowest first, with the high bit on all
 * but the last.
 */

/** Reads varints from a position on, and never past `to`. */
export class VarintReader {
  readonly bytes: Uint8Array;
  at: number;
  to: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes;
    this.at = from;
    this.to = to;
  }

  /** 32 bits, in at most five bytes. */
  int32(what: string): number {
    const first = this.bytes[this.at] ?? 0;
    if (first < 0x80 && this.at < this.to) {
      this.at += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const start = this.at;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte(what, start);
      if (shift === 28 && byte > 0x0f) throw new MalformedBytes(what, start, 'a varint of 32 bits', 'a longer one');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
  }

  /** 64 bits that have to be a safe integer. Below 2^53 a double is exact, so the zigzag is undone on the halved value. */
  int64(what: string): number {
    const start = this.at;
    let half = 0;
    let odd = false;
    for (let place = 0; ; place += 1) {
      const byte = this.#byte(what, start);
      const bits = byte & 0x7f;
      if (place === 0) {
        odd = (bits & 1) === 1;
        half = bits >> 1;
      } else half += bits * 2 ** (7 * place - 1);
      if (byte < 0x80) break;
      if (place === 9) throw new MalformedBytes(what, start, 'a varint of 64 bits', 'a longer one');
    }
    const value = odd ? -half - 1 : half;
    if (!Number.isSafeInteger(value))
      throw new MalformedBytes(what, start, 'an integer between -(2^53 - 1) and 2^53 - 1', 'one beyond');
    return value;
  }

  /** Steps over `count` bytes and tells where they began. */
  skip(count: number, what: string): number {
    const from = this.at;
    if (count > this.to - from)
      throw new MalformedBytes(what, from, `at most the ${this.to - from} bytes that are left`, count);
    this.at = from + count;
    return from;
  }

  #byte(what: string, start: number): number {
    if (this.at >= this.to) throw new MalformedBytes(what, start, 'a whole varint', 'the end of the bytes');
    const byte = this.bytes[this.at] ?? 0;
    this.at += 1;
    return byte;
  }
}

/** Bytes that the varint of a safe integer takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = Math.floor(half(value) / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** The varint of a safe integer. */
export function appendVarint(sink: GrowingBytes, value: number): void {
  sink.reserve(10);
  const { bytes } = sink;
  let rest = half(value);
  // The first byte has the sign and six bits.
  let byte = (rest % 0x40) * 2 + (value < 0 ? 1 : 0);
  for (rest = Math.floor(rest / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) {
    bytes[sink.length] = byte | 0x80;
    sink.length += 1;
    byte = rest % 0x80;
  }
  bytes[sink.length] = byte;
  sink.length += 1;
}

/** The zigzag without its lowest bit, which is the sign: unlike the whole of it, exact for every safe integer. */
function half(value: number): number {
  return value < 0 ? -value - 1 : value;
}
