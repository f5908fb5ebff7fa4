import type { Lab } from './lab.ts';
import { endsOf } from './offsets.ts';
import { type StoredBatch, storedBatches } from './stored.ts';

/** Throws where the target has other batches than the source: what was measured of such a copy is no figure. */
export async function requireSameBatches({ from, to }: Lab, topic: string, ends: readonly number[]): Promise<void> {
  await requireSameEnds(to, topic, ends);
  for (const [partition, end] of ends.entries()) {
    const given = await storedBatches(from, topic, partition, end);
    const found = await storedBatches(to, topic, partition, end);
    const other = given.findIndex((batch, index) => !isSame(batch, found[index]));
    if (other !== -1 || given.length !== found.length)
      throw new Error(
        `${topic}-${partition}: batch ${other} is not the source's, or there are ${found.length} of ${given.length}`,
      );
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

function isSame(one: StoredBatch, other: StoredBatch | undefined): boolean {
  return other !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
