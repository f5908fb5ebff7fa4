import fc from 'fast-check';
import { createAcls, describeAcls } from '../../../src/io/kafka/messages/acls.ts';
import { alterConfigs } from '../../../src/io/kafka/messages/alter-configs.ts';
import { createPartitions } from '../../../src/io/kafka/messages/create-partitions.ts';
import { createTopics } from '../../../src/io/kafka/messages/create-topics.ts';
import { deleteAcls } from '../../../src/io/kafka/messages/delete-acls.ts';
import { deleteTopics } from '../../../src/io/kafka/messages/delete-topics.ts';
import { describeCluster } from '../../../src/io/kafka/messages/describe-cluster.ts';
import { describeLogDirs } from '../../../src/io/kafka/messages/describe-log-dirs.ts';
import { describeQuotas } from '../../../src/io/kafka/messages/describe-quotas.ts';
import { describeTransactions } from '../../../src/io/kafka/messages/describe-transactions.ts';
import { listGroups } from '../../../src/io/kafka/messages/list-groups.ts';
import { listTransactions } from '../../../src/io/kafka/messages/list-transactions.ts';
import { offsetFetch } from '../../../src/io/kafka/messages/offset-fetch.ts';
import { scramUsers } from '../../../src/io/kafka/messages/scram-users.ts';
import {
  type AnyMessage,
  byTopic,
  countOrNull,
  id,
  int8,
  int16,
  int32,
  int64,
  offsetOrNull,
  producerId,
  requests,
  responses,
  some,
  text,
  textOrNull,
} from './arbitraries.ts';

const nothing = fc.constant({});
const pattern = { resourceType: int8, resourceName: text, patternType: int8 };
const aclEntry = { principal: text, host: text, operation: int8, permission: int8 };
const aclFilter = {
  ...{ resourceType: int8, resourceName: textOrNull, patternType: int8 },
  ...{ principal: textOrNull, host: textOrNull, operation: int8, permission: int8 },
};
const failure = { errorCode: int16, errorMessage: textOrNull };

