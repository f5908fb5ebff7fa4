import type { PartitionFacts, SampledBatch } from '../../../core/move/cluster-facts.ts';
import type { BatchSizes } from './preview.ts';
import type { PreviewSide } from './preview-side.ts';

/** Batches of a partition: at its beginning, in its middle and at its end. */
export type Samples = { readonly topic: string; readonly partition: number; readonly batches: readonly SampledBatch[] };

/** Real fetches: three of each partition that has something to copy. What cannot be read is left out. */
export async function takeSamples(source: PreviewSide, partitions: readonly PartitionFacts[]): Promise<Samples[]> {
  const waiting = [...partitions];
  const samples: Samples[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      samples.push(await samplesOf(source, next));
  };
  await Promise.all(Array.from({ length: partitionsAtOnce }, work));
  return samples;
}

async function samplesOf(source: PreviewSide, { topic, partition, leader, bounds }: PartitionFacts): Promise<Samples> {
  const none = { topic, partition, batches: [] };
  if (!bounds.known || leader === null) return none;
  const { from, highWatermark: end } = bounds.value;
  if (from >= end) return none;
  const offsets = new Set([from, Math.floor((from + end) / 2), end - 1]);
  const found = new Map<number, SampledBatch>();
  for (const offset of offsets) {
    const told = await source.sample({ topic, partition, leader, offset }, sampleBytes);
    if (told.known) for (const batch of told.value) found.set(batch.baseOffset, batch);
  }
  return { topic, partition, batches: [...found.values()].toSorted((one, other) => one.baseOffset - other.baseOffset) };
}

const partitionsAtOnce = 16;
const sampleBytes = 64 * 1024;

export function batchSizes(batches: readonly SampledBatch[]): BatchSizes | null {
  if (batches.length === 0) return null;
  const sizes = batches.map(({ bytes }) => bytes).toSorted((one, other) => one - other);
  return {
    sampled: sizes.length,
    medianBytes: sizes[Math.floor(sizes.length / 2)] ?? 0,
    largestBytes: sizes.at(-1) ?? 0,
    codecs: [...new Set(batches.map(({ codec }) => codec))],
  };
}
