import type { MoverClock } from '../../io/kafka/mover/ports.ts';
import type { Schedule } from '../schedule.ts';

/**
 * A process of the mover's machine. Whatever reaches it comes through `enter`: nothing after its death, and nothing while it stands
 * still; what it has handed to the network before goes its way without it.
 */
export class SimProcess {
  readonly name: string;
  readonly #schedule: Schedule;
  readonly #startMs: number;
  #standsUntilMs = 0;
  #isDead = false;

  /** `startMs`: what the wall clock says when simulated time begins. */
  constructor(name: string, schedule: Schedule, startMs: number) {
    this.name = name;
    this.#schedule = schedule;
    this.#startMs = startMs;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get standsStill(): boolean {
    return this.#schedule.nowMs < this.#standsUntilMs;
  }

  die(): void {
    this.#isDead = true;
  }

  stoodStillSince(ms: number): boolean {
    return this.#standsUntilMs > ms;
  }

  standStill(ms: number): void {
    this.#standsUntilMs = Math.max(this.#standsUntilMs, this.#schedule.nowMs + ms);
  }

  enter(run: () => void): void {
    if (this.#isDead) return;
    if (this.standsStill) this.#schedule.at(this.#standsUntilMs, () => this.enter(run));
    else run();
  }

  after(ms: number, run: () => void): void {
    this.#schedule.after(ms, () => this.enter(run));
  }

  get clock(): MoverClock {
    const schedule = this.#schedule;
    return {
      now: () => this.#startMs + schedule.nowMs,
      monotonic: () => schedule.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) {
            resolve();
            return;
          }
          const planned = schedule.after(ms, () => this.enter(resolve));
          signal?.addEventListener('abort', () => {
            planned.cancelled = true;
            resolve();
          });
        }),
    };
  }
}

/** The one that came after another has a higher one. */
export function numberOf({ name }: SimProcess): number {
  return Number(name.replace('mover ', ''));
}
