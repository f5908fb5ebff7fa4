import { loadRps, recentTally } from '../../core/rollout/load.ts';
import type { Observation } from '../../core/rollout/observation.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import { startWatch, type Watch, watch } from '../../core/rollout/watch.ts';
import type { Context } from '../context.ts';

/** What was seen of a rollout that no controller runs, over more than one reading: counters alone tell nothing of now. */
export type SeenTraffic = { readonly observation: Observation; readonly watch: Watch; readonly looks: number };

/** Looks again and again until that is enough. */
export async function seenTraffic(
  context: Context,
  state: RolloutState,
  observe: () => Promise<Observation>,
  isEnough: (seen: SeenTraffic) => boolean,
): Promise<SeenTraffic> {
  let seen = startWatch(state);
  for (let looks = 1; ; looks++) {
    const observation = await observe();
    seen = watch(seen, state, observation);
    const all = { observation, watch: seen, looks };
    if (isEnough(all)) return all;
    await context.clock.sleep(pollMs, new AbortController().signal);
  }
}

const pollMs = 1000;

/** Two readings of every balancer that answers; the others are not waited for twice. */
export function isGlance({ observation, looks }: SeenTraffic): boolean {
  return looks > 1 || Object.values(observation.backends).some(({ reading }) => !reading.known);
}

/** Enough to tell failures by; where there are few requests, what comes in a few seconds has to do. */
export function isLook({ observation, watch: seen, looks }: SeenTraffic): boolean {
  if (looks >= looksMax) return true;
  const isLoadKnown = loadRps(seen.recent, Object.keys(observation.backends)).known;
  return isLoadKnown && recentTally(seen.recent, 'destination').attempts >= attemptsToTell;
}

const attemptsToTell = 20;
const looksMax = 6;
