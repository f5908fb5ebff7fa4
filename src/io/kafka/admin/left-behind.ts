import type { LeftBehind } from '../../../core/move/cluster-facts.ts';
import { hasRight } from '../../../core/move/rights.ts';
import { describeQuotas } from '../messages/describe-quotas.ts';
import { codeOf, noError } from '../messages/error-codes.ts';
import { listGroups } from '../messages/list-groups.ts';
import { offsetFetch } from '../messages/offset-fetch.ts';
import { scramUsers } from '../messages/scram-users.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf } from './answers.ts';
import { readingOf } from './reading-of.ts';
import { allowedOperations } from './rights.ts';

/** What of a cluster no copy of topics takes along. */
export async function countLeftBehind(pool: BrokerPool): Promise<LeftBehind> {
  const groups = await readingOf(async () => (await groupsOf(pool)).length);
  const quotas = await readingOf(async () => {
    const broker = await pool.anyBroker();
    const { errorCode, quotas: found } = await broker.call(describeQuotas, {});
    if (errorCode !== noError) throw errorOf(`quotas of the ${pool.settings.side}`, errorCode);
    return found?.length ?? 0;
  });
  const users = await readingOf(() => countUsers(pool));
  const schemaTopics = await readingOf(async () => {
    const { topics } = await pool.describe(null);
    return topics.filter(({ name }) => name === '_schemas').length;
  });
  return { groups, quotas, scramUsers: users, schemaTopics };
}

/** A broker of 4.3 does not answer the question of a user who may not ask it. */
async function countUsers(pool: BrokerPool): Promise<number> {
  const what = `users of the ${pool.settings.side}`;
  const { cluster } = await allowedOperations(pool, []);
  if (cluster.known && !hasRight(cluster.value, 'Describe'))
    throw errorOf(what, codeOf('CLUSTER_AUTHORIZATION_FAILED'), 'the user needs Describe on the cluster');
  const broker = await pool.anyBroker();
  const { errorCode, users } = await broker.call(scramUsers, {});
  if (errorCode !== noError) throw errorOf(what, errorCode);
  return users.length;
}

export type GroupCommit = { readonly group: string; readonly topic: string };

/** Groups that have committed an offset on one of these topics. */
export async function groupsCommittedOn(pool: BrokerPool, topics: readonly string[]): Promise<GroupCommit[]> {
  const found: GroupCommit[] = [];
  for (const { group, broker: nodeId } of await groupsOf(pool)) {
    const broker = await pool.broker(nodeId);
    const response = await broker.call(offsetFetch, { group, topics: null, requireStable: false });
    if (response.errorCode !== noError)
      throw errorOf(`offsets of the group ${group} of the ${pool.settings.side}`, response.errorCode);
    for (const { topic, partitions } of response.topics)
      if (topics.includes(topic) && partitions.some(({ offset }) => offset !== null)) found.push({ group, topic });
  }
  return found;
}

/** Each broker lists the groups that it coordinates. */
async function groupsOf(pool: BrokerPool): Promise<{ readonly group: string; readonly broker: number }[]> {
  const { brokers } = await pool.describe([]);
  const listed = brokers.map(async ({ nodeId }) => {
    const broker = await pool.broker(nodeId);
    const { errorCode, groups } = await broker.call(listGroups, { states: [] });
    if (errorCode !== noError)
      throw errorOf(`groups of broker ${nodeId} of the ${pool.settings.side}`, errorCode, remedy);
    return groups.map(({ group }) => ({ group, broker: nodeId }));
  });
  return (await Promise.all(listed)).flat();
}

const remedy = 'the user needs Describe on the groups or on the cluster';
