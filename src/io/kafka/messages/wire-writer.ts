import { type ByteRange, lengthOf, viewOf } from './byte-range.ts';

/**
 * Writes Kafka's primitive types into a list of chunks for one `writev`. Large ranges become chunks themselves, uncopied; a
 * chunk that is full is closed and never moved, so a reserved place stays valid.
 */
export class WireWriter {
  readonly #chunks: Uint8Array[] = [];
  #buffer: Uint8Array;
  /** Where the open chunk begins in the buffer, and where it is written on. */
  #start = 0;
  #at = 0;
  #closedLength = 0;

  constructor(bytesExpected = 512) {
    this.#buffer = new Uint8Array(bytesExpected);
  }

  get length(): number {
    return this.#closedLength + this.#at - this.#start;
  }

  int8(value: number): void {
    this.#put(this.#room(1), within(value, -0x80, 0x7f));
  }

  int16(value: number): void {
    const at = this.#room(2);
    within(value, -0x8000, 0x7fff);
    this.#put(at, value >> 8);
    this.#put(at + 1, value);
  }

  int32(value: number): void {
    const at = this.#room(4);
    putInt32(this.#buffer, at, within(value, -0x8000_0000, 0x7fff_ffff));
  }

  int64(value: number): void {
    within(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const at = this.#room(8);
    const high = Math.floor(value / 0x1_0000_0000);
    putInt32(this.#buffer, at, high);
    putInt32(this.#buffer, at + 4, value - high * 0x1_0000_0000);
  }

  bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} has more than 64 bits`);
    const at = this.#room(8);
    putInt32(this.#buffer, at, Number(value >> 32n));
    putInt32(this.#buffer, at + 4, Number(value & 0xffff_ffffn));
  }

  int64OrNull(value: number | null): void {
    this.int64(value ?? -1);
  }

  int32OrNull(value: number | null): void {
    this.int32(value ?? -1);
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  uvarint(value: number): void {
    let rest = within(value, 0, 0xffff_ffff);
    while (rest > 0x7f) {
      this.#put(this.#room(1), (rest & 0x7f) | 0x80);
      rest = rest >>> 7;
    }
    this.#put(this.#room(1), rest);
  }

  uuidOrNull(id: string | null): void {
    const bytes = id === null ? zeroId : Buffer.from(id, 'base64url');
    if (bytes.length !== 16) throw new RangeError(`${id} is not a Kafka id: 22 characters of base64url`);
    this.#copy(bytes);
  }

  string(text: string, flexible: boolean): void {
    const bytes = Buffer.from(text, 'utf8');
    if (flexible) this.uvarint(bytes.length + 1);
    else this.int16(bytes.length);
    this.#copy(bytes);
  }

  stringOrNull(text: string | null, flexible: boolean): void {
    if (text !== null) this.string(text, flexible);
    else if (flexible) this.uvarint(0);
    else this.int16(-1);
  }

  /** What is in the range must not change before the chunks are written. */
  range(range: ByteRange, flexible: boolean): void {
    const length = lengthOf(range);
    if (flexible) this.uvarint(length + 1);
    else this.int32(length);
    this.raw(viewOf(range));
  }

  rangeOrNull(range: ByteRange | null, flexible: boolean): void {
    if (range !== null) this.range(range, flexible);
    else if (flexible) this.uvarint(0);
    else this.int32(-1);
  }

  array<T>(elements: readonly T[], flexible: boolean, write: (element: T) => void): void {
    if (flexible) this.uvarint(elements.length + 1);
    else this.int32(elements.length);
    for (const element of elements) write(element);
  }

  arrayOrNull<T>(elements: readonly T[] | null, flexible: boolean, write: (element: T) => void): void {
    if (elements !== null) this.array(elements, flexible, write);
    else if (flexible) this.uvarint(0);
    else this.int32(-1);
  }

  /** Tags in rising order; those whose writer is null are left out. */
  tagged(...fields: readonly (readonly [tag: number, write: ((content: WireWriter) => void) | null])[]): void {
    const present = fields.flatMap(([tag, write]) => (write === null ? [] : [{ tag, write }]));
    this.uvarint(present.length);
    for (const { tag, write } of present) {
      const content = new WireWriter(64);
      write(content);
      this.uvarint(tag);
      this.uvarint(content.length);
      for (const chunk of content.chunks()) this.raw(chunk);
    }
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length < uncopiedFromBytes) {
      this.#copy(bytes);
      return;
    }
    this.#close();
    this.#chunks.push(bytes);
    this.#closedLength += bytes.length;
  }

  /** A place of four bytes that is filled later, when a length is known. */
  reserveInt32(): (value: number) => void {
    const at = this.#room(4);
    const buffer = this.#buffer;
    return (value) => putInt32(buffer, at, within(value, -0x8000_0000, 0x7fff_ffff));
  }

  /** All that was written, in order. */
  chunks(): readonly Uint8Array[] {
    this.#close();
    return this.#chunks;
  }

  /** The same in one piece, copied. */
  joined(): Uint8Array {
    return Buffer.concat(this.chunks(), this.length);
  }

  #room(length: number): number {
    if (this.#at + length > this.#buffer.length) {
      this.#close();
      this.#buffer = new Uint8Array(Math.max(length, this.#buffer.length * 2, 64));
      this.#start = 0;
      this.#at = 0;
    }
    const at = this.#at;
    this.#at = at + length;
    return at;
  }

  #put(at: number, value: number): void {
    this.#buffer[at] = value;
  }

  #copy(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
  }

  #close(): void {
    if (this.#at === this.#start) return;
    this.#chunks.push(this.#buffer.subarray(this.#start, this.#at));
    this.#closedLength += this.#at - this.#start;
    this.#start = this.#at;
  }
}

/** Below this a copy costs less than one more buffer in `writev`. */
const uncopiedFromBytes = 4096;
const zeroId = new Uint8Array(16);

function putInt32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value >> 24;
  buffer[at + 1] = value >> 16;
  buffer[at + 2] = value >> 8;
  buffer[at + 3] = value;
}

function within(value: number, least: number, most: number): number {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new RangeError(`${value} is not a whole number from ${least} to ${most}`);
  return value;
}
