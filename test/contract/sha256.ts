import { expect } from 'vitest';
import type { Sha256 } from '../../src/core/journal/entry.ts';
import { collectClauses, testClauses } from './clauses.ts';

/** What every `Sha256` must do: chains that one of them sealed are verified by another one. */
export function sha256Contract(name: string, sha256: Sha256): void {
  testClauses(`contract of SHA-256: ${name}`, sha256Clauses(), {
    open: async () => sha256,
    close: async () => undefined,
  });
}

/** FIPS 180-4, examples, and one in which the characters are not the bytes. */
const known: readonly (readonly [text: string, hash: string])[] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ['Grüße \u{1f600}', '3436cf1c2f912923eb6c58432bc973f1e3bf57852f000822b53954e45e6c5be4'],
];

export function sha256Clauses() {
  return collectClauses<Sha256>((write) => {
    for (const [text, hash] of known) {
      write(`${JSON.stringify(text.slice(0, 10))}, ${text.length} characters, in lower-case digits`, async (sha256) => {
        expect(sha256(text)).toBe(hash);
      });
    }
  });
}
