import type { BrokerFacts, ClusterFacts } from '../../../core/move/cluster-facts.ts';
import { PortError } from '../../../engine/ports.ts';
import { describeConfigs, resourceType } from '../messages/describe-configs.ts';
import { noError } from '../messages/error-codes.ts';
import { metadata } from '../messages/metadata.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf } from './answers.ts';
import { readingOf } from './reading-of.ts';

/** Every broker is connected to, where its listener is advertised. */
export async function describeCluster(pool: BrokerPool): Promise<ClusterFacts> {
  const { clusterId, brokers } = await pool.describe([]);
  const reached = brokers.map(async ({ nodeId, host, port }): Promise<BrokerFacts> => {
    const roundTripMs = await readingOf(() => roundTrip(pool, nodeId));
    return { id: nodeId, host, port, roundTripMs };
  });
  const facts = await Promise.all(reached);
  return { clusterId, brokers: facts.toSorted((one, other) => one.id - other.id) };
}

/**
 * How long a broker remembers the sequence numbers of a producer that writes nothing: the shortest of all brokers. Before 3.3 that
 * was as long as a transactional id.
 */
export async function producerMemoryMs(pool: BrokerPool): Promise<number> {
  const { brokers } = await pool.describe([]);
  const told = await Promise.all(brokers.map(({ nodeId }) => memoryOf(pool, nodeId)));
  return Math.min(...told);
}

async function roundTrip(pool: BrokerPool, nodeId: number): Promise<number> {
  const broker = await pool.broker(nodeId);
  let shortest = Number.POSITIVE_INFINITY;
  for (let count = 0; count < questions; count++) {
    const askedMs = performance.now();
    await broker.call(metadata, noTopics);
    shortest = Math.min(shortest, performance.now() - askedMs);
  }
  return shortest;
}

const questions = 5;
const noTopics = {
  topics: [],
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
};

async function memoryOf(pool: BrokerPool, nodeId: number): Promise<number> {
  const broker = await pool.broker(nodeId);
  const resources = [{ type: resourceType.broker, name: `${nodeId}`, keys: memoryKeys }];
  const { resources: answers } = await broker.call(describeConfigs, { resources });
  const [answer] = answers;
  const what = `configuration of broker ${nodeId} of the ${pool.settings.side}`;
  if (answer === undefined || answer.errorCode !== noError)
    throw errorOf(what, answer?.errorCode ?? -1, 'the user needs DescribeConfigs on the cluster');
  const values = memoryKeys.map((key) => answer.configs.find(({ name }) => name === key)?.value ?? null);
  const value = Number(values.find((one) => one !== null) ?? Number.NaN);
  if (!Number.isFinite(value))
    throw new PortError('protocol', `${what}: neither ${memoryKeys.join(' nor ')} is told`, { retriable: false });
  return value;
}

/** The first one that a broker has. */
const memoryKeys = ['producer.id.expiration.ms', 'transactional.id.expiration.ms'];
