import { uint32LittleAt } from './integers.ts';

/** XXH32 with seed 0 of bytes[from, to), unsigned: the checksum of the lz4 frame format. */
export function xxh32(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  let sum: number;
  if (to - from >= 16) {
    let [one, two, three, four] = [(prime1 + prime2) | 0, prime2, 0, -prime1 | 0];
    for (; at <= to - 16; at += 16) {
      one = round(one, uint32LittleAt(bytes, at));
      two = round(two, uint32LittleAt(bytes, at + 4));
      three = round(three, uint32LittleAt(bytes, at + 8));
      four = round(four, uint32LittleAt(bytes, at + 12));
    }
    sum = rotated(one, 1) + rotated(two, 7) + rotated(three, 12) + rotated(four, 18);
  } else sum = prime5;
  sum = (sum + (to - from)) | 0;
  for (; at <= to - 4; at += 4)
    sum = Math.imul(rotated((sum + Math.imul(uint32LittleAt(bytes, at), prime3)) | 0, 17), prime4);
  for (; at < to; at += 1) sum = Math.imul(rotated((sum + Math.imul(bytes[at] ?? 0, prime5)) | 0, 11), prime1);
  sum = Math.imul(sum ^ (sum >>> 15), prime2);
  sum = Math.imul(sum ^ (sum >>> 13), prime3);
  return (sum ^ (sum >>> 16)) >>> 0;
}

const prime1 = 0x9e3779b1 | 0;
const prime2 = 0x85ebca77 | 0;
const prime3 = 0xc2b2ae3d | 0;
const prime4 = 0x27d4eb2f | 0;
const prime5 = 0x165667b1 | 0;

function round(lane: number, input: number): number {
  return Math.imul(rotated((lane + Math.imul(input, prime2)) | 0, 13), prime1);
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
