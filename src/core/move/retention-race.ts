/** Whether the source deletes what has not been copied yet. */
export type Race =
  /** Nothing is deleted there, or all is copied before. */
  | { readonly kind: 'none'; readonly why: 'kept' | 'in time' }
  /** Its oldest records may be deleted at any moment; what is copied first is ahead of it from then on. */
  | { readonly kind: 'due' }
  /** From then on records are deleted before they are copied. */
  | { readonly kind: 'overtaken'; readonly inMs: number; readonly by: 'time' | 'size' }
  | { readonly kind: 'unknown'; readonly why: string };

export type RacingPartition = {
  readonly nowMs: number;
  /** How long the copy of this partition takes; its position moves evenly. */
  readonly copyMs: number;
  /** Null: without limit. */
  readonly retentionMs: number | null;
  readonly retentionBytes: number | null;
  /** Of the first and of the last record that is to be copied. */
  readonly oldestMs: number;
  readonly newestMs: number;
  readonly bytes: number;
  readonly appendedBytesPerSecond: number;
};

/**
 * Two fronts move through the partition, ours and that of what is deleted, both evenly. After x, with D for our time, L for the
 * time from the oldest record to the newest and d for the time until the oldest is due:
 *
 *     ours x / D      deleted by time (x − d) / L      deleted by size (S + a·x − R) / S
 *
 * Segments are deleted whole, by their newest record: in truth it is later than this.
 */
export function retentionRace(partition: RacingPartition): Race {
  const byTime = timeRace(partition);
  const bySize = sizeRace(partition);
  const overtaken = [byTime, bySize].filter((race) => race.kind === 'overtaken');
  const [first] = overtaken.toSorted((one, other) => one.inMs - other.inMs);
  if (first !== undefined) return first;
  if (byTime.kind === 'due' || bySize.kind === 'due') return { kind: 'due' };
  return byTime.kind === 'none' && byTime.why === 'kept' ? bySize : byTime;
}

function timeRace({ nowMs, copyMs, retentionMs, oldestMs, newestMs }: RacingPartition): Race {
  if (retentionMs === null) return { kind: 'none', why: 'kept' };
  const length = newestMs - oldestMs;
  const dueInMs = oldestMs + retentionMs - nowMs;
  if (copyMs <= length + dueInMs) return dueInMs > 0 ? { kind: 'none', why: 'in time' } : { kind: 'due' };
  const inMs = dueInMs <= 0 ? 0 : (dueInMs * copyMs) / (copyMs - length);
  return { kind: 'overtaken', inMs: Math.round(inMs), by: 'time' };
}

function sizeRace({ copyMs, retentionBytes, bytes, appendedBytesPerSecond }: RacingPartition): Race {
  if (retentionBytes === null) return { kind: 'none', why: 'kept' };
  const spare = retentionBytes - bytes;
  const appendedPerMs = appendedBytesPerSecond / 1000;
  const ours = bytes / Math.max(1, copyMs);
  if (appendedPerMs > ours)
    return { kind: 'overtaken', inMs: Math.round(Math.max(0, spare) / (appendedPerMs - ours)), by: 'size' };
  if (appendedPerMs > 0 && spare <= 0) return { kind: 'due' };
  return { kind: 'none', why: 'in time' };
}
