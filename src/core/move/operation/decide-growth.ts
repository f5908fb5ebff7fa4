import type { MoveEffect } from './decision.ts';
import type { MoveEvent } from './events.ts';
import type { MoveObservation } from './observation.ts';
import type { MoveState } from './state.ts';
import type { MoverFigures } from './told.ts';

/** Partitions that topics of the source have got while they are followed: made on the target, then copied from their beginning. */
export function growth(
  state: MoveState,
  { sourcePartitions = {} }: MoverFigures,
  topics: MoveObservation['topics'],
): { readonly events: readonly MoveEvent[]; readonly effects: readonly MoveEffect[] } {
  if (!state.plan.asked.follow || state.held !== null) return { events: [], effects: [] };
  const found = state.plan.topics.flatMap(({ name, partitions }): MoveEvent[] => {
    const known = Math.max(partitions.length, state.growing[name] ?? 0);
    const now = sourcePartitions[name] ?? 0;
    return now > known ? [{ kind: 'partitions-found', topic: name, partitions: now }] : [];
  });
  if (found.length > 0 || topics === null || !topics.known) return { events: found, effects: [] };
  const events: MoveEvent[] = [];
  const effects: MoveEffect[] = [];
  for (const [topic, partitions] of Object.entries(state.growing)) {
    const there = topics.value[topic];
    // One that was made anew under its name is not ours to change: its partitions stop by themselves.
    if (there === undefined || there.topicId !== state.targetIds[topic]) continue;
    if (there.partitions >= partitions) events.push({ kind: 'partitions-added', topic, partitions });
    else effects.push({ kind: 'make-partitions', topic, partitions });
  }
  return { events, effects };
}
