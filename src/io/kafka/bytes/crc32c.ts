/** CRC-32C (Castagnoli) of bytes[from, to), unsigned. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  return (crcRegister(-1, bytes, from, to) ^ -1) >>> 0;
}

/**
 * The bare register: `register` after bytes[from, to), without the inversions before and after. With 0 to begin with it is linear in the
 * bytes, which `crc-linear.ts` rests on. Eight bytes a step, by eight tables of 256.
 */
export function crcRegister(register: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = register;
  let at = from;
  for (const lastStep = to - 8; at <= lastStep; at += 8) {
    const low =
      crc ^
      ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24));
    crc =
      (tables[1792 + (low & 255)] ?? 0) ^
      (tables[1536 + ((low >>> 8) & 255)] ?? 0) ^
      (tables[1280 + ((low >>> 16) & 255)] ?? 0) ^
      (tables[1024 + (low >>> 24)] ?? 0) ^
      (tables[768 + (bytes[at + 4] ?? 0)] ?? 0) ^
      (tables[512 + (bytes[at + 5] ?? 0)] ?? 0) ^
      (tables[256 + (bytes[at + 6] ?? 0)] ?? 0) ^
      (tables[bytes[at + 7] ?? 0] ?? 0);
  }
  for (; at < to; at += 1) crc = (tables[(crc ^ (bytes[at] ?? 0)) & 255] ?? 0) ^ (crc >>> 8);
  return crc;
}

/** tables[256 k + b]: the register that byte b, in its lowest place, becomes after itself and k zero bytes. */
const tables = crcTables();

function crcTables(): Int32Array {
  const polynomialReflected = 0x82f63b78;
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomialReflected : crc >>> 1;
    made[byte] = crc;
  }
  for (let entry = 256; entry < made.length; entry += 1) {
    const shorter = made[entry - 256] ?? 0;
    made[entry] = (made[shorter & 255] ?? 0) ^ (shorter >>> 8);
  }
  return made;
}
