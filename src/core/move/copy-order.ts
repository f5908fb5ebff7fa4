import { type CopyOrder, partitionName } from './operation/plan.ts';
import type { Race } from './retention-race.ts';

export type OrderedPartition = {
  readonly topic: string;
  readonly partition: number;
  /** Of the records that are to be copied, as far as that is known. */
  readonly newestMs: number | null;
  /** When its oldest record may be deleted; null: never, or it is not known. */
  readonly dueMs: number | null;
  readonly race: Race;
};

/** Partitions by name, in the order in which they are to be copied where not all of them are at once. */
export function copyOrder(order: CopyOrder, partitions: readonly OrderedPartition[], nowMs: number): string[] {
  const keyOf = (one: OrderedPartition) => {
    if (order === 'retention') return dueInMs(one, nowMs);
    return order === 'newest' ? -(one.newestMs ?? Number.NEGATIVE_INFINITY) : 0;
  };
  const keyed = partitions.map((one) => ({ name: partitionName(one), one, key: keyOf(one) }));
  keyed.sort(
    (a, b) => compared(a.key, b.key) || compared(a.one.topic, b.one.topic) || a.one.partition - b.one.partition,
  );
  return keyed.map(({ name }) => name);
}

/** How long its oldest records stay where they are: by time, or by what is known of the race with whatever deletes them. */
function dueInMs({ dueMs, race }: OrderedPartition, nowMs: number): number {
  const byTime = dueMs === null ? Number.POSITIVE_INFINITY : dueMs - nowMs;
  if (race.kind === 'due') return Math.min(byTime, 0);
  return race.kind === 'overtaken' ? Math.min(byTime, race.inMs) : byTime;
}

function compared<Value extends number | string>(one: Value, other: Value): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
