import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../../test/integration/kafka/lab/cluster.ts';
import { server } from '../../test/integration/kafka/lab/java.ts';
import { type Running, start } from '../../test/integration/kafka/lab/running.ts';
import { type Properties, propertiesText } from '../../test/integration/kafka/lab/settings.ts';

export type MirrorMakerWish = {
  readonly topic: string;
  readonly codec: string;
  readonly tasks: number;
  readonly lingerMs: number;
};

const timeLimitMs = 900_000;
let started = 0;

/**
 * MirrorMaker 2 in its dedicated mode, with the settings that were its best of many: batches of up to 1 MB whatever the source has, names of topics
 * kept, and nothing to do but to copy. Each has cluster names of its own, as it goes on where one of the same names has stopped.
 */
export async function startMirrorMaker(source: Cluster, target: Cluster, wish: MirrorMakerWish): Promise<Running> {
  started += 1;
  const file = join(target.folder, `mirror-maker-${started}.properties`);
  await writeFile(file, propertiesText(settings(source, target, wish, `from${started}`, `to${started}`)));
  const main = 'org.apache.kafka.connect.mirror.MirrorMaker';
  return start(server(target, main, [file], heapMib), { timeLimitMs });
}

const heapMib = 1536;

function settings(
  source: Cluster,
  target: Cluster,
  { topic, codec, tasks, lingerMs }: MirrorMakerWish,
  from: string,
  to: string,
): Properties {
  const off = ['emit.heartbeats', 'emit.checkpoints', 'sync.topic.acls', 'sync.topic.configs'];
  return {
    clusters: `${from}, ${to}`,
    [`${from}.bootstrap.servers`]: source.bootstrap(),
    [`${to}.bootstrap.servers`]: target.bootstrap(),
    [`${from}->${to}.enabled`]: 'true',
    [`${to}->${from}.enabled`]: 'false',
    [`${from}->${to}.topics`]: topic,
    ...Object.fromEntries(off.map((name) => [`${name}.enabled`, 'false'])),
    'sync.group.offsets.enabled': 'false',
    'refresh.groups.enabled': 'false',
    'replication.policy.class': 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy',
    'tasks.max': String(tasks),
    'replication.factor': '1',
    'checkpoints.topic.replication.factor': '1',
    'heartbeats.topic.replication.factor': '1',
    'offset-syncs.topic.replication.factor': '1',
    'offset.storage.replication.factor': '1',
    'status.storage.replication.factor': '1',
    'config.storage.replication.factor': '1',
    [`${from}.consumer.auto.offset.reset`]: 'earliest',
    [`${from}.consumer.max.poll.records`]: '2000',
    [`${from}.consumer.fetch.max.bytes`]: String(64 * 1024 * 1024),
    [`${from}.consumer.max.partition.fetch.bytes`]: String(4 * 1024 * 1024),
    [`${to}.producer.batch.size`]: '1000000',
    [`${to}.producer.linger.ms`]: String(lingerMs),
    [`${to}.producer.buffer.memory`]: String(128 * 1024 * 1024),
    [`${to}.producer.compression.type`]: codec,
  };
}
