import { crc32c, crcRegister } from './crc32c.ts';

/*
 * CRC without reading what is covered. The bare register is linear over xor, so what a change of the header does to the checksum does not
 * depend on the records behind it, only on their number of bytes. With Z(n) = "the register after n zero bytes more":
 *
 *     crc of the new batch      = crc of the old xor Z(n)(register of (old header xor new header))
 *     crc of the records alone  = crc of the batch xor Z(n)(crc of the header)         since crc(A then B) = Z(|B|)(crc(A)) xor crc(B)
 *
 * So a checksum that a producer made goes on guarding its records through every change of their header, at a cost that does not
 * depend on the size. Computing it anew would put a valid checksum onto bytes that were damaged on the way.
 */

/** The checksum after a change of the header: `headerChange` is old xor new, `bytesAfter` the number of bytes behind the header. */
export function patchedCrc(oldCrc: number, headerChange: Uint8Array, bytesAfter: number): number {
  return (oldCrc ^ registerAfterZeros(crcRegister(0, headerChange, 0, headerChange.length), bytesAfter)) >>> 0;
}

/** The checksum of the records alone, out of the batch's and of bytes[headerFrom, headerTo), which are the covered part of its header. */
export function recordsCrc(
  storedCrc: number,
  bytes: Uint8Array,
  headerFrom: number,
  headerTo: number,
  bytesAfter: number,
): number {
  return (storedCrc ^ registerAfterZeros(crc32c(bytes, headerFrom, headerTo), bytesAfter)) >>> 0;
}

/** Z(count) of `register`: one operator for each bit of `count`, four reads of a table each. */
export function registerAfterZeros(register: number, count: number): number {
  let crc = register;
  let table = 0;
  for (let bits = count; bits !== 0; bits >>>= 1, table += 1024) {
    if ((bits & 1) === 1)
      crc =
        (operators[table + (crc & 255)] ?? 0) ^
        (operators[table + 256 + ((crc >>> 8) & 255)] ?? 0) ^
        (operators[table + 512 + ((crc >>> 16) & 255)] ?? 0) ^
        (operators[table + 768 + (crc >>> 24)] ?? 0);
  }
  return crc;
}

/** operators[1024 k + 256 j + b]: Z(2^k) of byte b in place j, for every k that a length of 31 bits can have. 124 KiB. */
const operators = zeroOperators();

function zeroOperators(): Int32Array {
  const made = new Int32Array(31 * 1024);
  const zero = new Uint8Array(1);
  // The images of the 32 single bits: first under one zero byte, then under the operator before, twice.
  let images = Array.from({ length: 32 }, (_, bit) => crcRegister(1 << bit, zero, 0, 1));
  for (let power = 0; power < 31; power += 1) {
    for (let entry = 0; entry < 1024; entry += 1)
      made[1024 * power + entry] = combined(images, (entry & 255) << (8 * (entry >> 8)));
    const before = images;
    images = before.map((image) => combined(before, image));
  }
  return made;
}

function combined(images: readonly number[], register: number): number {
  return images.reduce((sum, image, bit) => (((register >>> bit) & 1) === 1 ? sum ^ image : sum), 0);
}
