import { setTimeout as sleep } from 'node:timers/promises';
import { Rate } from '../mover/rate.ts';

/** How fast brokers are read: bytes per second of each of them, whatever is read there and by however many at once. */
export class Pace {
  readonly perSecond: number;
  readonly #nowMs: () => number;
  readonly #rates = new Map<number, Rate>();

  constructor(perSecond: number, nowMs: () => number) {
    this.perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  /**
   * Waits until so many bytes may be asked of this broker, and counts them, so that nobody else asks at the same time. Whoever has
   * the answer says how many it were. Throws the signal's reason.
   */
  async room(broker: number, bytes: number, signal: AbortSignal): Promise<(bytes: number) => void> {
    const rate = this.#of(broker);
    for (let ms = rate.waitMs(this.#nowMs()); ms > 0; ms = rate.waitMs(this.#nowMs()))
      await sleep(ms, undefined, { signal });
    rate.take(bytes);
    return (came) => rate.take(came - bytes);
  }

  #of(broker: number): Rate {
    const known = this.#rates.get(broker);
    if (known !== undefined) return known;
    const rate = new Rate(this.perSecond, this.#nowMs());
    this.#rates.set(broker, rate);
    return rate;
  }
}
