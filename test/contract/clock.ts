import { getEventListeners } from 'node:events';
import { expect } from 'vitest';
import type { Clock } from '../../src/engine/ports.ts';
import { collectClauses, testClauses, type Write } from './clauses.ts';

export type ClockHarness = {
  readonly clock: Clock;
  /** Lets at least so much of the clock's time pass; 0: only what is due already. */
  pass(ms: number): Promise<void>;
};

/** Timers may be a little early: they count whole milliseconds, of a clock of their own. */
const earlyMsMax = 2;
const monthMs = 31 * 24 * 3_600_000;

/** What every `Clock` must do. */
export function clockContract(name: string, open: () => Promise<ClockHarness>): void {
  testClauses(`contract of a clock: ${name}`, clockClauses(), { open, close: async () => undefined });
}

export function clockClauses() {
  return collectClauses<ClockHarness>(sleepClauses, boundClauses);
}

function sleepClauses(write: Write<ClockHarness>): void {
  write('both times are milliseconds and go on together; the steady one never goes back', async (harness) => {
    const { clock, pass } = harness;
    const [wallMs, steadyMs] = [clock.now(), clock.monotonic()];
    expect(wallMs).toBeGreaterThan(Date.UTC(2025, 0));
    let lastMs = steadyMs;
    for (let look = 0; look < 10; look += 1) {
      await pass(10);
      expect(clock.monotonic()).toBeGreaterThanOrEqual(lastMs);
      lastMs = clock.monotonic();
    }
    const [wallPassedMs, steadyPassedMs] = [clock.now() - wallMs, clock.monotonic() - steadyMs];
    expect(steadyPassedMs).toBeGreaterThanOrEqual(100 - 10 * earlyMsMax);
    expect(Math.abs(wallPassedMs - steadyPassedMs)).toBeLessThan(50 + steadyPassedMs / 10);
  });

  write('a sleep lasts as long as it was to last, and then ends', async (harness) => {
    const { clock } = harness;
    const startedAtMs = clock.monotonic();
    const sleep = watched(clock.sleep(60, new AbortController().signal));
    await harness.pass(20);
    if (clock.monotonic() - startedAtMs < 55) expect(sleep.ended).toBe(false);
    await untilEnded(harness, sleep);
    expect(clock.monotonic() - startedAtMs).toBeGreaterThanOrEqual(60 - earlyMsMax);
  });

  write('a signal ends it at once and without an error, also one that had aborted before', async (harness) => {
    const { clock, pass } = harness;
    const controller = new AbortController();
    const sleep = watched(clock.sleep(3_600_000, controller.signal));
    await pass(10);
    expect(sleep.ended).toBe(false);
    controller.abort(new Error('enough'));
    await pass(0);
    expect(sleep.ended).toBe(true);
    const never = watched(clock.sleep(3_600_000, controller.signal));
    await pass(0);
    expect(never.ended).toBe(true);
  });

  write(
    'one that is over leaves nothing with its signal, so that a signal may be slept on for ever',
    async (harness) => {
      const { signal } = new AbortController();
      for (let round = 0; round < 20; round += 1) await untilEnded(harness, watched(harness.clock.sleep(1, signal)));
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    },
  );
}

function boundClauses(write: Write<ClockHarness>): void {
  write('nothing, or less than nothing, is no time', async (harness) => {
    const { signal } = new AbortController();
    for (const ms of [0, -1, -monthMs]) await untilEnded(harness, watched(harness.clock.sleep(ms, signal)));
  });

  for (const ms of [monthMs, Number.POSITIVE_INFINITY]) {
    write(`a sleep of ${ms} ms does not end before its time, and its signal still ends it`, async ({ clock, pass }) => {
      const controller = new AbortController();
      const sleep = watched(clock.sleep(ms, controller.signal));
      await pass(50);
      expect(sleep.ended).toBe(false);
      controller.abort();
      await pass(0);
      expect(sleep.ended).toBe(true);
    });
  }

  write('sleeps do not wait for each other: the shorter one ends first', async (harness) => {
    const { signal } = new AbortController();
    const order: number[] = [];
    const sleeps = [80, 5, 40].map((ms) => watched(harness.clock.sleep(ms, signal).then(() => void order.push(ms))));
    for (const sleep of sleeps) await untilEnded(harness, sleep);
    expect(order).toEqual([5, 40, 80]);
  });
}

type Watched = { ended: boolean };

function watched(work: Promise<void>): Watched {
  const seen = { ended: false };
  void work.then(() => {
    seen.ended = true;
  });
  return seen;
}

async function untilEnded({ pass }: ClockHarness, sleep: Watched): Promise<void> {
  for (let passes = 0; !sleep.ended; passes += 1) {
    expect(passes, 'this sleep does not end').toBeLessThan(2000);
    await pass(5);
  }
}
