import { known, type Reading, unknown } from '../observed/reading.ts';

/** Attempts and failures of both groups in one backend between two readings. */
export type LoadWindow = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly origin: Tally;
  readonly destination: Tally;
};
export type Tally = { readonly attempts: number; readonly failures: number };

/**
 * The last windows of each backend, oldest first, reaching back `recentMs` from the newest. Those of a backend that is not read
 * any more stay: the last that was known of its load is what the reserve has to be able to carry. What is shown, and whatever is
 * about the present, goes by `seenLately`.
 */
export type RecentLoad = Readonly<Record<string, readonly LoadWindow[]>>;

/** How far back the recent windows reach. */
export const recentMs = 15_000;

/** How long counters that are told again, or late, may go on being so. */
export const catchUpMs = 30_000;

/**
 * Windows without any attempt stay with the one after them, which may have brought what they left out, and those before them stay
 * as long as counters may be told again; where the counters began anew after them, nothing can bring it any more, and they go. One over a
 * gap longer than counters can be late is left out: its mean says nothing about the load at either end of it, and what was known
 * before stands until the next window tells.
 */
export function addWindow(recent: RecentLoad, backend: string, window: LoadWindow): RecentLoad {
  const windows = withWindow(recent[backend] ?? [], window);
  return windows === null ? recent : { ...recent, [backend]: latestOf(windows) };
}

/** The same for what decisions take for the load: it keeps also the windows that tell it without the newest of them. */
export function addLoad(load: RecentLoad, backend: string, window: LoadWindow): RecentLoad {
  const windows = withWindow(load[backend] ?? [], window);
  if (windows === null) return load;
  const from = Math.min(latestFrom(windows), latestFrom(withoutNewest(windows)));
  return { ...load, [backend]: windows.slice(from) };
}

/** null: it tells nothing. */
function withWindow(before: readonly LoadWindow[], window: LoadWindow): readonly LoadWindow[] | null {
  if (lengthMs(window) > catchUpMs) return null;
  const isJoined = before.at(-1)?.toMs === window.fromMs;
  const told = isJoined ? before : before.slice(0, 1 + before.findLastIndex((one) => !isQuiet(one)));
  return [...told, window];
}

function latestOf(windows: readonly LoadWindow[]): readonly LoadWindow[] {
  return windows.slice(latestFrom(windows));
}

/** Where the windows begin that reach back `recentMs` from the newest. */
function latestFrom(windows: readonly LoadWindow[]): number {
  const newest = windows.at(-1);
  if (newest === undefined) return 0;
  const busyToMs = windows.findLast((one) => !isQuiet(one))?.toMs ?? newest.toMs;
  const toMs = newest.toMs - busyToMs <= catchUpMs ? busyToMs : newest.toMs;
  const first = windows.findIndex((one) => one.toMs > toMs - recentMs);
  const fromMs = (windows[first] ?? newest).fromMs - catchUpMs;
  let from = first;
  for (let one = windows[from - 1]; one !== undefined && isQuiet(one) && one.fromMs >= fromMs; one = windows[from - 1])
    from--;
  return from;
}

/** Those before the newest; what was counted in a moment is not one by itself. */
function withoutNewest(windows: readonly LoadWindow[]): readonly LoadWindow[] {
  let ms = 0;
  const newest = windows.findLastIndex((one) => {
    ms += lengthMs(one);
    return ms >= momentMs;
  });
  return windows.slice(0, Math.max(0, newest));
}

/**
 * What was counted in the last `recentMs` of now. A backend that was not read in that time has no windows, so that what is
 * asked of it is unknown, and neither has one that was read once after a longer gap.
 */
export function seenLately(recent: RecentLoad, nowMs: number): RecentLoad {
  const begunMs = nowMs - recentMs;
  return Object.fromEntries(
    Object.entries(recent).map(([backend, windows]) => {
      const isRead = (windows.at(-1)?.toMs ?? begunMs) > begunMs;
      const gap = windows.findLastIndex((one) => lengthMs(one) > recentMs);
      // What comes after one without any attempt may be that one's.
      const isLate = windows[gap] !== undefined && isQuiet(windows[gap]);
      const sinceGap = windows.slice(gap + (isLate ? 2 : 1));
      return [backend, isRead ? sinceGap.filter((one) => one.toMs > begunMs || isQuiet(one)) : []];
    }),
  );
}

