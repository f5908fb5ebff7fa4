import { restoring } from '../topic-levers.ts';
import { type MoveDecision, type MoveEffect, nothing } from './decision.ts';
import type { MoveEvent } from './events.ts';
import type { Holdings, MoveObservation, TopicFound } from './observation.ts';
import type { MoveState } from './state.ts';

/** No data moves: what was changed for the copy is put back, and where it is asked for, what was made is removed. */
export function decideEnding(state: MoveState, observation: MoveObservation): MoveDecision {
  const { mover, topics } = observation;
  // Restored while something still writes, a lever would have an effect on it.
  if (mover.kind === 'running' || mover.kind === 'starting') return nothing;
  if (topics === null || !topics.known) return nothing;
  if (state.stage.kind === 'restoring') return restore(state, state.stage.becoming, topics.value);
  return remove(state, topics.value);
}

type Topics = Readonly<Record<string, TopicFound>>;

function restore(state: MoveState, becoming: 'copied' | 'aborted', topics: Topics): MoveDecision {
  // A topic that is gone has no setting that could be left.
  const found = state.plan.levers.flatMap((lever) => {
    const settings = topics[lever.topic]?.settings ?? null;
    return settings === null ? [] : [{ lever, restoring: restoring(lever, settings) }];
  });
  const changes = found.flatMap(({ restoring }) => (restoring.kind === 'change' ? [restoring.change] : []));
  if (changes.length > 0) return { ...nothing, effects: [{ kind: 'change-settings', changes }], wakeAtMs: 0 };
  const left = found.flatMap(({ lever: { topic, key }, restoring }) =>
    restoring.kind === 'left' ? [`${topic}: ${key} is ${restoring.now ?? 'not set'} now`] : [],
  );
  const restored: MoveEvent[] = state.plan.levers.length === 0 ? [] : [{ kind: 'levers-restored', left }];
  if (becoming === 'copied') return { ...nothing, events: [...restored, { kind: 'copied' }], wakeAtMs: 0 };
  const { removal } = state;
  const next: MoveEvent[] = removal === null ? [] : [{ kind: 'removal-asked', ...removal }];
  return { ...nothing, events: [...restored, { kind: 'copy-aborted' }, ...next], wakeAtMs: 0 };
}

function remove(state: MoveState, topics: Topics): MoveDecision {
  const events: MoveEvent[] = [];
  const effects: MoveEffect[] = [];
  for (const topic of state.made) {
    const found = topics[topic];
    const topicId = state.targetIds[topic];
    if (found === undefined || topicId === undefined) continue;
    if (state.removed.includes(topic) || state.kept[topic] !== undefined) continue;
    if (found.topicId !== topicId) events.push({ kind: 'topic-deleted', topic });
    else if (found.holdings !== null) {
      const why = keepWords(found.holdings);
      if (why !== null) events.push({ kind: 'topic-kept', topic, why });
      else effects.push({ kind: 'delete-topic', topic, topicId });
    }
  }
  if (events.length > 0) return { ...nothing, events, wakeAtMs: 0 };
  if (effects.length > 0) return { ...nothing, effects };
  const isSettled = state.made.every((topic) => state.removed.includes(topic) || state.kept[topic] !== undefined);
  return isSettled ? { ...nothing, events: [{ kind: 'copy-removed' }], wakeAtMs: 0 } : nothing;
}

/** Why somebody may need it; null: it holds our batches and nothing else, and nobody has begun to read it. */
function keepWords({ partitions, groups }: Holdings): string | null {
  if (groups.length > 0) return `groups have committed offsets on it: ${groups.join(', ')}`;
  const foreign = partitions.find(({ logEnd, ledgerEnd }) => logEnd !== (ledgerEnd ?? 0));
  if (foreign === undefined) return null;
  const { partition, logEnd, ledgerEnd } = foreign;
  return `partition ${partition} ends at offset ${logEnd}, and what was copied ends at ${ledgerEnd ?? 0}: it holds what is not ours`;
}
