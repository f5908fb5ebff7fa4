import { hasPart, timeBounds, unlimited } from './setting-names.ts';
import type { SettingChange, Settings } from './topic-facts.ts';

/** A setting of a topic of the target that is another one while the topic is behind. */
export type TopicLever = {
  readonly topic: string;
  readonly key: string;
  /** At the level of the topic; null: not set there. */
  readonly before: string | null;
  readonly whileCopying: string;
};

/**
 * What has to be different while a topic is behind; nothing where it is so already. `settings`: those that the topic will have.
 *
 * Old records would be deleted at the next check of retention, or refused for their time; compaction would take away what has not
 * been read back; any other compression would change the bytes; an append time would replace the times of all records.
 */
export function leversWhileBehind(topic: string, settings: Settings, largestBatchBytes: number): TopicLever[] {
  const effective = (key: string) => settings[key]?.value ?? null;
  const wanted: [key: string, value: string][] = [
    ['retention.ms', '-1'],
    ['retention.bytes', '-1'],
    ...timeBounds.filter((key) => Object.hasOwn(settings, key)).map((key): [string, string] => [key, unlimited]),
    ['compression.type', 'producer'],
    ['message.timestamp.type', 'CreateTime'],
  ];
  // A broker refuses a smallest lag above the largest one.
  if (hasPart(effective('cleanup.policy') ?? '', 'compact'))
    wanted.push(['max.compaction.lag.ms', unlimited], ['min.compaction.lag.ms', unlimited]);
  if (Number(effective('max.message.bytes') ?? Number.POSITIVE_INFINITY) < largestBatchBytes)
    wanted.push(['max.message.bytes', `${largestBatchBytes}`]);
  return wanted
    .filter(([key, value]) => Object.hasOwn(settings, key) && effective(key) !== value)
    .map(([key, whileCopying]) => ({ topic, key, before: ownValue(settings, key), whileCopying }));
}

/** A lever of a copy that has not ended, and the topic at which it may be set. */
export type SetAside = TopicLever & { readonly operation: string; readonly topicId: string };

/** Those of them that are set now. */
export function stillSet(levers: readonly SetAside[], topicId: string | null, now: Settings): SetAside[] {
  return levers.filter((lever) => lever.topicId === topicId && ownValue(now, lever.key) === lever.whileCopying);
}

/**
 * The settings of a topic as they were before copies that have not ended set some of them aside: what those have set says nothing of the
 * topic, and would be taken for what has to be there again afterwards.
 */
export function withoutSetAside(levers: readonly SetAside[], topicId: string | null, now: Settings): Settings {
  const before = stillSet(levers, topicId, now).map(({ key, before }): [string, Settings[string]] => [
    key,
    // Where nothing was set at the topic its broker has a value that is not told while something is.
    before === null ? { value: null, level: 'default' } : { value: before, level: 'topic' },
  ]);
  return { ...now, ...Object.fromEntries(before) };
}

/** What restores a lever, by what the setting is now. */
export type Restoring =
  | { readonly kind: 'change'; readonly change: SettingChange }
  /** It was never set, or is restored. */
  | { readonly kind: 'nothing' }
  /** Somebody has changed it meanwhile: it stays, and is told. */
  | { readonly kind: 'left'; readonly now: string | null };

/** Touches only what is still as we have set it. `now`: settings of the topic as they are. */
export function restoring({ topic, key, before, whileCopying }: TopicLever, now: Settings): Restoring {
  const own = ownValue(now, key);
  if (own === before) return { kind: 'nothing' };
  return own === whileCopying ? { kind: 'change', change: { topic, key, value: before } } : { kind: 'left', now: own };
}

/** Null: not set at the level of the topic. */
function ownValue(settings: Settings, key: string): string | null {
  const setting = settings[key];
  return setting?.level === 'topic' ? setting.value : null;
}
