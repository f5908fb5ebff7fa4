import type { BackPerformed } from '../../core/rollout/events.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import { causeName, inert } from '../journal/sentences.ts';

/**
 * How a way back has ended, for people: whether everything is as it was found, and if not, what is not. `again`: of one that had
 * ended before, the backends at which this one had to take something away again; null: of one that has ended now.
 */
export function outcomeLines(left: readonly string[], again: readonly string[] | null = null): readonly string[] {
  const done =
    again === null
      ? 'rolled back'
      : again.length === 0
        ? 'nothing had to be done'
        : `what had been given to the destination at ${again.join(', ')} was taken away again`;
  if (left.length === 0) return [`${done}: everything is as it was found`];
  return [`${done}, and not everything is as it was found:`, ...left.map((line) => `  ${line}`)];
}

/** When, why and by whom a way back was taken. */
export function takenAtWords({ cause, performedAtMs }: Pick<BackPerformed, 'cause' | 'performedAtMs'>): string {
  return inert(`taken at ${new Date(performedAtMs).toISOString()} (${causeName(cause, null)})`);
}

/** When, why and by whom a rollout was rolled back; null: it was not. */
export function rolledBackWords({ stage, stageSinceMs, back }: RolloutState): string | null {
  if (stage.kind !== 'rolled-back' || back === null) return null;
  const took = `${((stageSinceMs - back.performedAtMs) / 1000).toFixed(1)} s`;
  return `rolled back at ${new Date(back.performedAtMs).toISOString()} in ${took} (${causeName(back.cause, back.verdict)})`;
}
