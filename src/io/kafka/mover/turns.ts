import type { Leaders } from './leaders.ts';
import type { MovedPartition } from './moved-partition.ts';

/**
 * Of those that have a backlog, the first `most` of each broker that leads them on the target. What has waited for something else for a
 * while (a leader, its tail) is passed over, and has its turn again afterwards.
 */
export function whoseTurn(
  partitions: readonly MovedPartition[],
  most: number,
  source: Pick<Leaders, 'of'>,
  target: Pick<Leaders, 'of'>,
  isStuck: (partition: MovedPartition) => boolean,
): ReadonlySet<MovedPartition> {
  const turns = new Set<MovedPartition>();
  const counts = new Map<number, number>();
  for (const partition of partitions) {
    const nodeId = target.of(partition)?.nodeId;
    if (partition.hasAll || isStuck(partition) || nodeId === undefined || source.of(partition) === null) continue;
    const count = counts.get(nodeId) ?? 0;
    counts.set(nodeId, count + 1);
    if (count < most) turns.add(partition);
  }
  return turns;
}
