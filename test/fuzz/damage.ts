import fc from 'fast-check';

/** Texts that have deceived decoders: they stand where a number, a name or a whole value is expected. */
export const hostileTexts = [
  ...[
    '',
    ' ',
    '-1',
    '-0',
    '+7',
    '1.5',
    '1e3',
    '1e400',
    '0x10',
    '007',
    ' 7',
    '7 ',
    '٣',
    'NaN',
    'Infinity',
    'null',
    'true',
  ],
  ...[
    '65536',
    '127.0.0.1:65537',
    '4294967296',
    '9007199254740991',
    '9007199254740993',
    '18446744073709551616',
    '9'.repeat(400),
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '__defineGetter__'],
  ...['\u0000', '\r', '\r\n', '\n', '\n\n', '\t', '\u001b[2J', '\u202e', '\ufeff', '\ufffd', '\u2028', 'é', '💥'],
  ...['"', "'", '\\', ',', ';', '#', ':', '%', '%zz', '%00', '$X', '../../etc/passwd', '{', '}', '[', ']', '{}', '[]'],
  'x'.repeat(3000),
] as const;

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);

/** Where in something of unknown length: 0 ≤ place < 1, all alike. (Doubles are drawn by their bits: nearly all are near 0.) */
export const place: fc.Arbitrary<number> = fc.noBias(fc.nat(999_999)).map((millionth) => millionth / 1_000_000);

export function at(where: number, length: number): number {
  return Math.floor(where * length);
}

/** A text cut off at any byte, as it arrives when the writer dies: the last character may be half. */
export function cut(text: string, where: number): string {
  const bytes = Buffer.from(text);
  return bytes.subarray(0, at(where, bytes.length)).toString('utf8');
}

export type ByteDamage =
  | { readonly kind: 'flip'; readonly where: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly where: number }
  | { readonly kind: 'remove'; readonly where: number; readonly length: number }
  | { readonly kind: 'insert'; readonly where: number; readonly text: string }
  | { readonly kind: 'repeat'; readonly where: number; readonly length: number };

export const byteDamage: fc.Arbitrary<ByteDamage> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), where: place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), where: place }),
  fc.record({ kind: fc.constant('remove' as const), where: place, length: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('insert' as const), where: place, text: hostileText }),
  fc.record({ kind: fc.constant('repeat' as const), where: place, length: fc.integer({ min: 1, max: 300 }) }),
);

/** Bytes after damage. */
export function damagedBytes(bytes: Buffer, edits: readonly ByteDamage[]): Buffer {
  return edits.reduce(afterEdit, bytes);
}

function afterEdit(now: Buffer, edit: ByteDamage): Buffer {
  const index = at(edit.where, now.length);
  const [before, after] = [now.subarray(0, index), now.subarray(index)];
  switch (edit.kind) {
    case 'flip':
      return Buffer.concat([before, after.subarray(0, 1).map((byte) => byte ^ (1 << edit.bit)), after.subarray(1)]);
    case 'cut':
      return before;
    case 'remove':
      return Buffer.concat([before, after.subarray(edit.length)]);
    case 'insert':
      return Buffer.concat([before, Buffer.from(edit.text), after]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, edit.length), after]);
  }
}

/** A text after damage to its bytes; what is no UTF-8 any more comes as U+FFFD, as Node's decoders give it. */
export function damagedText(text: string, edits: readonly ByteDamage[]): string {
  return damagedBytes(Buffer.from(text), edits).toString('utf8');
}

export const someDamage = fc.array(byteDamage, { minLength: 1, maxLength: 4 });
