import type { Clock } from '../../engine/ports.ts';

/** The longest that Node's timers take; what is longer ends at once. */
const timerMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      let leftMs = Math.max(0, ms);
      let timer: NodeJS.Timeout;
      const wait = () => {
        const partMs = Math.min(leftMs, timerMsMax);
        leftMs -= partMs;
        timer = setTimeout(leftMs > 0 ? wait : done, partMs);
      };
      wait();
      signal.addEventListener('abort', done, { once: true });
    });
  },
};
