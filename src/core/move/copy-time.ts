/** How long a copy takes at a rate, and what bounds it. */
export type CopyTime = {
  readonly ms: number;
  readonly boundBy: 'source broker' | 'target brokers' | 'one request in flight';
};

export type TimedPartition = {
  /** Of the source. */
  readonly leader: number | null;
  readonly bytes: number;
  /** Of these, those whose records the target's memory of a producer does not cover: one batch of them is in flight at a time. */
  readonly slowBytes: number;
  readonly batchBytes: number;
};

/**
 * `rate`: bytes per second, read from each broker of the source and written to each of the target; leaders of new topics are evenly
 * spread. A partition whose batches go one by one needs a round trip for each, however many others there are.
 */
export function copyTime(
  partitions: readonly TimedPartition[],
  rate: number,
  targetBrokers: number,
  roundTripMs: number,
): CopyTime {
  const ofLeaders = [...Map.groupBy(partitions, ({ leader }) => leader).values()].map(sumOfBytes);
  const slowest = partitions.map((partition) => slowMs(partition, roundTripMs));
  const bounds: CopyTime[] = [
    { ms: (Math.max(0, ...ofLeaders) / rate) * 1000, boundBy: 'source broker' },
    { ms: (sumOfBytes(partitions) / (rate * Math.max(1, targetBrokers))) * 1000, boundBy: 'target brokers' },
    { ms: Math.max(0, ...slowest), boundBy: 'one request in flight' },
  ];
  return bounds.reduce((most, bound) => (bound.ms > most.ms ? bound : most));
}

/** Of a log whose times are evenly spread: the share of it that is older than what is remembered. */
export function olderShare(oldestMs: number, newestMs: number, rememberedFromMs: number): number {
  if (newestMs <= rememberedFromMs) return 1;
  if (oldestMs >= rememberedFromMs) return 0;
  return (rememberedFromMs - oldestMs) / (newestMs - oldestMs);
}

export function slowMs({ slowBytes, batchBytes }: TimedPartition, roundTripMs: number): number {
  return batchBytes <= 0 ? 0 : (slowBytes / batchBytes) * roundTripMs;
}

function sumOfBytes(partitions: readonly { readonly bytes: number }[]): number {
  return partitions.reduce((sum, { bytes }) => sum + bytes, 0);
}
