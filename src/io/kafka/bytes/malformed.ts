/**
 * Bytes that are not what they have to be. `at` counts from the beginning of the buffer that was given; inside of records that
 * were compressed, from the beginning of what the codec gave. Callers add topic, partition and offset: bytes know none of them.
 */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
  readonly what: string;
  readonly at: number;
  readonly expected: string;
  readonly found: string;

  constructor(what: string, at: number, expected: string, found: string | number | bigint) {
    super(`${what} at byte ${at}: expected ${expected}, found ${found}`);
    this.what = what;
    this.at = at;
    this.expected = expected;
    this.found = String(found);
  }
}