export const anyAdminMessage: fc.Arbitrary<AnyMessage> = fc.oneof(
  requests(createTopics, () => {
    const config = fc.record({ name: text, value: textOrNull });
    const topic = { name: text, partitions: int32, replicationFactor: int16, configs: some(config) };
    return fc.record({ topics: some(fc.record(topic)), timeoutMs: int32, validateOnly: fc.boolean() });
  }),
  responses(createTopics, (version) => {
    const entry = { name: text, value: textOrNull, readOnly: fc.boolean(), source: int8, sensitive: fc.boolean() };
    const topic = {
      name: text,
      topicId: version < 7 ? fc.constant(null) : fc.option(id),
      ...failure,
      configErrorCode: int16,
      partitions: countOrNull,
      replicationFactor: fc.option(fc.integer({ min: 0, max: 0x7fff })),
      configs: fc.option(some(fc.record(entry))),
    };
    return fc.record({ throttleMs: int32, topics: some(fc.record(topic)) });
  }),
  requests(deleteTopics, () =>
    fc.record({ topics: some(fc.record({ name: textOrNull, topicId: fc.option(id) })), timeoutMs: int32 }),
  ),
  responses(deleteTopics, () =>
    fc.record({
      throttleMs: int32,
      topics: some(fc.record({ name: textOrNull, topicId: fc.option(id), ...failure })),
    }),
  ),
  requests(createPartitions, () =>
    fc.record({
      topics: some(fc.record({ name: text, count: int32 })),
      timeoutMs: int32,
      validateOnly: fc.boolean(),
    }),
  ),
  responses(createPartitions, () =>
    fc.record({ throttleMs: int32, topics: some(fc.record({ name: text, ...failure })) }),
  ),
  requests(alterConfigs, () => {
    const configs = some(fc.record({ name: text, value: textOrNull }));
    const resource = fc.record({ type: int8, name: text, configs });
    return fc.record({ resources: some(resource), validateOnly: fc.boolean() });
  }),
  responses(alterConfigs, () =>
    fc.record({ throttleMs: int32, resources: some(fc.record({ ...failure, type: int8, name: text })) }),
  ),
  requests(describeLogDirs, () => fc.record({ topics: fc.option(byTopic(int32)) })),
  responses(describeLogDirs, (version) => {
    const bytes = version < 4 ? fc.constant(null) : offsetOrNull;
    const replica = fc.record({ partition: int32, bytes: int64, offsetLag: int64, isFuture: fc.boolean() });
    const directory = { errorCode: int16, path: text, topics: byTopic(replica), totalBytes: bytes, usableBytes: bytes };
    const errorCode = version < 3 ? fc.constant(0) : int16;
    return fc.record({ throttleMs: int32, errorCode, directories: some(fc.record(directory)) });
  }),
  requests(listTransactions, () => fc.record({ states: some(text), producerIds: some(producerId) })),
  responses(listTransactions, () => {
    const transaction = fc.record({ transactionalId: text, producerId, state: text });
    return fc.record({
      throttleMs: int32,
      errorCode: int16,
      unknownStates: some(text),
      transactions: some(transaction),
    });
  }),
  requests(describeTransactions, () => fc.record({ transactionalIds: some(text) })),
  responses(describeTransactions, () => {
    const transaction = {
      errorCode: int16,
      transactionalId: text,
      state: text,
      timeoutMs: int32,
      startedMs: offsetOrNull,
      producerId,
      producerEpoch: int16,
      topics: byTopic(int32),
    };
    return fc.record({ throttleMs: int32, transactions: some(fc.record(transaction)) });
  }),
  requests(describeCluster, () => fc.record({ includeAuthorizedOperations: fc.boolean() })),
  responses(describeCluster, () =>
    fc.record({
      throttleMs: int32,
      ...failure,
      clusterId: text,
      controllerId: countOrNull,
      brokers: some(fc.record({ nodeId: int32, host: text, port: int32, rack: textOrNull })),
      authorizedOperations: fc.option(int32.filter((bits) => bits !== -0x8000_0000)),
    }),
  ),
  requests(listGroups, () => fc.record({ states: some(text) })),
  responses(listGroups, () => {
    const groups = some(fc.record({ group: text, protocolType: text, state: text }));
    return fc.record({ throttleMs: int32, errorCode: int16, groups });
  }),
  requests(offsetFetch, () =>
    fc.record({ group: text, topics: fc.option(byTopic(int32)), requireStable: fc.boolean() }),
  ),
  responses(offsetFetch, () => {
    const committed = { offset: offsetOrNull, leaderEpoch: countOrNull, metadata: textOrNull, errorCode: int16 };
    const topics = byTopic(fc.record({ partition: int32, ...committed }));
    return fc.record({ throttleMs: int32, topics, errorCode: int16 });
  }),
  requests(describeAcls, () => fc.record(aclFilter)),
  responses(describeAcls, () => {
    const resource = fc.record({ ...pattern, entries: some(fc.record(aclEntry)) });
    return fc.record({ throttleMs: int32, ...failure, resources: some(resource) });
  }),
  requests(createAcls, () => fc.record({ acls: some(fc.record({ ...pattern, ...aclEntry })) })),
  responses(createAcls, () => fc.record({ throttleMs: int32, results: some(fc.record(failure)) })),
  requests(deleteAcls, () => fc.record({ filters: some(fc.record(aclFilter)) })),
  responses(deleteAcls, () => {
    const deleted = some(fc.record({ ...failure, ...pattern, ...aclEntry }));
    return fc.record({ throttleMs: int32, results: some(fc.record({ ...failure, deleted })) });
  }),
  requests(describeQuotas, () => nothing),
  responses(describeQuotas, () => {
    const entity = some(fc.record({ type: text, name: textOrNull }));
    const values = some(fc.record({ key: text, bits: producerId }));
    return fc.record({ throttleMs: int32, ...failure, quotas: fc.option(some(fc.record({ entity, values }))) });
  }),
  requests(scramUsers, () => nothing),
  responses(scramUsers, () => {
    const credentials = some(fc.record({ mechanism: int8, iterations: int32 }));
    return fc.record({
      throttleMs: int32,
      ...failure,
      users: some(fc.record({ user: text, ...failure, credentials })),
    });
  }),
);
