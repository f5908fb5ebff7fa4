/** Bytes that are not what they have to be. `at` counts from the beginning of the buffer. The caller adds where they came from. */
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
