import type { Schedule } from '../../../src/sim/schedule.ts';

/** Lets a simulated world's time go on while, and only while, somebody waits for something in it. */
export type VirtualTime = {
  /** The work's outcome; virtual time goes on until it is there. */
  during<T>(work: Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
  /** A deadline in virtual time; it costs nothing where it is not reached. */
  signalAfter(ms: number): AbortSignal;
};

/** What has no outcome after so much virtual time has none. */
const waitMsMax = 24 * 3_600_000;

export function virtualTime(schedule: Schedule): VirtualTime {
  let waiting = 0;
  let running: Promise<void> | null = null;
  const run = async () => {
    const untilMs = schedule.nowMs + waitMsMax;
    while (waiting > 0) {
      const how = await schedule.run(untilMs);
      if (how !== 'stopped') throw new Error(`nothing came of it within ${waitMsMax} ms of virtual time`);
    }
    running = null;
  };
  const during = <T>(work: Promise<T>): Promise<T> => {
    waiting += 1;
    const outcome = work.finally(() => {
      waiting -= 1;
      if (waiting === 0) schedule.stop();
    });
    running ??= run();
    return Promise.race([outcome, running.then(() => outcome)]);
  };
  return {
    during,
    pass: (ms) => during(new Promise((resolve) => void schedule.after(ms, () => resolve()))),
    signalAfter(ms) {
      const controller = new AbortController();
      schedule.after(ms, () => controller.abort(new Error('the deadline has passed')));
      return controller.signal;
    },
  };
}
