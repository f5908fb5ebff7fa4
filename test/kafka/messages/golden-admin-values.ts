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
import { golden, type Sample } from './sample.ts';

const largest = Number.MAX_SAFE_INTEGER;
const id = 'AAECAwQFBgcICQoLDA0ODw';
const beyond32Bits = 4_294_967_296;

/** Of the messages of administration. */
const deletedAcl = {
  ...{ resourceType: 2, resourceName: 'orders', patternType: 3 },
  ...{ principal: 'User:größer', host: '10.0.0.1' },
};

export const goldenAdminSamples: readonly Sample[] = [
  ...golden('CreateTopics', createTopics, {
    request: () => ({
      topics: [
        {
          name: 'orders',
          partitions: 64,
          replicationFactor: -1,
          configs: [
            { name: 'retention.ms', value: '-1' },
            { name: 'cleanup.policy', value: null },
          ],
        },
        { name: 'clicks.eu', partitions: 1, replicationFactor: 3, configs: [] },
      ],
      timeoutMs: 20_000,
      validateOnly: true,
    }),
    response: (version) => ({
      throttleMs: 6,
      topics: [
        {
          name: 'orders',
          topicId: version < 7 ? null : id,
          errorCode: 0,
          errorMessage: null,
          configErrorCode: 0,
          partitions: 64,
          replicationFactor: 3,
          configs: [
            { name: 'retention.ms', value: '-1', readOnly: false, source: 1, sensitive: false },
            { name: 'x', value: null, readOnly: true, source: 5, sensitive: true },
          ],
        },
        {
          name: 'clicks.eu',
          topicId: null,
          errorCode: 36,
          errorMessage: 'größer',
          configErrorCode: 29,
          partitions: null,
          replicationFactor: null,
          configs: null,
        },
      ],
    }),
  }),
  ...golden('DeleteTopics', deleteTopics, {
    request: () => ({
      topics: [
        { name: 'orders', topicId: null },
        { name: null, topicId: id },
      ],
      timeoutMs: 20_000,
    }),
    response: () => ({
      throttleMs: 1,
      topics: [
        { name: 'orders', topicId: id, errorCode: 0, errorMessage: null },
        { name: null, topicId: id, errorCode: 100, errorMessage: 'no such topic' },
      ],
    }),
  }),
  ...golden('CreatePartitions', createPartitions, {
    request: () => ({ topics: [{ name: 'orders', count: 65 }], timeoutMs: 20_000, validateOnly: false }),
    response: () => ({ throttleMs: 2, topics: [{ name: 'orders', errorCode: 37, errorMessage: 'fewer' }] }),
  }),
  ...golden('IncrementalAlterConfigs', alterConfigs, {
    request: () => ({
      resources: [
        {
          type: 2,
          name: 'orders',
          configs: [
            { name: 'retention.ms', value: '-1' },
            { name: 'compression.type', value: null },
          ],
        },
      ],
      validateOnly: true,
    }),
    response: () => ({
      throttleMs: 3,
      resources: [
        { errorCode: 0, errorMessage: null, type: 2, name: 'orders' },
        { errorCode: 40, errorMessage: 'no', type: 2, name: 'clicks.eu' },
      ],
    }),
  }),
  ...golden('DescribeLogDirs', describeLogDirs, {
    request: () => ({ topics: [{ topic: 'orders', partitions: [0, 63] }] }),
    response: (version) => ({
      throttleMs: 4,
      errorCode: version < 3 ? 0 : 31,
      directories: [
        {
          errorCode: 0,
          path: '/kafka/data-1',
          topics: [
            {
              topic: 'orders',
              partitions: [
                { partition: 0, bytes: largest, offsetLag: 0, isFuture: false },
                { partition: 63, bytes: 1, offsetLag: beyond32Bits, isFuture: true },
              ],
            },
          ],
          totalBytes: version < 4 ? null : largest,
          usableBytes: version < 4 ? null : beyond32Bits,
        },
        { errorCode: 56, path: '/kafka/data-2', topics: [], totalBytes: null, usableBytes: null },
      ],
    }),
  }),
  ...golden('DescribeLogDirs-all', describeLogDirs, { request: () => ({ topics: null }) }),
  ...golden('ListTransactions', listTransactions, {
    request: () => ({ states: ['Ongoing'], producerIds: [1000n, -2n] }),
    response: () => ({
      throttleMs: 5,
      errorCode: 14,
      unknownStates: ['Ongoing'],
      transactions: [{ transactionalId: 'billing-1', producerId: 0x4000_0000_0000_0001n, state: 'Ongoing' }],
    }),
  }),
  ...golden('DescribeTransactions', describeTransactions, {
    request: () => ({ transactionalIds: ['billing-1'] }),
    response: () => ({
      throttleMs: 6,
      transactions: [
        {
          errorCode: 0,
          transactionalId: 'billing-1',
          state: 'Ongoing',
          timeoutMs: 600_000,
          startedMs: 1_700_000_000_123,
          producerId: 1000n,
          producerEpoch: 3,
          topics: [{ topic: 'orders', partitions: [0, 5] }],
        },
        {
          errorCode: 105,
          transactionalId: 'gone',
          state: '',
          timeoutMs: 0,
          startedMs: null,
          producerId: -1n,
          producerEpoch: -1,
          topics: [],
        },
      ],
    }),
  }),
  ...golden('DescribeCluster', describeCluster, {
    request: () => ({ includeAuthorizedOperations: true }),
    response: () => ({
      throttleMs: 7,
      errorCode: 0,
      errorMessage: null,
      clusterId: 'MkU3OEVBNTcwNTJENDM2Qk',
      controllerId: 2,
      brokers: [
        { nodeId: 1, host: 'kafka-1.example', port: 9092, rack: 'eu-1a' },
        { nodeId: 2, host: '::1', port: 65535, rack: null },
      ],
      authorizedOperations: 0x1f8,
    }),
  }),
  ...golden('ListGroups', listGroups, {
    request: () => ({ states: ['Empty', 'Stable'] }),
    response: () => ({
      throttleMs: 8,
      errorCode: 15,
      groups: [
        { group: 'billing', protocolType: 'consumer', state: 'Stable' },
        { group: '', protocolType: '', state: 'Empty' },
      ],
    }),
  }),
  ...golden('OffsetFetch', offsetFetch, {
    request: () => ({ group: 'billing', topics: [{ topic: 'orders', partitions: [0, 63] }], requireStable: true }),
    response: () => ({
      throttleMs: 9,
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, offset: largest, leaderEpoch: 17, metadata: 'größer', errorCode: 0 },
            { partition: 63, offset: null, leaderEpoch: null, metadata: null, errorCode: 88 },
          ],
        },
      ],
      errorCode: 16,
    }),
  }),
  ...golden('OffsetFetch-all', offsetFetch, {
    request: () => ({ group: 'billing', topics: null, requireStable: false }),
  }),
  ...golden('DescribeAcls', describeAcls, {
    request: () => ({
      resourceType: 2,
      resourceName: null,
      patternType: 1,
      principal: 'User:drover',
      host: null,
      operation: 1,
      permission: 1,
    }),
    response: () => ({
      throttleMs: 10,
      errorCode: 54,
      errorMessage: 'No Authorizer is configured',
      resources: [
        {
          resourceType: 2,
          resourceName: 'orders',
          patternType: 4,
          entries: [{ principal: 'User:größer', host: '*', operation: 3, permission: 2 }],
        },
        { resourceType: 4, resourceName: 'kafka-cluster', patternType: 3, entries: [] },
      ],
    }),
  }),
  ...golden('CreateAcls', createAcls, {
    request: () => ({
      acls: [
        {
          resourceType: 2,
          resourceName: 'orders',
          patternType: 3,
          principal: 'User:drover',
          host: '*',
          operation: 4,
          permission: 3,
        },
      ],
    }),
    response: () => ({
      throttleMs: 11,
      results: [
        { errorCode: 0, errorMessage: null },
        { errorCode: 31, errorMessage: 'no' },
      ],
    }),
  }),
  ...golden('DeleteAcls', deleteAcls, {
    request: () => ({
      filters: [
        { ...deletedAcl, operation: 3, permission: 2 },
        {
          ...{ resourceType: 2, resourceName: null, patternType: 4, principal: null, host: null },
          ...{ operation: 1, permission: 1 },
        },
      ],
    }),
    response: () => ({
      throttleMs: 14,
      results: [
        {
          errorCode: 0,
          errorMessage: null,
          deleted: [{ errorCode: 31, errorMessage: 'no', ...deletedAcl, operation: 3, permission: 2 }],
        },
        { errorCode: 54, errorMessage: 'No Authorizer is configured', deleted: [] },
      ],
    }),
  }),
  ...golden('DescribeClientQuotas', describeQuotas, {
    request: () => ({}),
    response: () => ({
      throttleMs: 12,
      errorCode: 0,
      errorMessage: null,
      quotas: [
        {
          entity: [
            { type: 'user', name: 'drover' },
            { type: 'client-id', name: null },
          ],
          // 1048576.5 as a double.
          values: [{ key: 'producer_byte_rate', bits: 0x4130_0000_8000_0000n }],
        },
      ],
    }),
  }),
  ...golden('DescribeClientQuotas-denied', describeQuotas, {
    response: () => ({ throttleMs: 0, errorCode: 31, errorMessage: 'no', quotas: null }),
  }),
  ...golden('DescribeUserScramCredentials', scramUsers, {
    request: () => ({}),
    response: () => ({
      throttleMs: 13,
      errorCode: 0,
      errorMessage: null,
      users: [
        {
          user: 'drover',
          errorCode: 0,
          errorMessage: null,
          credentials: [
            { mechanism: 1, iterations: 8192 },
            { mechanism: 2, iterations: 4096 },
          ],
        },
        { user: 'gone', errorCode: 91, errorMessage: 'no such user', credentials: [] },
      ],
    }),
  }),
];
