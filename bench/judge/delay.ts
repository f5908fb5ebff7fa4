/** Gives back what was passed in this many passes ago: failures are seen when requests end. */
export class Delay {
  readonly #ring: number[];
  #at = 0;
  constructor(passes: number) {
    this.#ring = new Array<number>(passes + 1).fill(0);
  }
  pass(failures: number): number {
    this.#ring[this.#at] = failures;
    this.#at = (this.#at + 1) % this.#ring.length;
    const due = this.#ring[this.#at] ?? 0;
    this.#ring[this.#at] = 0;
    return due;
  }
}
