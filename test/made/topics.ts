import type { Settings, TargetTopic, TopicFacts } from '../../src/core/move/topic-facts.ts';
import { known } from '../../src/core/observed/reading.ts';

/** Values by name; those in `own` are set at the level of the topic. */
export function settings(
  defaults: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>> = {},
): Settings {
  const at = (level: 'topic' | 'default', values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => [name, { value, level }] as const);
  return Object.fromEntries([...at('default', defaults), ...at('topic', own)]);
}

export const largest = '9223372036854775807';

/** Some of what a broker of 4.3 has for a topic. */
export const settingsOf43 = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'max.compaction.lag.ms': largest,
  'max.message.bytes': '1048588',
  'message.timestamp.after.max.ms': '3600000',
  'message.timestamp.before.max.ms': largest,
  'message.timestamp.type': 'CreateTime',
  'min.compaction.lag.ms': '0',
  'min.insync.replicas': '1',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
};

export const settingsOf28 = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'max.compaction.lag.ms': largest,
  'max.message.bytes': '1048588',
  'message.downconversion.enable': 'true',
  'message.format.version': '2.8-IV1',
  'message.timestamp.difference.max.ms': largest,
  'message.timestamp.type': 'CreateTime',
  'min.compaction.lag.ms': '0',
  'min.insync.replicas': '1',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
};

export function topicFacts(facts: Partial<TopicFacts> = {}): TopicFacts {
  return {
    name: 'orders',
    topicId: 'AAECAwQFBgcICQoLDA0ODw',
    partitions: 6,
    replicationFactor: 3,
    settings: known(settings(settingsOf43)),
    ...facts,
  };
}

export function targetTopic(facts: Partial<TargetTopic> = {}): TargetTopic {
  return { ...topicFacts(), isOurs: false, held: known([]), ...facts };
}
