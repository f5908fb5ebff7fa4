import { readFileSync } from 'node:fs';

/** Frames of `lz4.jsonl`: `lz4Text` by other settings than Kafka's clients have. */
export const lz4Frames: readonly { readonly name: string; readonly bytes: Buffer }[] = readFileSync(
  new URL('./lz4.jsonl', import.meta.url),
  'utf8',
)
  .trimEnd()
  .split('\n')
  .map((line) => {
    const { name, hex } = JSON.parse(line);
    return { name, bytes: Buffer.from(hex, 'hex') };
  });

/** Numbers below 1000 in words, 3,000 bytes of them again and again, so that a block repeats what stands in the one before. */
export function lz4Text(): Buffer {
  let words = '';
  for (let number = 1; words.length < 3000; ) {
    number = Number((BigInt(number) * 1_103_515_245n + 12_345n) % 2n ** 31n);
    words += `${number % 1000} `;
  }
  return Buffer.from(words.repeat(60).slice(0, 150_000));
}
