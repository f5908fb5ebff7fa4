import { type BackendReading, type ServerCounters, type ServerReading, zeroCounters } from '../observed/backend.ts';
import { known, type Reading, unknown } from '../observed/reading.ts';

/** Whose attempts are counted; a server of neither group is left out and named. */
export type CountedSide = 'origin' | 'destination';

/** What is known of one backend's counters at the last reading. Plain JSON. */
export type Counting = {
  readonly process: string;
  readonly atMs: number;
  readonly servers: Readonly<Record<string, ServerCounting>>;
};

type ServerCounting = {
  readonly side: CountedSide;
  /** The counters at the last reading. */
  readonly counters: ServerCounters;
  /** The unanswered and the reported failures at the first reading: what is subtracted from every later one. */
  readonly unansweredFirst: number;
  readonly reportedFirst: number;
  /** C: failures since the first reading. Never falls. */
  readonly failures: number;
  /** Attempts at earlier readings, oldest first, reaching back to T: for requests that hang. */
  readonly past: readonly PastAttempts[];
};

type PastAttempts = { readonly atMs: number; readonly attempts: number };

export type Count = { readonly attempts: number; readonly failures: number };
export type HostCount = Count & { readonly server: string };

/**
 * What happened at one backend between two readings. Failures belong to the moment they were seen, attempts to the moment
 * they were dispatched, so there may be more failures than attempts.
 */
export type Window = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly origin: Count;
  readonly destination: Count;
  /** Requests that the destination had not ended when the window began. */
  readonly destinationOpen: number;
  /** The origin's servers one by one, in the balancer's order. */
  readonly originHosts: readonly HostCount[];
};

export type Counted = {
  readonly counting: Counting;
  /** null: this reading is a first one, no time has passed since the last, or it is older than the last. */
  readonly window: Window | null;
  /** Why counting began anew; null: it did not (a first reading of all is no restart). */
  readonly restarted: string | null;
  /** Servers of neither group. */
  readonly others: readonly string[];
};

/**
 * Attempts and failures from cumulative counters. Per server, with everything relative to its first reading:
 *
 *   G = attempts − 2xx − 3xx − 4xx + srv_abrt − scur   H = 5xx + econ + eresp      C = max(C before, G, H), from 0
 *
 * The window's attempts are their increase, its failures the increase of C. G finds what no error counter shows
 * (silent closes, retried answers); H finds what G hides while streams are open. A 1xx answer is no end, so it is not
 * subtracted. A new process, or any cumulative counter that fell, makes this reading a first one for the whole backend. One
 * that is older than the last, because it came late, is left out: what the last one has counted is not counted again.
 */
export function countBackend(
  previous: Counting | null,
  reading: BackendReading,
  atMs: number,
  sideOf: (server: string) => CountedSide | null,
): Counted {
  if (previous !== null && atMs === previous.atMs && reading.process === previous.process) {
    return { counting: previous, window: null, restarted: null, others: othersOf(previous, reading) };
  }
  if (previous !== null && isOlder(previous, reading, atMs))
    return { counting: previous, window: null, restarted: null, others: othersOf(previous, reading) };
  const restarted = previous === null ? null : whyRestarted(previous, reading, atMs);
  const before = restarted === null ? previous : null;
  const servers: Record<string, ServerCounting> = {};
  const others: string[] = [];
  for (const server of reading.servers) {
    const last = own(before?.servers, server.name);
    const side = last?.side ?? sideOf(server.name);
    if (side === null) others.push(server.name);
    else put(servers, server.name, last === undefined ? first(server, side, atMs) : later(last, server, atMs));
  }
  const counting = { process: reading.process, atMs, servers };
  return { counting, window: before && windowBetween(before, counting), restarted, others };
}

function othersOf(counting: Counting, reading: BackendReading): string[] {
  const names = reading.servers.map((server) => server.name);
  return names.filter((name) => own(counting.servers, name) === undefined);
}

/** How long counters may go on coming late. */
const olderMsMax = 30_000;

/**
 * The same process, no counter higher than before, and they fell, but not to nearly nothing, as they do when they are cleared:
 * a reading of earlier, that came late. Taken as a first one, the next would bring again what the last has counted. Where that
 * was so little that half of it comes between two polls it may have been cleared; it is left out until the counters are as high.
 */
function isOlder(previous: Counting, reading: BackendReading, atMs: number): boolean {
  const sinceMs = atMs - previous.atMs;
  if (reading.process !== previous.process || sinceMs < 0 || sinceMs > olderMsMax) return false;
  let [before, now, hasFallen] = [0, 0, false];
  for (const server of reading.servers) {
    const last = own(previous.servers, server.name);
    if (last === undefined) continue;
    if (fallenCounter(server.counters, last.counters) !== null) return false;
    if (fallenCounter(last.counters, server.counters) !== null) hasFallen = true;
    before += last.counters.attempts;
    now += server.counters.attempts;
  }
  return hasFallen && 2 * now >= before;
}

function whyRestarted(previous: Counting, reading: BackendReading, atMs: number): string | null {
  if (reading.process !== previous.process) {
    return `the balancer's process is another one (${reading.process}, was ${previous.process})`;
  }
  if (atMs < previous.atMs) return 'the clock went back';
  for (const server of reading.servers) {
    const last = own(previous.servers, server.name);
    const fallen = last === undefined ? null : fallenCounter(last.counters, server.counters);
    if (fallen !== null) return `a counter of ${server.name} fell (${fallen}): counters were cleared`;
  }
  return null;
}

