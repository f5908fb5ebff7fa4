import type { Leaders } from './leaders.ts';
import type { MovedPartition } from './moved-partition.ts';

/**
 * Of those that have a backlog, the first `most` of each broker that leads them on the target. What has waited for something else for a
 * while (a leader, its tail) comes after all others: where they leave room it is tried all the same, or nobody would hear that it can go on.
 */
export function whoseTurn(
  partitions: readonly MovedPartition[],
  most: number,
  source: Pick<Leaders, 'of'>,
  target: Pick<Leaders, 'of'>,
  waitedMs: (partition: MovedPartition) => number,
): ReadonlySet<MovedPartition> {
  const isStuck = (one: MovedPartition) => one.writer.phase.kind === 'refused' || isPassedOver(waitedMs(one));
  const turns = new Set<MovedPartition>();
  const counts = new Map<number, number>();
  const stuck = partitions.filter(isStuck);
  for (const partition of [...partitions.filter((one) => !stuck.includes(one)), ...stuck]) {
    const nodeId = target.of(partition)?.nodeId;
    if (partition.hasAll || nodeId === undefined || source.of(partition) === null) continue;
    const count = counts.get(nodeId) ?? 0;
    counts.set(nodeId, count + 1);
    if (count < most) turns.add(partition);
  }
  return turns;
}

/** What waits for so long loses its turn to the next one, and has it again for as long each time this has passed. */
function isPassedOver(waitedMs: number): boolean {
  return waitedMs % triedAgainMs >= patienceMs;
}

const patienceMs = 2000;
const triedAgainMs = 10_000;
