import type { Window } from '../../../src/core/judge/counting.ts';

/** What another tool decides on, re-implemented from its public documentation for this comparison and for nothing else. */
export type OtherRule = {
  readonly name: string;
  /** Numbers in force, as the page has them. */
  readonly about: string;
  readonly source: string;
  /** What follows where it has nothing to judge and does not take the canary back. */
  readonly otherwise: string;
  /** For one rollout: is shown each second, and says when it takes the canary back. */
  readonly start: (seed: number) => (second: number, window: Window) => boolean;
};

/** Sums over the seconds since they were last taken. */
export class Bin {
  #origin = { attempts: 0, failures: 0 };
  #destination = { attempts: 0, failures: 0 };

  add({ origin, destination }: Window): void {
    this.#origin.attempts += origin.attempts;
    this.#origin.failures += origin.failures;
    this.#destination.attempts += destination.attempts;
    this.#destination.failures += destination.failures;
  }

  take() {
    const taken = { origin: this.#origin, destination: this.#destination };
    this.#origin = { attempts: 0, failures: 0 };
    this.#destination = { attempts: 0, failures: 0 };
    return taken;
  }
}
