/** Bytes per second with a burst of one second's; `null`: as many as there are. */
export class Rate {
  #perSecond: number | null;
  #atMs: number;
  #bytes = 0;

  constructor(perSecond: number | null, nowMs: number) {
    this.#perSecond = perSecond;
    this.#atMs = nowMs;
  }

  /** What was taken too much at the old one is waited for at the new one. */
  change(perSecond: number | null, nowMs: number): void {
    this.room(nowMs);
    this.#perSecond = perSecond;
    this.#atMs = nowMs;
    this.#bytes = perSecond === null ? 0 : Math.min(this.#bytes, perSecond);
  }

  /** What may be sent now. A batch alone may be more than is left: what it takes too much is waited for afterwards. */
  room(nowMs: number): number {
    if (this.#perSecond === null) return Number.POSITIVE_INFINITY;
    this.#bytes = Math.min(this.#perSecond, this.#bytes + ((nowMs - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = nowMs;
    return this.#bytes;
  }

  take(bytes: number): void {
    if (this.#perSecond !== null) this.#bytes -= bytes;
  }

  /** Milliseconds until something may be sent again. */
  waitMs(nowMs: number): number {
    const room = this.room(nowMs);
    return room > 0 || this.#perSecond === null ? 0 : Math.ceil((-room * 1000) / this.#perSecond) + 1;
  }
}
