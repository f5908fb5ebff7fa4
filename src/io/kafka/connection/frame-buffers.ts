/**
 * Buffers of large frames, used again once nobody reads them any more: new memory has to be found, zeroed and collected, which costs more
 * than all that is done with what is in it. What is never given back is garbage like any other.
 */
export class FrameBuffers {
  readonly #freeBytesMax: number;
  /** By the logarithm of their length. */
  readonly #free = new Map<number, ArrayBuffer[]>();
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #freeBytes = 0;

  constructor(freeBytesMax: number) {
    this.#freeBytesMax = freeBytesMax;
  }

  /** What is in it is of whoever had it before. */
  take(length: number): Buffer {
    const order = Math.ceil(Math.log2(length));
    const known = this.#free.get(order)?.pop();
    if (known !== undefined) this.#freeBytes -= known.byteLength;
    // Of memory that is not touched there is none: a length of twice as much costs nothing.
    const memory = known ?? Buffer.allocUnsafeSlow(2 ** order).buffer;
    this.#lent.add(memory);
    return Buffer.from(memory, 0, length);
  }

  /** Nobody may read it any more, nor have a socket write it. One that is not from here is left alone. */
  giveBack({ buffer }: Uint8Array): void {
    if (!this.#lent.delete(buffer) || !(buffer instanceof ArrayBuffer)) return;
    if (this.#freeBytes + buffer.byteLength > this.#freeBytesMax) return;
    const order = Math.log2(buffer.byteLength);
    this.#free.set(order, [...(this.#free.get(order) ?? []), buffer]);
    this.#freeBytes += buffer.byteLength;
  }
}
