import type { MoveObservation, TopicFound } from '../../../core/move/operation/observation.ts';
import type { MoveState } from '../../../core/move/operation/state.ts';
import type { PartitionTold } from '../../../core/move/operation/told.ts';
import type { TopicLever } from '../../../core/move/topic-levers.ts';

/** Levers that are as somebody else has set them show as `value` says. */
export function withSettings(
  observation: MoveObservation,
  { levers }: MoveState,
  value: (lever: TopicLever) => string | null,
): MoveObservation {
  return eachTopic(observation, (topic, name) => {
    if (topic.settings === null) return topic;
    const settings = { ...topic.settings };
    for (const lever of levers.filter((one) => one.topic === name)) {
      const { value: now, level } = settings[lever.key] ?? { value: null, level: 'default' };
      const own = level === 'topic' ? now : null;
      if (own === lever.before || own === lever.whileCopying) continue;
      const shown = value(lever);
      settings[lever.key] = { value: shown, level: shown === null ? 'default' : 'topic' };
    }
    return { ...topic, settings };
  });
}

export function ofAnyId(observation: MoveObservation, { targetIds }: MoveState): MoveObservation {
  return eachTopic(observation, (topic, name) =>
    topic.topicId === null ? topic : { ...topic, topicId: targetIds[name] ?? topic.topicId },
  );
}

/** Ids of all that are there, by name. */
export function foundWith({ topics }: MoveObservation): Readonly<Record<string, string>> {
  const found = Object.entries(topics?.known ? topics.value : {});
  return Object.fromEntries(found.flatMap(([name, { topicId }]) => (topicId === null ? [] : [[name, topicId]])));
}

export function emptyOfOthers(observation: MoveObservation): MoveObservation {
  return eachTopic(observation, (topic) =>
    topic.holdings === null ? topic : { ...topic, holdings: { partitions: [], groups: [] } },
  );
}

/** Of a topic that is to be made anew: as if nothing had come since, and nobody read it. */
export function endingAsAsked(observation: MoveObservation, { stage }: MoveState): MoveObservation {
  if (stage.kind !== 'rebuilding') return observation;
  const partitions = stage.ends.map((end) => ({ ...end, ledgerEnd: null }));
  return eachTopic(observation, (topic) =>
    topic.holdings === null ? topic : { ...topic, holdings: { partitions, groups: [] } },
  );
}

export function asTold(observation: MoveObservation, change: (told: PartitionTold) => PartitionTold): MoveObservation {
  const { mover } = observation;
  if (mover.kind !== 'running' && mover.kind !== 'done') return observation;
  return { ...observation, mover: { ...mover, partitions: mover.partitions.map(change) } };
}

export function tellingAll(observation: MoveObservation): MoveObservation {
  const { mover } = observation;
  if (mover.kind !== 'running' && mover.kind !== 'done') return observation;
  return { ...observation, mover: { ...mover, bytes: 2 * mover.bytes } };
}

export function withoutGrowth(observation: MoveObservation): MoveObservation {
  const { mover } = observation;
  if (mover.kind !== 'running') return observation;
  return { ...observation, mover: { ...mover, sourcePartitions: {} } };
}

function eachTopic(
  observation: MoveObservation,
  change: (topic: TopicFound, name: string) => TopicFound,
): MoveObservation {
  const { topics } = observation;
  if (topics === null || !topics.known) return observation;
  const changed = Object.entries(topics.value).map(([name, topic]) => [name, change(topic, name)] as const);
  return { ...observation, topics: { known: true, value: Object.fromEntries(changed) } };
}
