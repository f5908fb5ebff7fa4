import { PortError } from '../engine/ports.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';

/** Where in its loop a controller can die. Writes have two: before anything took effect, and after it did but before the answer. */
export const crashPoints = [
  'sleep',
  'lease.acquire',
  'backend.read',
  'group.read',
  'marker.read',
  'backend.attempts',
  'journal.append/before',
  'journal.append/after',
  'samples.put/before',
  'samples.put/after',
  'marker.write/before',
  'marker.write/after',
  'backend.setWeights/before',
  'backend.setWeights/after',
  'backend.setStates/before',
  'backend.setStates/after',
  'group.resize/before',
  'group.resize/after',
] as const;
export type CrashPoint = (typeof crashPoints)[number];

/** What may happen to a call to the outside, whatever it is about. */
export type CallFault =
  | 'call-lost'
  | 'call-unanswered'
  | 'call-late'
  | 'call-duplicated'
  | 'call-throttled'
  | 'acknowledged-late';

/** How one call goes. `perform` does it in the world; what it returns is the answer. */
export type Call<T, Point> = {
  readonly what: string;
  readonly signal: AbortSignal | null;
  readonly before: Point | null;
  readonly after: Point | null;
  readonly writes: boolean;
  /** Outside the machine: can be lost, late, doubled or throttled. */
  readonly remote: boolean;
  /** A glance at a local counter, hundreds of them in a row: too many for faults that strike each call. */
  readonly glance: boolean;
  /** Whether who is called takes the call now and never does or answers anything. */
  readonly hangs: () => boolean;
  readonly perform: (landing: Landing) => T;
};

/** `stray`: its sender has given this write up, or it has been done before. */
export type Landing = { readonly stray: boolean; readonly partly: boolean };

/** What decides over the calls of one controller. */
export type CallFate<Point> = {
  readonly schedule: Schedule;
  readonly random: Random;
  /** Draws whether a fault that exists in this world happens now; false once the world is healed. */
  readonly strikes: (fault: CallFault) => boolean;
  /** Whether the controller dies here; if so it is already dead. */
  readonly dies: (point: Point) => boolean;
  readonly alive: () => boolean;
  /** Runs `resume` now, or when the controller is no longer paused; never if it is dead. */
  readonly deliver: (resume: () => void) => void;
  /** Until when the disk of this machine answers nobody. */
  readonly stalledUntilMs: () => number;
  /** How long after its deadline a late write still lands, at most. */
  readonly lateMsMax: number;
};

/**
 * One call of a controller to the world. A dead controller's calls are never answered; a call that hangs ends with its signal,
 * as a PortError of code `timeout`.
 */
export function makeCall<T, Point>(fate: CallFate<Point>, call: Call<T, Point>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (!fate.alive() || (call.before !== null && fate.dies(call.before))) return;
    if (call.signal?.aborted) return reject(timedOut(call.what));
    const succeed = (value: T): void => fate.deliver(() => resolve(value));
    const fail = (error: unknown): void => fate.deliver(() => reject(error));
    const land = (landing: Landing): { value: T } | null => {
      try {
        return { value: call.perform(landing) };
      } catch (error) {
        fail(error);
        return null;
      }
    };
    const stallMs = call.remote ? 0 : Math.max(0, fate.stalledUntilMs() - fate.schedule.nowMs);
    const latencyMs = (call.remote && !call.glance ? fate.random.integer(2, 40) : 1) + stallMs;
    const ordinary = (): void => {
      fate.schedule.after(latencyMs, () => {
        if (!call.writes && !fate.alive()) return;
        if (call.signal !== null && call.hangs()) return whenAborted(call.signal, () => fail(timedOut(call.what)));
        const landed = land(whole);
        if (landed === null || (call.after !== null && fate.dies(call.after))) return;
        const acknowledge = (): void => succeed(landed.value);
        if (!call.writes || !call.remote || !fate.strikes('acknowledged-late')) return acknowledge();
        fate.schedule.after(fate.random.between(300, fate.lateMsMax), acknowledge);
      });
    };
    const spared = !call.remote || call.signal === null || (call.glance && !fate.random.chance(0.02));
    if (spared || call.signal === null || !struck(fate, call, call.signal, latencyMs, fail)) ordinary();
  });
}

const whole: Landing = { stray: false, partly: false };

/** Lets one fault at most happen to a remote call; true: the call has gone wrong and needs nothing more. */
function struck<T, Point>(
  fate: CallFate<Point>,
  call: Call<T, Point>,
  signal: AbortSignal,
  latencyMs: number,
  fail: (error: unknown) => void,
): boolean {
  const { schedule, random } = fate;
  const hang = (): void => whenAborted(signal, () => fail(timedOut(call.what)));
  if (fate.strikes('call-throttled')) {
    schedule.after(latencyMs, () => fail(new PortError('refused', `${call.what}: rate exceeded`, { retriable: true })));
    return true;
  }
  if (fate.strikes('call-lost')) {
    hang();
    return true;
  }
  if (!call.writes) return false;
  if (fate.strikes('call-unanswered')) {
    const partly = random.chance(0.3);
    schedule.after(latencyMs, () => attempt(call, { stray: false, partly }));
    hang();
    return true;
  }
  if (fate.strikes('call-late')) {
    whenAborted(signal, () => {
      schedule.after(random.between(1, fate.lateMsMax), () => attempt(call, { stray: true, partly: false }));
      fail(timedOut(call.what));
    });
    return true;
  }
  if (fate.strikes('call-duplicated')) {
    schedule.after(latencyMs + random.between(1, fate.lateMsMax), () => attempt(call, { stray: true, partly: false }));
  }
  return false;
}

/** A write whose sender learns nothing of it any more. */
function attempt<T, Point>(call: Call<T, Point>, landing: Landing): void {
  if (call.hangs()) return;
  try {
    call.perform(landing);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
  }
}

function whenAborted(signal: AbortSignal, run: () => void): void {
  if (signal.aborted) run();
  else signal.addEventListener('abort', run, { once: true });
}

function timedOut(what: string): PortError {
  return new PortError('timeout', `${what}: no answer before the deadline`, { retriable: true });
}
