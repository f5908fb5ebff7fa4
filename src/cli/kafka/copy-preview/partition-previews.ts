import type { DiskFacts, PartitionFacts } from '../../../core/move/cluster-facts.ts';
import { olderShare, type TimedPartition } from '../../../core/move/copy-time.ts';
import { type Race, retentionRace } from '../../../core/move/retention-race.ts';
import { hasPart } from '../../../core/move/setting-names.ts';
import type { Settings, TopicFacts } from '../../../core/move/topic-facts.ts';
import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import type { PartitionPreview, Size } from './preview.ts';
import type { Samples } from './samples.ts';

/** What is known of a partition of the source before its race with retention is. */
export type Measured = Omit<PartitionPreview, 'race' | 'dueMs'> & {
  /** Of an average batch; null: none was seen. */
  readonly batchBytes: number | null;
};

export type Readings = {
  readonly first: readonly PartitionFacts[];
  readonly second: readonly PartitionFacts[];
  readonly apartMs: number;
};

export function measured(
  { first, second, apartMs }: Readings,
  samples: readonly Samples[],
  disks: readonly DiskFacts[],
): Measured[] {
  return first.map((facts) => {
    const { topic, partition, leader, bounds } = facts;
    const isIt = (one: { readonly topic: string; readonly partition: number }) =>
      one.topic === topic && one.partition === partition;
    const batches = samples.find(isIt)?.batches ?? [];
    const times = batches.map(({ newestMs }) => newestMs).filter((ms) => ms >= 0);
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0);
    return {
      ...{ topic, partition, leader, bounds },
      bytes: sizeOf(facts, batches, disks),
      oldestMs: times.length === 0 ? null : Math.min(...times),
      newestMs: times.length === 0 ? null : Math.max(...times),
      appendedPerSecond: appendedPerSecond(bounds, second.find(isIt)?.bounds, apartMs),
      batchBytes: batches.length === 0 ? null : bytes / batches.length,
    };
  });
}

/** By the time that the whole copy takes: all partitions are taken to advance together. */
export function raceOf(partition: Measured, topic: TopicFacts | undefined, copyMs: number | null, nowMs: number): Race {
  const { bytes, oldestMs, newestMs, bounds, appendedPerSecond: appended } = partition;
  if (topic?.settings.known !== true) return { kind: 'unknown', why: 'its retention is not known' };
  const { retentionMs, retentionBytes } = retentionOf(topic.settings.value);
  if (retentionMs === null && retentionBytes === null) return { kind: 'none', why: 'kept' };
  if (!bounds.known) return { kind: 'unknown', why: bounds.why };
  if (bounds.value.from === bounds.value.highWatermark) return { kind: 'none', why: 'in time' };
  if (copyMs === null) return { kind: 'unknown', why: 'without a rate nobody knows how long it takes' };
  if (!bytes.known) return { kind: 'unknown', why: bytes.why };
  if (retentionMs !== null && (oldestMs === null || newestMs === null))
    return { kind: 'unknown', why: 'its records have no times' };
  if (retentionBytes !== null && !appended.known) return { kind: 'unknown', why: appended.why };
  const offsets = Math.max(1, bounds.value.highWatermark - bounds.value.from);
  const perSecond = appended.known ? appended.value : 0;
  return retentionRace({
    ...{ nowMs, copyMs, retentionMs, retentionBytes },
    oldestMs: oldestMs ?? nowMs,
    newestMs: newestMs ?? nowMs,
    bytes: bytes.value.bytes,
    appendedBytesPerSecond: (perSecond * bytes.value.bytes) / offsets,
  });
}

/** When the oldest record that is to be copied may be deleted by its age; null: never, or it is not known. */
export function dueMsOf({ oldestMs }: Measured, topic: TopicFacts | undefined): number | null {
  if (topic?.settings.known !== true || oldestMs === null) return null;
  const { retentionMs } = retentionOf(topic.settings.value);
  return retentionMs === null ? null : oldestMs + retentionMs;
}

/** `rememberedFromMs`: of records that are older the target has forgotten who wrote them; null: it is not known, so of all. */
export function timedPartition(partition: Measured, rememberedFromMs: number | null): TimedPartition {
  const { leader, oldestMs, newestMs, batchBytes } = partition;
  const bytes = partition.bytes.known ? partition.bytes.value.bytes : 0;
  const isDated = oldestMs !== null && newestMs !== null;
  const share = rememberedFromMs === null || !isDated ? 1 : olderShare(oldestMs, newestMs, rememberedFromMs);
  return { leader, bytes, slowBytes: bytes * share, batchBytes: batchBytes ?? 0 };
}

type Retention = { readonly retentionMs: number | null; readonly retentionBytes: number | null };

function retentionOf(settings: Settings): Retention {
  if (!hasPart(settings['cleanup.policy']?.value ?? 'delete', 'delete'))
    return { retentionMs: null, retentionBytes: null };
  const limit = (key: string) => {
    const value = Number(settings[key]?.value ?? -1);
    return value < 0 ? null : value;
  };
  return { retentionMs: limit('retention.ms'), retentionBytes: limit('retention.bytes') };
}

type Batches = Samples['batches'];

function sizeOf(
  { topic, partition, leader, bounds }: PartitionFacts,
  batches: Batches,
  disks: readonly DiskFacts[],
): Reading<Size> {
  if (!bounds.known) return bounds;
  const { logStart, from, highWatermark: end } = bounds.value;
  if (from >= end) return known({ bytes: 0, how: 'told by the broker' });
  const disk = disks.find(({ broker }) => broker === leader);
  const replica = disk?.told.known
    ? disk.told.value.replicas.find((one) => one.topic === topic && one.partition === partition)
    : undefined;
  if (replica !== undefined) {
    const share = (end - from) / Math.max(1, end - logStart);
    const how = from === logStart ? 'told by the broker' : 'by share of its offsets';
    return known({ bytes: Math.round(replica.bytes * share), how });
  }
  const offsets = batches.reduce((sum, { baseOffset, lastOffset }) => sum + lastOffset - baseOffset + 1, 0);
  if (offsets === 0) return unknown(disk?.told.known === false ? disk.told.why : 'its leader does not tell');
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0);
  return known({ bytes: Math.round((bytes / offsets) * (end - from)), how: 'from samples' });
}

function appendedPerSecond(
  first: PartitionFacts['bounds'],
  second: PartitionFacts['bounds'] | undefined,
  apartMs: number,
): Reading<number> {
  if (!first.known) return first;
  if (second === undefined) return unknown('it was read only once');
  if (!second.known) return second;
  const offsets = second.value.highWatermark - first.value.highWatermark;
  return apartMs <= 0 ? unknown('it was read only once') : known(Math.max(0, (offsets / apartMs) * 1000));
}
