import { expect, test } from 'vitest';
import { PartitionLedger } from '../../../src/io/kafka/ledger/partition-ledger.ts';
import { MovedPartition } from '../../../src/io/kafka/mover/moved-partition.ts';
import { whoseTurn } from '../../../src/io/kafka/mover/turns.ts';
import { LedgerDisk } from '../../../src/sim/kafka/ledger-disk.ts';
import { SimProcess } from '../../../src/sim/kafka/process.ts';
import { Schedule } from '../../../src/sim/schedule.ts';

test('the first ones of each broker have their turn, and whoever is stuck or has no leader holds up nobody', () => {
  const partitions = Array.from({ length: 6 }, (_, number) => moved(number));
  const numbers = (turns: ReadonlySet<MovedPartition>) => [...turns].map(({ plan }) => plan.partition);
  // The even ones lie on broker 0 of the target, the odd ones on broker 1; the source's partition 1 has no leader.
  const source = { of: ({ plan }: MovedPartition) => (plan.partition === 1 ? null : leader(7)) };
  const target = { of: ({ plan }: MovedPartition) => leader(plan.partition % 2) };
  const stuck = ({ plan }: MovedPartition) => (plan.partition === 0 ? 5000 : 0);
  expect(numbers(whoseTurn(partitions, 1, source, target, () => 0))).toEqual([0, 3]);
  expect(numbers(whoseTurn(partitions, 2, source, target, () => 0))).toEqual([0, 2, 3, 5]);
  expect(numbers(whoseTurn(partitions, 1, source, target, stuck))).toEqual([2, 3]);
  // For two seconds in ten it has its turn.
  expect(numbers(whoseTurn(partitions, 1, source, target, () => 11_000))).toEqual([0, 3]);
  // Who is stuck is tried where there is room: after an outage all are.
  expect(numbers(whoseTurn(partitions, 3, source, target, stuck))).toEqual([2, 3, 4, 5, 0]);
  expect(numbers(whoseTurn(partitions, 1, source, target, () => 5000))).toEqual([0, 3]);
});

const leader = (nodeId: number) => ({ topicId: null, partition: 0, nodeId, epoch: 1, replicas: [], inSync: [] });

function moved(partition: number): MovedPartition {
  const key = { sourceCluster: 'A', sourceTopicId: 'o', targetCluster: 'B', targetTopicId: 'o', partition };
  const start = { source: 0, target: 0 };
  const process = new SimProcess('mover', new Schedule(), 1_790_000_000_000);
  const ledger = new PartitionLedger(
    new LedgerDisk().files(process, (perform) => perform()),
    key,
    start,
  );
  const plan = { topic: 'orders', partition, targetTopic: 'orders', producerId: 2n ** 62n, start, end: 10 };
  return new MovedPartition(plan, ledger, { inFlightMax: 5, expirationMs: 86_400_000 }, 1024);
}
