import type { TopicFound } from './observation.ts';
import type { TopicToMake } from './plan.ts';

/** Null: nothing is set at the topic itself. */
export function ownValue(found: TopicFound | undefined, key: string): string | null {
  const setting = found?.settings?.[key];
  return setting?.level === 'topic' ? setting.value : null;
}

/**
 * Whether a topic that was to be made is the one that we have made: the target has said so (`answered`), or, where its answer was lost, it
 * is to the last setting what was asked for. Somebody else's topic has other settings, or none; so one that was to have none is not ours by that.
 */
export function isMadeBy(answered: string | undefined, make: TopicToMake, found: TopicFound): boolean {
  if (answered !== undefined) return answered === found.topicId;
  const own = Object.entries(found.settings ?? {}).filter(([, { level }]) => level === 'topic');
  const wanted = Object.keys(make.settings);
  return (
    wanted.length > 0 &&
    found.partitions === make.partitions &&
    own.length === wanted.length &&
    own.every(([key, { value }]) => make.settings[key] === value)
  );
}
