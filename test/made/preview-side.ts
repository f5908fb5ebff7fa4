import type { PreviewSide } from '../../src/cli/kafka/copy-preview/preview-side.ts';
import type { BrokerFacts, PartitionFacts, SampledBatch } from '../../src/core/move/cluster-facts.ts';
import { known } from '../../src/core/observed/reading.ts';
import { settings, settingsOf43, topicFacts } from './topics.ts';

export const nowMs = 1_700_000_000_000;
export const everything = 0x1fff;

/** A cluster of one broker that tells everything, allows everything and refuses nothing. */
export function previewSide(facts: Partial<PreviewSide> = {}): PreviewSide {
  return {
    principal: 'User:drover',
    cluster: async () => ({ clusterId: 'a-cluster', brokers: [broker()] }),
    topics: async () => [],
    partitions: async () => [],
    sample: async () => known([]),
    held: async () => known([]),
    disks: async () => [
      {
        broker: 1,
        told: known({ directories: [{ path: '/data', totalBytes: 1e12, usableBytes: 5e11 }], replicas: [] }),
      },
    ],
    openTransactions: async () => known([]),
    producerMemoryMs: async () => known(86_400_000),
    allowed: async (topics) => ({
      topics: Object.fromEntries(topics.map((topic) => [topic, known(everything)])),
      cluster: known(everything),
    }),
    topicAcls: async () => known([]),
    leftBehind: async () => ({ groups: known(0), quotas: known(0), scramUsers: known(0), schemaTopics: known(0) }),
    newTopicSettings: async () => known(settings(settingsOf43)),
    checkNewTopics: async (topics) => topics.map(({ topic }) => ({ topic, refused: null })),
    checkSettings: async (changes) =>
      [...new Set(changes.map(({ topic }) => topic))].map((topic) => ({ topic, refused: null })),
    ...facts,
  };
}

export function broker(facts: Partial<BrokerFacts> = {}): BrokerFacts {
  return { id: 1, host: 'kafka-1.example', port: 9092, roundTripMs: known(2), ...facts };
}

/** One partition of a hundred thousand records and 1 GB, of the last hour. */
export function sourceSide(facts: Partial<PreviewSide> = {}, batch: Partial<SampledBatch> = {}): PreviewSide {
  return previewSide({
    topics: async () => [topicFacts({ partitions: 1 })],
    partitions: async () => [partitionFacts()],
    sample: async ({ offset }) => known([sampledBatch(offset, batch)]),
    disks: async () => [
      {
        broker: 1,
        told: known({ directories: [], replicas: [{ topic: 'orders', partition: 0, bytes: 1_000_000_000 }] }),
      },
    ],
    ...facts,
  });
}

export function partitionFacts(facts: Partial<PartitionFacts> = {}): PartitionFacts {
  const bounds = known({ logStart: 0, from: 0, highWatermark: 100_000, lastStable: 100_000 });
  return { topic: 'orders', partition: 0, leader: 1, bounds, ...facts };
}

function sampledBatch(offset: number, batch: Partial<SampledBatch>): SampledBatch {
  return {
    baseOffset: offset,
    lastOffset: offset + 9,
    newestMs: nowMs - 3_600_000 + offset,
    producerId: null,
    bytes: 10_000,
    codec: 'zstd',
    isLegacy: false,
    ...batch,
  };
}
