import type { Lab } from './lab.ts';
import { endsOf } from './offsets.ts';
import { type StoredBatch, storedBatches } from './stored.ts';

/** Throws where the target has other batches than the source: what was measured of such a copy is no figure. */
export async function requireSameBatches({ from, to }: Lab, topic: string, ends: readonly number[]): Promise<void> {
  await requireSameEnds(to, topic, ends);
  for (const [partition, end] of ends.entries()) {
    const given = await storedBatches(from, topic, partition, end);
    const found = await storedBatches(to, topic, partition, end);
    const difference = differenceOf(given, found);
    if (difference !== null) throw new Error(`${topic}-${partition}: ${difference}`);
  }
}

/** As many records as the source has, whatever batches they are in now. */
export async function requireSameCounts({ to }: Lab, topic: string, ends: readonly number[]): Promise<void> {
  await requireSameEnds(to, topic, ends);
  for (const [partition, end] of ends.entries()) {
    const records = (await storedBatches(to, topic, partition, end)).reduce((sum, batch) => sum + batch.records, 0);
    if (records !== end) throw new Error(`${topic}-${partition}: ${records} records and not ${end}`);
  }
}

async function requireSameEnds(to: Lab['to'], topic: string, ends: readonly number[]): Promise<void> {
  const found = await endsOf(to, topic, ends.length);
  if (found.join() !== ends.join()) throw new Error(`${topic} ends at ${found.join()} and not at ${ends.join()}`);
}

/** null: the same batches, byte for byte in their records, at the same offsets. */
export function differenceOf(given: readonly StoredBatch[], found: readonly StoredBatch[]): string | null {
  if (given.length !== found.length) return `${found.length} batches and not ${given.length}`;
  const other = given.findIndex((batch, index) => JSON.stringify(batch) !== JSON.stringify(found[index]));
  if (other === -1) return null;
  return `batch ${other} is ${JSON.stringify(found[other])} and not ${JSON.stringify(given[other])}`;
}
