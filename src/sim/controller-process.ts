import type { Entry } from '../core/journal/entry.ts';
import { type Clock, type JournalStore, type LeaseStore, PortError } from '../engine/ports.ts';
import { type CallFate, type CallFault, type Landing, makeCall } from './calls.ts';
import type { Random } from './random.ts';
import type { Schedule } from './schedule.ts';
import type { Durable } from './stores.ts';

/** What a controller process of any operation has around it. */
export type ProcessSurroundings<Point> = {
  readonly schedule: Schedule;
  readonly durable: Durable;
  readonly random: Random;
  /** Draws whether a fault of this world happens now. */
  readonly strikes: (fault: CallFault) => boolean;
  readonly crashes: (point: Point) => boolean;
  readonly note: (text: string) => void;
  readonly diskFull: () => boolean;
  readonly stalledUntilMs: () => number;
  /** What the clock of the controllers' machine shows. */
  readonly wallMs: () => number;
  readonly lateMsMax: number;
};

/** Where it dies before the call took effect, and where after; null: not there. */
export type PointsOf<Point> = readonly [before: Point | null, after: Point | null];

export type RemoteCall<T, Point> = {
  readonly what: string;
  readonly signal: AbortSignal;
  readonly points: PointsOf<Point>;
  readonly writes: boolean;
  readonly glance?: boolean;
  readonly hangs?: () => boolean;
  readonly perform: (landing: Landing) => T;
};

/** One controller process of whatever operation: its clock, its stores, how its calls go, its death and its pauses. */
export class ControllerProcess<Point> {
  readonly holder: string;
  alive = true;
  pausedUntilMs = 0;
  readonly #around: ProcessSurroundings<Point>;
  readonly #fate: CallFate<Point>;

  constructor(holder: string, around: ProcessSurroundings<Point>) {
    this.holder = holder;
    this.#around = around;
    const { schedule, random, strikes, stalledUntilMs, lateMsMax } = around;
    this.#fate = {
      ...{ schedule, random, strikes, stalledUntilMs, lateMsMax },
      dies: (point) => {
        if (!this.alive || !around.crashes(point)) return false;
        this.alive = false;
        around.note(`controller ${this.holder} dies at ${point}`);
        return true;
      },
      alive: () => this.alive,
      deliver: (resume) => this.deliver(resume),
    };
  }

  /** Runs it now, or when this process is no longer paused; never if it is dead. */
  deliver(resume: () => void): void {
    if (!this.alive) return;
    const { schedule } = this.#around;
    if (this.pausedUntilMs <= schedule.nowMs) return resume();
    schedule.at(this.pausedUntilMs, () => this.deliver(resume));
  }

  clock(dying: Point): Clock {
    const { schedule, wallMs } = this.#around;
    return {
      now: wallMs,
      monotonic: () => schedule.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (this.#fate.dies(dying)) return;
          if (signal.aborted) return this.deliver(resolve);
          const ended = (): void => {
            planned.cancelled = true;
            signal.removeEventListener('abort', ended);
            this.deliver(resolve);
          };
          const planned = schedule.after(ms, ended);
          signal.addEventListener('abort', ended);
        }),
    };
  }

  journal(dying: PointsOf<Point>): JournalStore {
    const { durable } = this.#around;
    return {
      append: (expected, entries) =>
        this.local('append', dying, () => {
          this.refuseWhenFull();
          return durable.append(expected, entries);
        }),
      read: (operation, afterSeq) => this.local<Entry[]>('read', [null, null], () => durable.read(operation, afterSeq)),
      heads: () =>
        this.local('heads', [null, null], () => [...durable.chains.keys()].map((name) => durable.head(name))),
      close: () => Promise.resolve(),
    };
  }

  leases(dying: Point): LeaseStore {
    const { durable } = this.#around;
    return {
      acquire: (operation, holder, nowMs, ttlMs) =>
        this.local('lease', [dying, null], () => durable.acquire(operation, holder, nowMs, ttlMs)),
      release: (operation, holder) => this.local('lease', [null, null], () => durable.release(operation, holder)),
      holderOf: (operation) => this.local('lease', [null, null], () => durable.holderOf(operation)),
    };
  }

  refuseWhenFull(): void {
    if (!this.#around.diskFull()) return;
    throw new PortError('disk-full', 'no space left on the device that holds the journal', { retriable: true });
  }

  remote<T>({ glance = false, hangs = () => false, points, ...call }: RemoteCall<T, Point>): Promise<T> {
    const [before, after] = points;
    return makeCall(this.#fate, { ...call, before, after, remote: true, glance, hangs });
  }

  local<T>(what: string, [before, after]: PointsOf<Point>, perform: () => T): Promise<T> {
    const call = { what, signal: null, before, after, perform };
    return makeCall(this.#fate, {
      ...call,
      ...{ writes: after !== null, remote: false, glance: false, hangs: () => false },
    });
  }
}
