import type { RolloutEvent } from './events.ts';
import { loadRps, type RecentLoad, recentTally } from './load.ts';
import { attemptsToTell } from './share-seen.ts';
import type { RolloutState } from './state.ts';
import type { Watch } from './watch.ts';

const checkpointEveryMs = 30_000;

export function checkpointDue(state: RolloutState, nowMs: number): boolean {
  return nowMs - state.checkpointAtMs >= checkpointEveryMs;
}

/** The judge's sufficient statistics and what is worth keeping over a crash. The engine adds the samples' hash. */
export function checkpointOf(state: RolloutState, watch: Watch, nowMs: number): RolloutEvent {
  const load = loadKnown(state, watch, nowMs);
  return {
    kind: 'checkpoint',
    judge: watch.judge,
    samples: null,
    seen: {
      originRpsPerInstanceMax: watch.originRpsPerInstanceMax,
      share: recentShare(watch.recent),
      loadRps: load.rps,
      ...(load.atMs === null ? {} : { loadAtMs: load.atMs }),
      restarts: watch.restarts.total,
      counted: watch.counted,
    },
  };
}

/**
 * Of all backends; of one that is not read any more it is the last that was known. A controller that has not counted at every one
 * yet knows what the one before it wrote down, and not less than it has counted itself. null: nobody knows.
 */
function loadKnown(
  { plan: { backends }, seen, checkpointAtMs }: RolloutState,
  watch: Watch,
  nowMs: number,
): { readonly rps: number | null; readonly atMs: number | null } {
  const ids = backends.map(({ id }) => id);
  const load = loadRps(watch.load, ids);
  if (load.known) return { rps: load.value, atMs: nowMs };
  if (seen.loadRps === null) return { rps: null, atMs: null };
  const counted = ids.map((id) => loadRps(watch.load, [id]));
  const sum = counted.reduce((total, one) => total + (one.known ? one.value : 0), 0);
  return sum >= seen.loadRps ? { rps: sum, atMs: nowMs } : { rps: seen.loadRps, atMs: seen.loadAtMs ?? checkpointAtMs };
}

/** The destination's part of the newest attempts that say something: what is there now, not what was a few seconds ago. */
export function newestShare({ recent }: Pick<Watch, 'recent'>): number | null {
  const windows = Object.values(recent).flat();
  windows.sort((one, other) => other.toMs - one.toMs);
  let destination = 0;
  let total = 0;
  for (const window of windows) {
    destination += window.destination.attempts;
    total += window.destination.attempts + window.origin.attempts;
    if (total >= attemptsToTell) break;
  }
  return total === 0 ? null : destination / total;
}

/** The destination's part of the attempts of the last seconds, over all backends; null: there were none. */
export function recentShare(recent: RecentLoad): number | null {
  const destination = recentTally(recent, 'destination').attempts;
  const total = destination + recentTally(recent, 'origin').attempts;
  return total === 0 ? null : destination / total;
}
