import { FrameBuffers } from './frame-buffers.ts';

/**
 * Puts frames together as they come from a socket: length INT32, then that many bytes. Each frame gets one buffer of its own
 * size. What is missing of a large one is read by the socket right into that buffer; only what arrives beside other things goes
 * through the landing place and is copied.
 */
export class IncomingFrames {
  readonly #frameBytesMax: number;
  readonly #buffers = new FrameBuffers(freeBytesMax);
  readonly #landing = Buffer.allocUnsafeSlow(landingBytes);
  /** Bytes of an unfinished length at the beginning of the landing place: 0 to 3. */
  #held = 0;
  #frame: Buffer | null = null;
  #filled = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Where the socket has to put what comes next. Asked for anew after each `received`. */
  target(): Uint8Array {
    return this.#readsInPlace() && this.#frame !== null
      ? this.#frame.subarray(this.#filled)
      : this.#landing.subarray(this.#held);
  }

  /** `count` bytes are in the target. Returns the frames that are whole now; throws a FrameRefused. */
  received(count: number): Uint8Array[] {
    if (this.#readsInPlace() && this.#frame !== null) return this.#filledBy(count);
    const frames: Uint8Array[] = [];
    const end = this.#held + count;
    let at = 0;
    while (at < end) {
      if (this.#frame === null) {
        if (end - at < 4) break;
        this.#begin(this.#landing.readInt32BE(at));
        at += 4;
      }
      const copied = Math.min(end - at, this.#missing());
      this.#frame?.set(this.#landing.subarray(at, at + copied), this.#filled);
      at += copied;
      frames.push(...this.#filledBy(copied));
    }
    this.#landing.copyWithin(0, at, end);
    this.#held = end - at;
    return frames;
  }

  /** Nobody reads the frame any more: its memory is for the next one. */
  giveBack(frame: Uint8Array): void {
    this.#buffers.giveBack(frame);
  }

  /** In the middle of a frame: an end here loses something. */
  get unfinished(): boolean {
    return this.#frame !== null || this.#held > 0;
  }

  #readsInPlace(): boolean {
    return this.#missing() >= landingBytes;
  }

  #missing(): number {
    return this.#frame === null ? 0 : this.#frame.length - this.#filled;
  }

  #begin(length: number): void {
    if (length < correlationIdBytes || length > this.#frameBytesMax)
      throw new FrameRefused(length, this.#frameBytesMax);
    this.#frame = this.#bufferOf(length);
    this.#filled = 0;
  }

  #bufferOf(length: number): Buffer {
    if (length < pooledBelowBytes) return Buffer.allocUnsafe(length);
    return length < landingBytes ? Buffer.allocUnsafeSlow(length) : this.#buffers.take(length);
  }

  #filledBy(count: number): Uint8Array[] {
    this.#filled += count;
    const frame = this.#frame;
    if (frame === null || this.#filled < frame.length) return [];
    this.#frame = null;
    return [frame];
  }
}

/** A length that no honest frame has. */
export class FrameRefused extends Error {
  constructor(length: number, max: number) {
    const speaksTls = (length & 0xffff_ff00) >>> 8 === 0x15_03_03 || (length & 0xffff_ff00) >>> 8 === 0x15_03_01;
    super(
      speaksTls
        ? 'the first bytes are those of TLS: this listener wants security.protocol SSL or SASL_SSL'
        : `a frame of ${length} bytes was announced, where ${correlationIdBytes} to ${max} are possible`,
    );
    this.name = 'FrameRefused';
  }
}

const landingBytes = 65_536;
const correlationIdBytes = 4;
const pooledBelowBytes = 4096;
/** What is in use is counted by those who use it. */
const freeBytesMax = 64 * 1024 * 1024;
