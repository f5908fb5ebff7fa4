import { MalformedBytes } from '../bytes/malformed.ts';
import type { ByteRange } from './byte-range.ts';

/**
 * Reads Kafka's primitive types between two positions of a buffer that a stranger filled. No length is believed: it is
 * compared with what is left before anything is read or allocated, and what does not fit is a MalformedBytes that names the
 * field. Numbers of 64 bits are refused beyond ±2^53, so that no offset is rounded.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  #at: number;
  readonly #to: number;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    if (!(from >= 0 && from <= to && to <= bytes.length))
      throw new RangeError(`bytes ${from} to ${to} of a buffer of ${bytes.length}`);
    this.bytes = bytes;
    this.#at = from;
    this.#to = to;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#to - this.#at;
  }

  /** The message has been read: what follows it would be a field that nobody understood. */
  end(what: string): void {
    if (this.left > 0) throw new MalformedBytes(what, this.#at, 'its end', `${this.left} more bytes`);
  }

  int8(what: string): number {
    return (this.#byte(this.#take(1, what)) << 24) >> 24;
  }

  int16(what: string): number {
    const at = this.#take(2, what);
    return ((this.#byte(at) << 24) >> 16) | this.#byte(at + 1);
  }

  int32(what: string): number {
    return this.#int32(this.#take(4, what));
  }

  /** As a number: beyond ±2^53 it is refused. */
  int64(what: string): number {
    const at = this.#take(8, what);
    const high = this.#int32(at);
    const value = high * 0x1_0000_0000 + (this.#int32(at + 4) >>> 0);
    if (high < -0x20_0000 || high > 0x1f_ffff || value === -0x20_0000_0000_0000)
      throw new MalformedBytes(what, at, 'a number within ±2^53', `${this.#bigint(at)}`);
    return value;
  }

  /** For ids, which use all 64 bits. */
  bigint(what: string): bigint {
    return this.#bigint(this.#take(8, what));
  }

  /** −1 stands for "not known"; below that there is nothing. */
  int64OrNull(what: string): number | null {
    return this.#notNegative(what, this.#at, this.int64(what));
  }

  int32OrNull(what: string): number | null {
    return this.#notNegative(what, this.#at, this.int32(what));
  }

  int16OrNull(what: string): number | null {
    return this.#notNegative(what, this.#at, this.int16(what));
  }

  boolean(what: string): boolean {
    const at = this.#take(1, what);
    const value = this.#byte(at);
    if (value > 1) throw new MalformedBytes(what, at, '0 or 1', `${value}`);
    return value === 1;
  }

  /** At most 32 bits, in as few bytes as there must be, so that a message has one form. */
  uvarint(what: string): number {
    const start = this.#at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte(this.#take(1, what));
      if (shift === 28 && byte > 0x0f) break;
      if (byte === 0 && shift > 0) throw new MalformedBytes(what, start, 'no superfluous byte', 'a final byte 0');
      value = (value | ((byte & 0x7f) << shift)) >>> 0;
      if (byte < 0x80) return value;
    }
    throw new MalformedBytes(what, start, 'a variable-length number of 32 bits', 'a longer one');
  }

  /** Kafka's own form of it (base64url); null: zero, which stands for none. */
  uuidOrNull(what: string): string | null {
    const at = this.#take(16, what);
    const id = this.bytes.subarray(at, at + 16);
    return id.every((byte) => byte === 0)
      ? null
      : Buffer.from(id.buffer, id.byteOffset, id.length).toString('base64url');
  }

  string(what: string, flexible: boolean): string {
    return this.#present(what, this.stringOrNull(what, flexible));
  }

  stringOrNull(what: string, flexible: boolean): string | null {
    const start = this.#at;
    const length = flexible ? this.uvarint(what) - 1 : this.int16(what);
    if (length < 0) return this.#absent(what, start, length);
    const at = this.#take(length, what);
    return this.#text(what, at, at + length);
  }

  range(what: string, flexible: boolean): ByteRange {
    return this.#present(what, this.rangeOrNull(what, flexible));
  }

  rangeOrNull(what: string, flexible: boolean): ByteRange | null {
    const start = this.#at;
    const length = flexible ? this.uvarint(what) - 1 : this.int32(what);
    if (length < 0) return this.#absent(what, start, length);
    const from = this.#take(length, what);
    return { bytes: this.bytes, from, to: from + length };
  }

  array<T>(what: string, flexible: boolean, element: () => T): T[] {
    return this.#present(what, this.arrayOrNull(what, flexible, element));
  }

  arrayOrNull<T>(what: string, flexible: boolean, element: () => T): T[] | null {
    const start = this.#at;
    const count = flexible ? this.uvarint(what) - 1 : this.int32(what);
    if (count < 0) return this.#absent(what, start, count);
    // Every element has at least one byte; the array grows with what was really read.
    if (count > this.left)
      throw new MalformedBytes(what, start, `a count of at most ${this.left}, the bytes left`, `${count}`);
    const elements: T[] = [];
    for (let index = 0; index < count; index++) elements.push(element());
    return elements;
  }

  /** The fields that a version may carry without a place of their own. Those that are not in `known` are passed over. */
  tagged(what: string, known: Readonly<Record<number, (content: WireReader) => void>> = {}): void {
    const count = this.uvarint(what);
    let before = -1;
    for (let index = 0; index < count; index++) {
      const start = this.#at;
      const tag = this.uvarint(what);
      if (tag <= before) throw new MalformedBytes(what, start, `a tag above ${before}`, `${tag}`);
      before = tag;
      const length = this.uvarint(what);
      const from = this.#take(length, what);
      const read = Object.hasOwn(known, tag) ? known[tag] : undefined;
      if (read === undefined) continue;
      const content = new WireReader(this.bytes, from, from + length);
      read(content);
      content.end(`${what}, tag ${tag}`);
    }
  }

  /** Position of the next `length` bytes, which are there. */
  #take(length: number, what: string): number {
    const at = this.#at;
    if (length > this.#to - at) throw new MalformedBytes(what, at, `${length} bytes`, `the end after ${this.#to - at}`);
    this.#at = at + length;
    return at;
  }

  #byte(at: number): number {
    return this.bytes[at] ?? 0;
  }

  #int32(at: number): number {
    return (this.#byte(at) << 24) | (this.#byte(at + 1) << 16) | (this.#byte(at + 2) << 8) | this.#byte(at + 3);
  }

  #bigint(at: number): bigint {
    return (BigInt(this.#int32(at)) << 32n) | BigInt(this.#int32(at + 4) >>> 0);
  }

  #notNegative(what: string, at: number, value: number): number | null {
    if (value < -1) throw new MalformedBytes(what, at, '−1 or more', `${value}`);
    return value === -1 ? null : value;
  }

  #absent(what: string, at: number, length: number): null {
    if (length < -1) throw new MalformedBytes(what, at, 'a length of −1 or more', `${length}`);
    return null;
  }

  #present<T>(what: string, value: T | null): T {
    if (value === null) throw new MalformedBytes(what, this.#at, 'a value', 'null');
    return value;
  }

  #text(what: string, from: number, to: number): string {
    const shortest = to - from;
    if (shortest <= asciiLengthMax) {
      let text = '';
      for (let at = from; at < to; at++) {
        const byte = this.#byte(at);
        if (byte > 0x7f) return this.#utf8(what, from, to);
        text += asciiCharacters[byte];
      }
      return text;
    }
    return this.#utf8(what, from, to);
  }

  #utf8(what: string, from: number, to: number): string {
    try {
      return strictUtf8.decode(this.bytes.subarray(from, to));
    } catch {
      throw new MalformedBytes(what, from, 'text in UTF-8', 'other bytes');
    }
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Names of topics are short and plain, and there are many of them. */
const asciiLengthMax = 32;
const asciiCharacters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
