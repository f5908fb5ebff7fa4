import type { TopicAcl } from '../../../core/move/acl-facts.ts';
import type { Allowed } from '../../../core/move/rights.ts';
import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import { createAcls, describeAcls } from '../messages/acls.ts';
import { describeCluster } from '../messages/describe-cluster.ts';
import { codeOf, errorName, noError } from '../messages/error-codes.ts';
import { metadata } from '../messages/metadata.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf, type Refused, refusedBy } from './answers.ts';
import { readingOf } from './reading-of.ts';

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
  return { topics: Object.fromEntries(told), cluster };
}

/** Entries about topics; `none`: the cluster has no authorizer, and everybody may do everything. */
export async function topicAcls(pool: BrokerPool): Promise<Reading<readonly TopicAcl[] | 'none'>> {
  return await readingOf(async () => {
    const broker = await pool.anyBroker();
    const response = await broker.call(describeAcls, everyTopicAcl);
    if (response.errorCode === codeOf('SECURITY_DISABLED')) return 'none';
    if (response.errorCode !== noError)
      throw errorOf(`ACLs of the ${pool.settings.side}`, response.errorCode, 'the user needs Describe on the cluster');
    return response.resources.flatMap(({ resourceName: name, patternType, entries }) =>
      entries.map(
        ({ principal, host, operation, permission }): TopicAcl => ({
          name,
          pattern: patternType === prefixed ? 'prefixed' : 'literal',
          principal,
          host,
          operation,
          permission: permission === deny ? 'deny' : 'allow',
        }),
      ),
    );
  });
}

export type AclMade = { readonly acl: TopicAcl; readonly refused: Refused | null };

/** One that is there already is none the worse. */
export async function makeAcls(pool: BrokerPool, acls: readonly TopicAcl[]): Promise<AclMade[]> {
  if (acls.length === 0) return [];
  const broker = await pool.controller();
  const { results } = await broker.call(createAcls, {
    acls: acls.map(({ name, pattern, principal, host, operation, permission }) => ({
      resourceType: topicResource,
      resourceName: name,
      patternType: pattern === 'prefixed' ? prefixed : literal,
      principal,
      host,
      operation,
      permission: permission === 'deny' ? deny : allow,
    })),
  });
  return acls.map((acl, index) => {
    const { errorCode = -1, errorMessage = null } = results[index] ?? {};
    return { acl, refused: refusedBy(errorCode, errorMessage) };
  });
}

/** Kafka's numbers. */
const [anything, topicResource] = [1, 2];
const [literal, prefixed] = [3, 4];
const [deny, allow] = [2, 3];

const everyTopicAcl = {
  resourceType: topicResource,
  resourceName: null,
  patternType: anything,
  principal: null,
  host: null,
  operation: anything,
  permission: anything,
};
