import type { MoverClock } from './ports.ts';

/** Lets a loop sleep until something it waits for may have come. */
export class Wake {
  readonly #waiting = new Set<AbortController>();
  #isSet = false;

  /** Wakes all that wait, or the next one that would. */
  set(): void {
    this.#isSet = this.#waiting.size === 0;
    for (const controller of this.#waiting) controller.abort(woken);
    this.#waiting.clear();
  }

  /** At most `ms`; at once where it was set and nobody has been woken by it. */
  async wait(clock: MoverClock, ms: number): Promise<void> {
    if (!this.#isSet) {
      const controller = new AbortController();
      this.#waiting.add(controller);
      await clock.sleep(ms, controller.signal);
      this.#waiting.delete(controller);
    }
    this.#isSet = false;
  }
}

/** Without a reason of its own every abort makes an error with a stack. */
const woken = 'woken';
