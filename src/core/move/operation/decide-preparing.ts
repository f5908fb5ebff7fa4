import type { SettingChange } from '../topic-facts.ts';
import type { TopicLever } from '../topic-levers.ts';
import { decideAcls } from './decide-acls.ts';
import { type MoveDecision, type MoveEffect, nothing } from './decision.ts';
import type { MoveEvent } from './events.ts';
import { isMadeBy, ownValue } from './found-topic.ts';
import type { MoveObservation, TopicFound } from './observation.ts';
import { lagMsMax, type MoveState } from './state.ts';

/** Rights are given, topics made as the plan says, then levers are set, then data may move. */
export function decidePreparing(state: MoveState, { topics, acls, made, nowMs }: MoveObservation): MoveDecision {
  // Held before anything has begun: nothing is made either.
  if (state.held !== null || topics === null || !topics.known) return nothing;
  const rights = decideAcls(state, acls);
  if (rights !== null) return rights;
  const makings = decideMaking(state, topics.value, made);
  if (makings !== null) return makings;
  const isOurs = (topic: string) => topics.value[topic]?.topicId === state.targetIds[topic];
  // A broker may not have heard of a topic that another one has told of. One that is gone for good its mover will tell of.
  const lagEndsAtMs = state.preparedAtMs + lagMsMax;
  if (nowMs < lagEndsAtMs && !state.plan.topics.every(({ name }) => isOurs(name)))
    return { ...nothing, wakeAtMs: lagEndsAtMs };
  const wanted = state.plan.topics.flatMap(({ changes }) => changes);
  if (wanted.length > 0 && !state.areSettingsChanged) {
    const changes = wanted.filter(
      ({ topic, key, value }) => isOurs(topic) && ownValue(topics.value[topic], key) !== value,
    );
    return changes.length > 0 ? changing(changes) : { ...nothing, events: [{ kind: 'settings-changed' }], wakeAtMs: 0 };
  }
  return decideLevers(state, topics.value, nowMs);
}

type Topics = Readonly<Record<string, TopicFound>>;

/** Null: nothing is to be made any more. */
function decideMaking(state: MoveState, topics: Topics, made: MoveObservation['made']): MoveDecision | null {
  const events: MoveEvent[] = [];
  const effects: MoveEffect[] = [];
  for (const { name, make, grow } of state.plan.topics) {
    const found = topics[name];
    if (found === undefined) continue;
    const id = state.targetIds[name];
    if (grow !== null && !state.grown.includes(name) && found.topicId === id) {
      if (found.partitions >= grow) events.push({ kind: 'partitions-made', topic: name });
      else effects.push({ kind: 'make-partitions', topic: name, partitions: grow });
    }
    if (make === null || id !== undefined) continue;
    const { topicId } = found;
    // It is deleted: whoever tells of it has not heard of that yet.
    if (topicId !== null && topicId === state.cleared[name]) continue;
    if (topicId === null) effects.push({ kind: 'make-topic', topic: name, ...make });
    else events.push({ kind: isMadeBy(made[name], make, found) ? 'topic-made' : 'topic-found', topic: name, topicId });
  }
  if (events.length > 0) return { ...nothing, events, wakeAtMs: 0 };
  if (effects.length > 0) return { ...nothing, effects, wakeAtMs: 0 };
  return state.plan.topics.some(({ name }) => state.targetIds[name] === undefined) ? nothing : null;
}

function decideLevers(state: MoveState, topics: Topics, nowMs: number): MoveDecision {
  const own = state.levers.filter(({ topic }) => topics[topic]?.topicId === state.targetIds[topic]);
  const levers = own.map((lever) => asFound(lever, topics[lever.topic], state.areLeversIntended));
  const isNew = levers.some(({ before }, index) => before !== own[index]?.before);
  // What differs so soon after our own changes may be what was there before them.
  const lagEndsAtMs = state.preparedAtMs + lagMsMax;
  if (isNew && state.areLeversIntended && nowMs < lagEndsAtMs) return { ...nothing, wakeAtMs: lagEndsAtMs };
  if (state.levers.length > 0 && (isNew || !state.areLeversIntended))
    return { ...nothing, events: [{ kind: 'levers-intended', levers }], wakeAtMs: 0 };
  if (nowMs < state.leversSureAtMs) return { ...nothing, wakeAtMs: state.leversSureAtMs };
  const changes = own
    .filter(({ topic, key, whileCopying }) => topics[topic]?.settings?.[key]?.value !== whileCopying)
    .map(({ topic, key, whileCopying }) => ({ topic, key, value: whileCopying }));
  if (changes.length > 0) return changing(changes);
  const set: MoveEvent[] = state.levers.length === 0 ? [] : [{ kind: 'levers-set' }];
  return { ...nothing, events: [...set, { kind: 'copying' }], wakeAtMs: 0 };
}

/** What is not as we set it is what has to be there again afterwards. */
function asFound(lever: TopicLever, found: TopicFound | undefined, isIntended: boolean): TopicLever {
  const now = ownValue(found, lever.key);
  return isIntended && now === lever.whileCopying ? lever : { ...lever, before: now };
}

/** It is looked at once, at once. */
function changing(changes: readonly SettingChange[]): MoveDecision {
  return { ...nothing, effects: [{ kind: 'change-settings', changes }], wakeAtMs: 0 };
}
