import type { PartitionLedger } from '../../src/io/kafka/ledger/partition-ledger.ts';

/** Of a copy of a bench: its clusters and topics are known by their names, which are of one run. */
export function keyOf(topic: string, partition: number): PartitionLedger['key'] {
  return { sourceCluster: 'a', sourceTopicId: topic, targetCluster: 'b', targetTopicId: topic, partition };
}
