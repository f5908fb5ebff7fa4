import type { TopicAcl } from '../../../core/move/acl-facts.ts';
import type { Allowed } from '../../../core/move/rights.ts';
import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import { PortError } from '../../../engine/ports.ts';
import { createAcls, describeAcls } from '../messages/acls.ts';
import { deleteAcls as deleteAclsApi } from '../messages/delete-acls.ts';
import { describeCluster } from '../messages/describe-cluster.ts';
import { describeTransactions } from '../messages/describe-transactions.ts';
import { codeOf, errorName, noError } from '../messages/error-codes.ts';
import { metadata } from '../messages/metadata.ts';
import { offsetFetch } from '../messages/offset-fetch.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf, type Refused, refusedBy } from './answers.ts';
import { readingOf } from './reading-of.ts';
import { aclOf, topicResource, wireAcl } from './wire-acl.ts';

/** As whom the cluster knows us; null: by a certificate, whose name the brokers' rules make. */
export function principalOf({ settings }: BrokerPool): string | null {
  if (settings.sasl !== null) return `User:${settings.sasl.username}`;
  const { cert, pfx } = settings.tls ?? {};
  return cert === undefined && pfx === undefined ? 'User:ANONYMOUS' : null;
}

/** What this user may do. Topics that are not there, or may not be seen, are missing. */
export async function allowedOperations(pool: BrokerPool, topics: readonly string[]): Promise<Allowed> {
  const broker = await pool.anyBroker();
  const response = await broker.call(metadata, {
    topics,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: true,
  });
  const absent = codeOf('UNKNOWN_TOPIC_OR_PARTITION');
  const told = response.topics.flatMap(({ name, errorCode, authorizedOperations: bits }) => {
    if (errorCode === absent) return [];
    const reading = bits === null ? unknown(`it is not told: ${errorName(errorCode)}`) : known(bits);
    // Who may not even see it may do nothing with it.
    return [[name, errorCode === codeOf('TOPIC_AUTHORIZATION_FAILED') ? known(0) : reading] as const];
  });
  const cluster = await readingOf(async () => {
    const { errorCode, authorizedOperations: bits } = await broker.call(describeCluster, {
      includeAuthorizedOperations: true,
    });
    if (errorCode !== noError || bits === null) throw errorOf(`the ${pool.settings.side}`, errorCode);
    return bits;
  });
  const groups = await readingOf(() => mayDescribeGroups(pool));
  const transactionalIds = await readingOf(() => mayDescribeTransactions(pool));
  return { topics: Object.fromEntries(told), cluster, groups, transactionalIds };
}

/** Rights are looked at first, whoever coordinates a group of this name, and whether there is one. */
async function mayDescribeGroups(pool: BrokerPool): Promise<boolean> {
  const broker = await pool.anyBroker();
  const { errorCode } = await broker.call(offsetFetch, { group: nobodys, topics: null, requireStable: false });
  return errorCode !== codeOf('GROUP_AUTHORIZATION_FAILED');
}

async function mayDescribeTransactions(pool: BrokerPool): Promise<boolean> {
  const broker = await pool.anyBroker();
  const { transactions } = await broker.call(describeTransactions, { transactionalIds: [nobodys] });
  return transactions.every(({ errorCode }) => errorCode !== codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'));
}

const nobodys = 'drover-asks-whether-it-may';

/** Entries about topics; `none`: the cluster has no authorizer, and everybody may do everything. */
export async function topicAcls(pool: BrokerPool): Promise<Reading<readonly TopicAcl[] | 'none'>> {
  return await readingOf(async () => {
    const broker = await pool.anyBroker();
    const response = await broker.call(describeAcls, everyTopicAcl);
    if (response.errorCode === codeOf('SECURITY_DISABLED')) return 'none';
    if (response.errorCode !== noError)
      throw errorOf(`ACLs of the ${pool.settings.side}`, response.errorCode, 'the user needs Describe on the cluster');
    return response.resources.flatMap((resource) =>
      resource.entries.map((entry) => {
        const acl = aclOf(resource, entry);
        if (acl !== null) return acl;
        const what = `an ACL about ${resource.resourceName} on the ${pool.settings.side} is of a kind that this version does not know`;
        throw new PortError('refused', what, { retriable: false });
      }),
    );
  });
}

export type AclChanged = { readonly acl: TopicAcl; readonly refused: Refused | null };

/** One that is there already is none the worse. */
export async function makeAcls(pool: BrokerPool, acls: readonly TopicAcl[]): Promise<AclChanged[]> {
  if (acls.length === 0) return [];
  const broker = await pool.controller();
  const { results } = await broker.call(createAcls, { acls: acls.map(wireAcl) });
  return acls.map((acl, index) => changedAs(acl, results[index]));
}

/** These entries, and none that is like one of them. One that is gone already counts as deleted. */
export async function deleteAcls(pool: BrokerPool, acls: readonly TopicAcl[]): Promise<AclChanged[]> {
  if (acls.length === 0) return [];
  const broker = await pool.controller();
  const { results } = await broker.call(deleteAclsApi, { filters: acls.map(wireAcl) });
  return acls.map((acl, index) => {
    const failed = results[index]?.deleted.find(({ errorCode }) => errorCode !== noError);
    return changedAs(acl, failed ?? results[index]);
  });
}

function changedAs(
  acl: TopicAcl,
  answer: { readonly errorCode: number; readonly errorMessage: string | null } | undefined,
): AclChanged {
  const { errorCode, errorMessage } = answer ?? { errorCode: codeOf('UNKNOWN_SERVER_ERROR'), errorMessage: null };
  return { acl, refused: refusedBy(errorCode, errorMessage) };
}

/** Kafka's number of what leaves it open. */
const anything = 1;

const everyTopicAcl = {
  resourceType: topicResource,
  resourceName: null,
  patternType: anything,
  principal: null,
  host: null,
  operation: anything,
  permission: anything,
};
