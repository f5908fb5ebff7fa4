import { type MoveDecision, type MoveEffect, nothing } from './decision.ts';
import type { MoveEvent } from './events.ts';
import type { MoveObservation, TopicFound } from './observation.ts';
import type { MoveState } from './state.ts';

/** Topics are made as the plan says, then levers are set, then data may move. */
export function decidePreparing(state: MoveState, { topics }: MoveObservation): MoveDecision {
  // Held before anything has begun: nothing is made either.
  if (state.held !== null || topics === null || !topics.known) return nothing;
  const events: MoveEvent[] = [];
  const effects: MoveEffect[] = [];
  for (const { name, make, grow } of state.plan.topics) {
    const found = topics.value[name];
    if (found === undefined) continue;
    if (grow !== null && !state.grown.includes(name)) {
      if (found.partitions >= grow) events.push({ kind: 'partitions-made', topic: name });
      else effects.push({ kind: 'make-partitions', topic: name, partitions: grow });
    }
    if (make === null || state.made.includes(name)) continue;
    if (found.topicId === null) effects.push({ kind: 'make-topic', topic: name, ...make });
    else if (found.partitions >= make.partitions)
      events.push({ kind: 'topic-made', topic: name, topicId: found.topicId });
  }
  if (events.length > 0) return { ...nothing, events, wakeAtMs: 0 };
  if (effects.length > 0 || state.plan.topics.some(({ name }) => state.targetIds[name] === undefined))
    return { ...nothing, effects, wakeAtMs: soonMs(effects) };
  const wanted = state.plan.topics.flatMap(({ changes }) => changes);
  if (wanted.length > 0 && !state.areSettingsChanged) {
    const changes = wanted.filter(({ topic, key, value }) => ownValue(topics.value[topic], key) !== value);
    if (changes.length > 0) return { ...nothing, effects: [{ kind: 'change-settings', changes }], wakeAtMs: 0 };
    return { ...nothing, events: [{ kind: 'settings-changed' }], wakeAtMs: 0 };
  }
  const changes = state.plan.levers
    .filter(({ topic, key, whileCopying }) => topics.value[topic]?.settings?.[key]?.value !== whileCopying)
    .map(({ topic, key, whileCopying }) => ({ topic, key, value: whileCopying }));
  if (changes.length > 0) return { ...nothing, effects: [{ kind: 'change-settings', changes }], wakeAtMs: 0 };
  const set: MoveEvent[] = state.plan.levers.length === 0 ? [] : [{ kind: 'levers-set' }];
  return { ...nothing, events: [...set, { kind: 'copying' }], wakeAtMs: 0 };
}

/** Null: nothing is set at the topic itself. */
function ownValue(found: TopicFound | undefined, key: string): string | null {
  const setting = found?.settings?.[key];
  return setting?.level === 'topic' ? setting.value : null;
}

/** After an effect it is looked at once, at once. */
function soonMs(effects: readonly MoveEffect[]): number | null {
  return effects.length > 0 ? 0 : null;
}
