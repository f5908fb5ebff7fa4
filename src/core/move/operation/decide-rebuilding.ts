import { type MoveDecision, nothing } from './decision.ts';
import type { MoveEvent, TopicToRebuild } from './events.ts';
import type { Holdings, MoveObservation, TopicFound } from './observation.ts';
import type { TopicToMake } from './plan.ts';
import { lagMsMax, leversOf, type MoveState } from './state.ts';

/** What was sent and given up may be performed for so long, and lands in whatever topic has that name by then. */
const lateMsMax = 30_000;

/** Nothing moves; a topic is deleted where nobody needs it, by the intent that was journalled before. Then all goes on as at the beginning. */
export function decideRebuilding(state: MoveState, observation: MoveObservation): MoveDecision {
  const { stage } = state;
  const { mover, topics, nowMs, quietAtMs } = observation;
  if (stage.kind !== 'rebuilding' || state.held !== null) return nothing;
  if (mover.kind === 'running' || mover.kind === 'starting' || topics === null || !topics.known) return nothing;
  const found = topics.value[stage.topic];
  if (found === undefined) return nothing;
  const { topic, make } = stage;
  if (found.topicId !== stage.topicId) {
    // A broker may not have heard of it yet, and what was given up may still be done.
    const sureAtMs = Math.max(quietAtMs, state.preparedAtMs + lagMsMax);
    if (nowMs < sureAtMs) return { ...nothing, wakeAtMs: sureAtMs };
    if (make === null) return refused(topic, 'somebody else has deleted it, or made it anew');
    return { ...nothing, events: [{ kind: 'topic-cleared', topic }], wakeAtMs: 0 };
  }
  const settledAtMs = state.stageSinceMs + lateMsMax;
  if (make === null && nowMs < settledAtMs) return { ...nothing, wakeAtMs: settledAtMs };
  if (found.holdings === null) return nothing;
  const why = neededWhy(stage, found.holdings);
  if (why !== null) return refused(topic, why);
  const now = makeOf(state, stage, found);
  // Somebody may have changed a setting since it was intended: what is there when it is deleted is what is made.
  if (make === null || !isSameMake(make, now)) {
    const intended: MoveEvent = { kind: 'rebuild-intended', topic, make: now };
    return { ...nothing, events: [intended], wakeAtMs: 0 };
  }
  return { ...nothing, effects: [{ kind: 'delete-topic', topic, topicId: stage.topicId }] };
}

function refused(topic: string, why: string): MoveDecision {
  return { ...nothing, events: [{ kind: 'rebuild-refused', topic, why }], wakeAtMs: 0 };
}

/** Null: it ends where it ended when every batch of it was ours, and nobody has begun to read it. */
function neededWhy({ ends }: TopicToRebuild, { partitions, groups }: Holdings): string | null {
  if (groups.length > 0) return `groups have committed offsets on it: ${groups.join(', ')}`;
  for (const { partition, logEnd } of partitions) {
    const before = ends.find((one) => one.partition === partition)?.logEnd ?? 0;
    if (logEnd !== before)
      return `partition ${partition} ended at offset ${before} when all of its batches were ours, and ends at ${logEnd} now`;
  }
  return null;
}

/** As it is, but for what is set aside for the copy. */
function makeOf(state: MoveState, { topic, replicationFactor }: TopicToRebuild, found: TopicFound): TopicToMake {
  const settings = Object.entries(found.settings ?? {}).flatMap(([key, { value, level }]) => {
    const lever = leversOf(state).find((one) => one.topic === topic && one.key === key);
    const kept = lever !== undefined && lever.whileCopying === value ? lever.before : value;
    return level === 'topic' && kept !== null ? [[key, kept] as const] : [];
  });
  return { partitions: found.partitions, replicationFactor, settings: Object.fromEntries(settings) };
}

function isSameMake(one: TopicToMake, other: TopicToMake): boolean {
  const keys = Object.keys(one.settings);
  return (
    one.partitions === other.partitions &&
    keys.length === Object.keys(other.settings).length &&
    keys.every((key) => one.settings[key] === other.settings[key])
  );
}
