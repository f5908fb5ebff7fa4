import type { RolloutEvent } from './events.ts';
import { loadRps, recentTally } from './load.ts';
import type { RolloutState } from './state.ts';
import type { Watch } from './watch.ts';

const checkpointEveryMs = 30_000;

export function checkpointDue(state: RolloutState, nowMs: number): boolean {
  return nowMs - state.checkpointAtMs >= checkpointEveryMs;
}

/** The judge's sufficient statistics and what is worth keeping over a crash. The engine adds the samples' hash. */
export function checkpointOf(watch: Watch): RolloutEvent {
  const load = loadRps(watch.recent, Object.keys(watch.recent));
  return {
    kind: 'checkpoint',
    judge: watch.judge,
    samples: null,
    seen: {
      originRpsPerInstanceMax: watch.originRpsPerInstanceMax,
      share: recentShare(watch),
      loadRps: load.known ? load.value : null,
      restarts: watch.restarts.total,
      counted: watch.counted,
    },
  };
}

/** The destination's part of the attempts of the last seconds, over all backends; null: there were none. */
export function recentShare(watch: Watch): number | null {
  const destination = recentTally(watch.recent, 'destination').attempts;
  const total = destination + recentTally(watch.recent, 'origin').attempts;
  return total === 0 ? null : destination / total;
}
