import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/io/clock/system.ts';
import { KafkaCluster } from '../../../src/io/kafka/kafka-cluster.ts';
import { PartitionLedger } from '../../../src/io/kafka/ledger/partition-ledger.ts';
import { SegmentFolder } from '../../../src/io/kafka/ledger/segment-folder.ts';
import { askedAs, listOffsets, offsetAt } from '../../../src/io/kafka/messages/list-offsets.ts';
import type { MoverEvent } from '../../../src/io/kafka/mover/events.ts';
import { MovedPartition } from '../../../src/io/kafka/mover/moved-partition.ts';
import { Mover } from '../../../src/io/kafka/mover/mover.ts';
import type { MoverClock } from '../../../src/io/kafka/mover/ports.ts';
import type { MoverSettings } from '../../../src/io/kafka/mover/settings.ts';
import type { Cluster } from './lab/cluster.ts';

export const clock: MoverClock = {
  now: systemClock.now,
  monotonic: systemClock.monotonic,
  sleep: (ms, signal) => systemClock.sleep(ms, signal ?? new AbortController().signal),
};

export const settings: MoverSettings = {
  window: { inFlightMax: 5, expirationMs: 86_400_000 },
  connectionsPerBroker: 2,
  requestsPerConnection: 5,
  requestBytesMax: 4 * 1024 * 1024,
  fetchBytesMax: 8 * 1024 * 1024,
  heldBytesMax: 64 * 1024 * 1024,
  partitionBytesMax: 2 * 1024 * 1024,
  recordBytesMax: 64 * 1024 * 1024,
  rate: null,
  lateMsMax: 30_000,
  refusedMsMax: 10_000,
  partitionsPerBroker: null,
  sendBeforeMs: () => Number.POSITIVE_INFINITY,
};

export function clientOf(cluster: Cluster): KafkaCluster {
  const bootstrap = cluster
    .bootstrap()
    .split(',')
    .map((one) => {
      const [host = '', port = ''] = one.split(':');
      return { host, port: Number(port) };
    });
  return new KafkaCluster({
    side: 'cluster',
    bootstrap,
    tls: null,
    sasl: null,
    clientId: 'drover-test',
    clientVersion: '0',
    connectDeadlineMs: 10_000,
    requestDeadlineMs: 30_000,
    responseBytesMax: 256 * 1024 * 1024,
    unsentBytesMax: 16 * 1024 * 1024,
  });
}

/** A copy of one topic to the same name, up to where the source ends now. */
export async function copyOf(source: Cluster, target: Cluster, topic: string, folder?: string) {
  const [from, to] = [clientOf(source), clientOf(target)];
  const root = folder ?? (await mkdtemp(join(tmpdir(), 'drover-copy-')));
  const leaders = (await from.leaders([topic])).get(topic) ?? [];
  const partitions = await Promise.all(
    leaders.map(async ({ partition, nodeId }) => {
      const broker = await from.connect(nodeId);
      const ask = async (timestamp: number) => {
        const topics = [{ topic, partitions: [{ partition, currentLeaderEpoch: null, timestamp }] }];
        const asked = { replicaId: askedAs.consumer, isolation: 'read_uncommitted', topics } as const;
        return (await broker.call(listOffsets, asked)).topics[0]?.partitions[0]?.offset ?? 0;
      };
      const [start, end] = [await ask(offsetAt.earliest), await ask(offsetAt.latest)];
      await broker.close();
      const begin = { source: start, target: 0 };
      const key = { sourceCluster: 'a', sourceTopicId: topic, targetCluster: 'b', targetTopicId: topic, partition };
      const ledger = new PartitionLedger(new SegmentFolder(join(root, String(partition))), key, begin);
      const plan = {
        topic,
        partition,
        targetTopic: topic,
        producerId: 2n ** 62n + BigInt(partition),
        start: begin,
        end,
      };
      return new MovedPartition(plan, ledger, settings.window, settings.recordBytesMax);
    }),
  );
  const events: MoverEvent[] = [];
  const tell = (event: MoverEvent) => void events.push(event);
  const mover = new Mover({ source: from, target: to, clock, settings, tell }, partitions);
  const close = async () => {
    await mover.stop();
    await from.close();
    await to.close();
    for (const { ledger } of partitions) ledger.close();
    if (folder === undefined) await rm(root, { recursive: true });
  };
  return { mover, partitions, events, close };
}