/** Every cumulative counter; `scur` is a gauge and may fall. */
const cumulative = (Object.keys(zeroCounters) as (keyof ServerCounters)[]).filter((name) => name !== 'scur');

function fallenCounter(before: ServerCounters, after: ServerCounters): string | null {
  for (const name of cumulative) if (after[name] < before[name]) return name;
  return null;
}

function first(server: ServerReading, side: CountedSide, atMs: number): ServerCounting {
  const counters = server.counters;
  return {
    side,
    counters,
    unansweredFirst: unanswered(counters),
    reportedFirst: reported(counters),
    failures: 0,
    past: [{ atMs, attempts: counters.attempts }],
  };
}

function later(last: ServerCounting, server: ServerReading, atMs: number): ServerCounting {
  const counters = server.counters;
  // Streams open at the first reading are not added back: those answered before it would end as failures.
  const silent = unanswered(counters) - last.unansweredFirst - counters.scur;
  return {
    side: last.side,
    counters,
    unansweredFirst: last.unansweredFirst,
    reportedFirst: last.reportedFirst,
    failures: Math.max(last.failures, silent, reported(counters) - last.reportedFirst),
    past: pastUntil(last.past, atMs, counters.attempts),
  };
}

function unanswered(counters: ServerCounters): number {
  return counters.attempts - counters.rsp2xx - counters.rsp3xx - counters.rsp4xx + counters.srvAbrt;
}

function reported(counters: ServerCounters): number {
  return counters.rsp5xx + counters.econ + counters.eresp;
}

function windowBetween(before: Counting, after: Counting): Window {
  const sums = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } };
  const originHosts: HostCount[] = [];
  let destinationOpen = 0;
  for (const name in after.servers) {
    const [was, is] = [own(before.servers, name), own(after.servers, name)];
    if (was === undefined || is === undefined) continue;
    const attempts = is.counters.attempts - was.counters.attempts;
    const failures = is.failures - was.failures;
    sums[is.side].attempts += attempts;
    sums[is.side].failures += failures;
    if (is.side === 'origin') originHosts.push({ server: name, attempts, failures });
    else destinationOpen += was.counters.scur;
  }
  return { fromMs: before.atMs, toMs: after.atMs, ...sums, destinationOpen, originHosts };
}

/** T: how long a request may be open before it counts as late. */
const lateAfterMs = 10_000;
/** Earlier readings are kept this far apart, so that fast polls do not fill the memory. */
const pastSpacingMs = 500;

function pastUntil(past: readonly PastAttempts[], atMs: number, attempts: number): readonly PastAttempts[] {
  const last = past.at(-1);
  if (last !== undefined && atMs - last.atMs < pastSpacingMs) return past;
  let keep = 0;
  while (keep + 1 < past.length && (past[keep + 1]?.atMs ?? atMs) <= atMs - lateAfterMs) keep++;
  const kept = past.slice(keep);
  kept.push({ atMs, attempts });
  return kept;
}

/** Per side: requests that are certainly older than T, and attempts dispatched since then. */
export type LateSide = { readonly late: number; readonly attempts: number };
export type LateRequests = {
  readonly origin: LateSide;
  readonly destination: LateSide;
  /** The destination hangs: take the way back. A tripwire, not evidence. */
  readonly tripped: boolean;
};

/**
 * Requests that hang show in no counter until the server time-out. A server had `scur` streams open and was given
 * `attempts(t) − attempts(t−T)` of them within T, so at least the difference is older. Tripped: at least 10 such requests at the
 * destination, and more than ten times as many of them per attempt as at the origin (which is given one more).
 * Where no reading is exactly T old the next older one is used: fewer requests are then certainly late.
 */
export function lateRequests(counting: Counting): Reading<LateRequests> {
  const sums = { origin: { late: 0, attempts: 0 }, destination: { late: 0, attempts: 0 } };
  let reaches = false;
  for (const name in counting.servers) {
    const server = own(counting.servers, name);
    const attempts = server === undefined ? null : attemptsWithin(server, counting.atMs);
    if (server === undefined || attempts === null) continue;
    reaches = true;
    sums[server.side].attempts += attempts;
    sums[server.side].late += Math.max(0, server.counters.scur - attempts);
  }
  if (!reaches) return unknown(`no readings that are ${lateAfterMs / 1000} s apart yet`);
  const { origin, destination } = sums;
  // The ratios compared crosswise, so that a side without attempts divides nothing.
  const worse = destination.late * origin.attempts > 10 * (origin.late + 1) * destination.attempts;
  return known({ ...sums, tripped: destination.late >= 10 && worse });
}

function attemptsWithin(server: ServerCounting, atMs: number): number | null {
  let base: PastAttempts | null = null;
  for (const point of server.past) {
    if (point.atMs > atMs - lateAfterMs) break;
    base = point;
  }
  return base === null ? null : server.counters.attempts - base.attempts;
}

/** Server names come from outside: `__proto__` is one like any other. */
function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

function put<T>(record: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') record[name] = value;
  else Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}
