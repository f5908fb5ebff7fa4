import { MalformedBytes } from './malformed.ts';

/*
 * Integers of fixed width, most significant byte first, as Kafka writes them. Whoever reads has checked that the bytes are there: past the
 * end of a buffer stands zero. Written by hand because a DataView would be an object for every buffer, and Buffer's methods need a Buffer.
 */

const twoTo32 = 4_294_967_296;

export function uint8At(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

export function int16At(bytes: Uint8Array, at: number): number {
  return ((uint8At(bytes, at) << 24) >> 16) | uint8At(bytes, at + 1);
}

export function int32At(bytes: Uint8Array, at: number): number {
  return (
    (uint8At(bytes, at) << 24) | (uint8At(bytes, at + 1) << 16) | (uint8At(bytes, at + 2) << 8) | uint8At(bytes, at + 3)
  );
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at) >>> 0;
}

export function uint32LittleAt(bytes: Uint8Array, at: number): number {
  return (
    (uint8At(bytes, at) |
      (uint8At(bytes, at + 1) << 8) |
      (uint8At(bytes, at + 2) << 16) |
      (uint8At(bytes, at + 3) << 24)) >>>
    0
  );
}

/** An int64 that has to be a safe integer; `what` is the field's name in the error. */
export function int64At(bytes: Uint8Array, at: number, what: string): number {
  const value = int32At(bytes, at) * twoTo32 + uint32At(bytes, at + 4);
  if (!Number.isSafeInteger(value))
    throw new MalformedBytes(what, at, 'an integer between -(2^53 - 1) and 2^53 - 1', bigint64At(bytes, at));
  return value;
}

export function bigint64At(bytes: Uint8Array, at: number): bigint {
  return (BigInt(int32At(bytes, at)) << 32n) | BigInt(uint32At(bytes, at + 4));
}

export function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

export function writeBigint64(bytes: Uint8Array, at: number, value: bigint): void {
  writeInt32(bytes, at, Number(BigInt.asIntN(32, value >> 32n)));
  writeInt32(bytes, at + 4, Number(BigInt.asIntN(32, value)));
}
