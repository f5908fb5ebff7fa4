/** Of the bytes of one response: they are given back when nobody has any of them any more. */
export class Lease {
  readonly #giveBack: () => void;
  #holders = 1;

  /** Held by who makes it. */
  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  keep(): void {
    if (this.#holders === 0) throw new RangeError('these bytes were given back already');
    this.#holders += 1;
  }

  end(): void {
    if (this.#holders === 0) throw new RangeError('these bytes were given back already');
    this.#holders -= 1;
    if (this.#holders === 0) this.#giveBack();
  }
}
