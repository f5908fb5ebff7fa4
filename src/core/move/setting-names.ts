import type { Settings } from './topic-facts.ts';

/** Above every time and every length: the largest int64. */
export const unlimited = '9223372036854775807';

/**
 * Settings by the names that the newest Kafka has for them, so that clusters of different versions can be compared.
 *
 * Before 3.6 message.timestamp.difference.max.ms bounds both directions; from 3.6 to 3.9 it does where the newer two are at their
 * default; 4.0 has only these.
 */
export function modernSettings(settings: Settings): Settings {
  const own = Object.entries(settings).filter(([name]) => !notCompared.has(name) && name !== difference);
  const old = settings[difference];
  if (old === undefined) return Object.fromEntries(own);
  const bounds = [before, after].map((name) => {
    const setting = settings[name];
    return [name, setting === undefined || setting.value === unlimited ? old : setting] as const;
  });
  return Object.fromEntries([...own, ...bounds]);
}

/** A setting by the names that a cluster has for it, or why it has none. */
export type Translated =
  | { readonly kind: 'same' }
  | { readonly kind: 'renamed'; readonly name: string }
  | { readonly kind: 'unknown' };

export function translated(name: string, known: Settings): Translated {
  if (Object.hasOwn(known, name)) return { kind: 'same' };
  const isBound = name === before || name === after;
  return isBound && Object.hasOwn(known, difference) ? { kind: 'renamed', name: difference } : { kind: 'unknown' };
}

/** One bound of the time of a record for both directions, so that neither refuses what the two would take. */
export function widerBound(modern: Settings): string {
  const values = [before, after].map((name) => BigInt(modern[name]?.value ?? unlimited));
  return `${values.reduce((one, other) => (one > other ? one : other))}`;
}

/** Whether two values of a setting mean the same. */
export function isSameValue(name: string, one: string | null, other: string | null): boolean {
  if (one === other) return true;
  if (one === null || other === null || !lists.has(name)) return false;
  return parts(one).join() === parts(other).join();
}

export function hasPart(list: string, part: string): boolean {
  return parts(list).includes(part);
}

/** The broker's setting, in server.properties, that a topic without one of its own follows. */
export function brokerNameOf(name: string): string {
  return brokerNames[name] ?? `log.${name}`;
}

const difference = 'message.timestamp.difference.max.ms';
const before = 'message.timestamp.before.max.ms';
const after = 'message.timestamp.after.max.ms';

/** Bounds of the time of a record, in every version's words. */
export const timeBounds: readonly string[] = [before, after, difference];

/** What belongs to the cluster that a topic lies in, and not to the topic. */
const notCompared: ReadonlySet<string> = new Set([
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
  // The form in which an old broker stores what it is given; the records themselves are copied as v2.
  'message.format.version',
  'remote.storage.enable',
  'remote.log.copy.disable',
  'remote.log.delete.on.disable',
  'local.retention.ms',
  'local.retention.bytes',
]);

const lists: ReadonlySet<string> = new Set(['cleanup.policy']);

function parts(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .sort();
}

/** Where it is not `log.` and the topic's name for it. */
const brokerNames: Readonly<Record<string, string>> = {
  'max.message.bytes': 'message.max.bytes',
  'compression.type': 'compression.type',
  'min.insync.replicas': 'min.insync.replicas',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
  'compression.gzip.level': 'compression.gzip.level',
  'compression.lz4.level': 'compression.lz4.level',
  'compression.zstd.level': 'compression.zstd.level',
  'segment.ms': 'log.roll.ms or log.roll.hours',
  'segment.jitter.ms': 'log.roll.jitter.ms or log.roll.jitter.hours',
  'retention.ms': 'log.retention.ms, log.retention.minutes or log.retention.hours',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
};
