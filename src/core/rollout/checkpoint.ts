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
export function checkpointOf(watch: Watch): RolloutEvent {
  const counted = Object.keys(watch.recent);
  const load = loadRps(watch.load, counted);
  return {
    kind: 'checkpoint',
    judge: watch.judge,
    samples: null,
    seen: {
      originRpsPerInstanceMax: watch.originRpsPerInstanceMax,
      share: recentShare(watch.recent),
      // Nothing was counted yet: that is no load of zero. Of a balancer that is not read any more it is the last that was known.
      loadRps: load.known && counted.length > 0 ? load.value : null,
      restarts: watch.restarts.total,
      counted: watch.counted,
    },
  };
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
