import type { DiskFacts } from '../../../core/move/cluster-facts.ts';
import { PortError } from '../../../engine/ports.ts';
import type { ByTopic } from '../messages/by-topic.ts';
import { describeLogDirs } from '../messages/describe-log-dirs.ts';
import { noError } from '../messages/error-codes.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf } from './answers.ts';
import { readingOf } from './reading-of.ts';

/** Of every broker: its disks, and the sizes of its replicas of these partitions. */
export async function describeDisks(pool: BrokerPool, topics: readonly ByTopic<number>[]): Promise<DiskFacts[]> {
  const { brokers } = await pool.describe([]);
  return await Promise.all(
    brokers.map(async ({ nodeId }) => ({ broker: nodeId, told: await readingOf(() => disksOf(pool, nodeId, topics)) })),
  );
}

async function disksOf(pool: BrokerPool, nodeId: number, topics: readonly ByTopic<number>[]) {
  const broker = await pool.broker(nodeId);
  const response = await broker.call(describeLogDirs, { topics });
  const what = `disks of broker ${nodeId} of the ${pool.settings.side}`;
  if (response.errorCode !== noError) throw errorOf(what, response.errorCode, remedy);
  // Before 3.2 a user who may not ask is told of no directory at all.
  if (response.directories.length === 0)
    throw new PortError('denied', `${what}: nothing was told; ${remedy}`, { retriable: false });
  for (const { errorCode, path } of response.directories)
    if (errorCode !== noError) throw errorOf(`${what}, ${path}`, errorCode);
  return {
    directories: response.directories.map(({ path, totalBytes, usableBytes }) => ({ path, totalBytes, usableBytes })),
    replicas: response.directories.flatMap((directory) =>
      directory.topics.flatMap(({ topic, partitions }) =>
        partitions.filter(({ isFuture }) => !isFuture).map(({ partition, bytes }) => ({ topic, partition, bytes })),
      ),
    ),
  };
}

const remedy = 'the user needs Describe on the cluster';
