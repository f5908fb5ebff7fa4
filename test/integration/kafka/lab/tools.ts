import { glob, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './broker.ts';
import type { Cluster } from './cluster.ts';
import { tool } from './java.ts';
import { run } from './running.ts';
import type { Properties } from './settings.ts';

export type TopicPartition = { readonly topic: string; readonly partition: number };

/** Kafka's own tools, each in the place where its version has it. */
const newMains = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
  dumpLog: 'org.apache.kafka.tools.DumpLogSegments',
  elect: 'org.apache.kafka.tools.LeaderElectionCommand',
  reassign: 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
};
const mains: Readonly<Record<Cluster['version'], typeof newMains>> = {
  '4.3.1': newMains,
  '3.9.2': { ...newMains, dumpLog: 'kafka.tools.DumpLogSegments' },
  '2.8.2': {
    topics: 'kafka.admin.TopicCommand',
    configs: 'kafka.admin.ConfigCommand',
    deleteRecords: 'kafka.admin.DeleteRecordsCommand',
    dumpLog: 'kafka.tools.DumpLogSegments',
    elect: 'kafka.admin.LeaderElectionCommand',
    reassign: 'kafka.admin.ReassignPartitionsCommand',
  },
};

export type NewTopic = {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** `cleanup.policy`, `message.timestamp.type`, … */
  readonly configs?: Properties;
};

/** Returns when every partition has a leader that follows itself, as Metadata tells. */
export async function createTopic(
  cluster: Cluster,
  topic: string,
  { partitions = 1, replicationFactor = cluster.brokers.length, configs = {} }: NewTopic = {},
): Promise<void> {
  const sizes = ['--partitions', String(partitions), '--replication-factor', String(replicationFactor)];
  const settings = Object.entries(configs).flatMap(([name, value]) => ['--config', `${name}=${value}`]);
  await admin(cluster, 'topics', ['--create', '--topic', topic, ...sizes, ...settings]);
  await cluster.untilWhole();
}

/** Returns when Metadata no longer has it. */
export async function deleteTopic(cluster: Cluster, topic: string): Promise<void> {
  await admin(cluster, 'topics', ['--delete', '--topic', topic]);
  await until(`${topic} is gone`, async () => {
    const { partitions } = await cluster.metadata();
    return partitions.every((partition) => partition.topic !== topic);
  });
}

export async function addPartitions(cluster: Cluster, topic: string, partitions: number): Promise<void> {
  await admin(cluster, 'topics', ['--alter', '--topic', topic, '--partitions', String(partitions)]);
  await cluster.untilWhole();
}

export type Entity = { readonly type: 'topics' | 'brokers' | 'users' | 'clients'; readonly name: string };

/** Sets, and removes, dynamic configuration. */
export async function alterConfig(
  cluster: Cluster,
  { type, name }: Entity,
  { set = {}, remove = [] }: { readonly set?: Properties; readonly remove?: readonly string[] },
): Promise<void> {
  // Commas within a value need brackets.
  const settings = Object.entries(set).map(([key, value]) => `${key}=${value.includes(',') ? `[${value}]` : value}`);
  await admin(cluster, 'configs', [
    ...['--alter', '--entity-type', type, '--entity-name', name],
    ...(settings.length === 0 ? [] : ['--add-config', settings.join(',')]),
    ...(remove.length === 0 ? [] : ['--delete-config', remove.join(',')]),
  ]);
}

/** Dynamic configuration of an entity. */
export async function configOf(cluster: Cluster, { type, name }: Entity): Promise<Properties> {
  const told = await admin(cluster, 'configs', ['--describe', '--entity-type', type, '--entity-name', name]);
  const lines = told.matchAll(/^\s+([\w.]+)=(.*?) sensitive=/gm);
  return Object.fromEntries([...lines].map(([, key = '', value = '']) => [key, value]));
}

/** Everything below these offsets; -1: everything. */
export async function deleteRecords(
  cluster: Cluster,
  partitions: readonly (TopicPartition & { readonly offset: number })[],
): Promise<void> {
  const file = await writeJson(cluster, 'delete-records', { version: 1, partitions });
  await admin(cluster, 'deleteRecords', ['--offset-json-file', file]);
}

/** The first replica of a partition leads it. */
export async function electPreferred(cluster: Cluster, { topic, partition }: TopicPartition): Promise<void> {
  await elect(cluster, { topic, partition }, 'preferred');
}

/** A replica that lacks records may lead: some are lost. */
export async function electUnclean(cluster: Cluster, { topic, partition }: TopicPartition): Promise<void> {
  await elect(cluster, { topic, partition }, 'unclean');
}

/** Puts these brokers in charge of a partition, the first as its preferred leader. Returns when all of them follow. */
export async function reassign(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  replicas: readonly number[],
): Promise<void> {
  const file = await writeJson(cluster, 'reassignment', { version: 1, partitions: [{ topic, partition, replicas }] });
  await admin(cluster, 'reassign', ['--reassignment-json-file', file, '--execute']);
  await until(`${topic}-${partition} has the replicas ${replicas.join()}`, async () => {
    const { partitions } = await cluster.untilWhole();
    const now = partitions.find((one) => one.topic === topic && one.partition === partition);
    return now?.replicas.join() === replicas.join();
  });
}

/** Moves the lead of a partition to a replica of it without restarting anything. */
export async function moveLeader(cluster: Cluster, at: TopicPartition, leader: number): Promise<void> {
  const { partitions } = await cluster.metadata();
  const now = partitions.find(({ topic, partition }) => topic === at.topic && partition === at.partition);
  if (!now?.replicas.includes(leader))
    throw new Error(`broker ${leader} has no replica of ${at.topic}-${at.partition}`);
  await reassign(cluster, at, [leader, ...now.replicas.filter((id) => id !== leader)]);
  await electPreferred(cluster, at);
}

/**
 * What DumpLogSegments prints of a partition's files on one broker, in order of their offsets: a line for each batch, and with
 * `records` one for each record, which begins with `|`. The broker may run: what it has not written yet is missing.
 */
export async function dumpLog(
  cluster: Cluster,
  broker: Broker,
  { topic, partition }: TopicPartition,
  { records = false }: { readonly records?: boolean } = {},
): Promise<string[]> {
  const folder = join(broker.data, `${topic}-${partition}`);
  const files = (await Array.fromAsync(glob('*.log', { cwd: folder }))).sort().map((name) => join(folder, name));
  const what = records ? ['--deep-iteration', '--print-data-log'] : [];
  const program = tool(cluster, mains[cluster.version].dumpLog, ['--files', files.join(','), ...what]);
  const { stdout } = await run(program, { timeLimitMs: 120_000 });
  return stdout.split('\n').filter((line) => /^(\| |baseOffset: |offset: )/.test(line));
}

async function elect(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  type: 'preferred' | 'unclean',
): Promise<void> {
  const which = ['--topic', topic, '--partition', String(partition)];
  await admin(cluster, 'elect', ['--election-type', type, ...which]);
}

async function admin(cluster: Cluster, what: keyof typeof newMains, args: readonly string[]): Promise<string> {
  const reach = ['--bootstrap-server', cluster.bootstrap()];
  const program = tool(cluster, mains[cluster.version][what], [...reach, ...args]);
  return (await run(program, { timeLimitMs: 60_000 })).stdout;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > endsAt) throw new Error(`not within 60 s: ${what}`);
    await sleep(50);
  }
}

let written = 0;

async function writeJson({ folder }: Cluster, name: string, content: unknown): Promise<string> {
  const file = join(folder, `${name}-${++written}.json`);
  await writeFile(file, JSON.stringify(content));
  return file;
}
