import type { Clock } from './ports.ts';

/**
 * The time by which one operation lives: the wall clock at the beginning, and from there on as much as has really passed.
 * A wall clock that is set back or forward meanwhile changes no bake time, no time-out and no window of a controller that
 * runs. The journal's times never go back either: the next controller begins where the last entry was made, at the earliest.
 */
export type SteadyClock = Clock & {
  /** Moves on to `atMs` where that is later; how far, in ms. */
  catchUpWith(atMs: number): number;
};

export function steadyClock(clock: Clock): SteadyClock {
  let offsetMs = clock.now() - clock.monotonic();
  const now = () => Math.round(offsetMs + clock.monotonic());
  return {
    now,
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    catchUpWith(atMs) {
      const behindMs = Math.max(0, atMs - now());
      offsetMs += behindMs;
      return behindMs;
    },
  };
}