function lengthMs({ fromMs, toMs }: LoadWindow): number {
  return toMs - fromMs;
}

function isQuiet({ origin, destination }: LoadWindow): boolean {
  return origin.attempts + destination.attempts === 0;
}

/** Requests per second over the recent windows, summed over the backends; unknown while any of them has none. */
export function loadRps(recent: RecentLoad, backends: readonly string[]): Reading<number> {
  return rpsOf(recent, backends, 'both');
}

/**
 * What a raise goes by: as above, counted for long enough, and not less than the last seconds alone say, or than was known before
 * the newest window. Quiet before them was counters told twice, or it was quiet, and few in the newest are counters that are late, or
 * they are few, which the next one tells; in doubt the load is the larger one.
 */
export function loadToRaiseBy(load: RecentLoad, backends: readonly string[]): Reading<number> {
  let total = 0;
  for (const backend of backends) {
    const windows = load[backend] ?? [];
    const [now, before] = [rpsToRaiseBy(windows), rpsToRaiseBy(withoutNewest(windows))];
    if (now === null || before === null)
      return unknown(`no load was counted at ${backend} for ${lastingMs / 1000} s and one reading more yet`);
    total += Math.max(now, before);
  }
  return known(total);
}

function rpsToRaiseBy(windows: readonly LoadWindow[]): number | null {
  const recent = latestOf(windows);
  const rate = backendRps(recent, 'both', lastingMs);
  if (rate === null) return null;
  const lastMs = recent.at(-1)?.toMs ?? 0;
  const latest = recent.filter((one) => one.toMs > lastMs - recentMs);
  const believed = recent.filter((one) => !isQuiet(one) || (rate * lengthMs(one)) / 1000 < incredible);
  return Math.max(rate, backendRps(latest, 'both', momentMs) ?? 0, backendRps(believed, 'both', momentMs) ?? 0);
}

/** So many attempts are expected, and none came: by chance that is one window in some hundred millions. */
const incredible = 20;

/** Enough to grow by, and for the way back, which waits for nothing. */
const momentMs = 500;
/** What a raise has to rest on: over a second of 100 requests/s one load in a hundred seems a quarter lower than it is. */
const lastingMs = 5000;

/** Requests per second of one group; unknown as above. */
export function sideRps(
  recent: RecentLoad,
  backends: readonly string[],
  side: 'origin' | 'destination',
): Reading<number> {
  return rpsOf(recent, backends, side);
}

function rpsOf(
  recent: RecentLoad,
  backends: readonly string[],
  side: 'origin' | 'destination' | 'both',
): Reading<number> {
  let total = 0;
  for (const backend of backends) {
    const rate = backendRps(latestOf(recent[backend] ?? []), side, momentMs);
    if (rate === null) return unknown(`no attempts were counted at ${backend} yet`);
    total += rate;
  }
  return known(total);
}

/**
 * Attempts and failures of one group in the recent windows of all backends, those that began before `fromMs` left out. For
 * messages and tripwires, never for the judge.
 */
export function recentTally(recent: RecentLoad, side: 'origin' | 'destination', fromMs = 0): Tally {
  let attempts = 0;
  let failures = 0;
  for (const windows of Object.values(recent)) {
    for (const window of windows) {
      if (window.fromMs < fromMs) continue;
      attempts += window[side].attempts;
      failures += window[side].failures;
    }
  }
  return { attempts, failures };
}

/**
 * Where the last windows show no attempt at all after some that did, a reading was told twice, most likely: the next one brings
 * what is missing. Taken as quiet it would lower the load, and let a raise pass that the reserve forbids.
 */
function backendRps(
  windows: readonly LoadWindow[],
  side: 'origin' | 'destination' | 'both',
  countedMs: number,
): number | null {
  const counted = windows.slice(0, 1 + windows.findLastIndex((one) => !isQuiet(one)));
  let ms = 0;
  let attempts = 0;
  for (const window of counted.length === 0 ? windows : counted) {
    ms += lengthMs(window);
    if (side !== 'destination') attempts += window.origin.attempts;
    if (side !== 'origin') attempts += window.destination.attempts;
  }
  return ms < countedMs ? null : (attempts * 1000) / ms;
}
