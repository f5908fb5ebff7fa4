import { apiVersions } from '../../../src/io/kafka/messages/api-versions.ts';
import { type ByteRange, noBytes, wholeOf } from '../../../src/io/kafka/messages/byte-range.ts';
import { deleteRecords } from '../../../src/io/kafka/messages/delete-records.ts';
import { describeProducers } from '../../../src/io/kafka/messages/describe-producers.ts';
import { fetchApi } from '../../../src/io/kafka/messages/fetch.ts';
import type { Isolation } from '../../../src/io/kafka/messages/isolation.ts';
import { askedAs, listOffsets } from '../../../src/io/kafka/messages/list-offsets.ts';
import { metadata } from '../../../src/io/kafka/messages/metadata.ts';
import { offsetForLeaderEpoch } from '../../../src/io/kafka/messages/offset-for-leader-epoch.ts';
import { type ProduceRequest, produceApi } from '../../../src/io/kafka/messages/produce.ts';
import { saslAuthenticate } from '../../../src/io/kafka/messages/sasl-authenticate.ts';
import { saslHandshake } from '../../../src/io/kafka/messages/sasl-handshake.ts';
import { goldenAdminSamples } from './golden-admin-values.ts';
import { golden, type Sample } from './sample.ts';

const largest = Number.MAX_SAFE_INTEGER;
const readCommitted: Isolation = 'read_committed';
const all: ProduceRequest['acks'] = 'all';
const beyond32Bits = 4_294_967_296;

/** What is in the lines of the file. */
export const goldenSamples: readonly Sample[] = [
  ...goldenAdminSamples,
  ...golden('ApiVersions', apiVersions, {
    request: (version) =>
      version < 3
        ? { clientSoftwareName: '', clientSoftwareVersion: '' }
        : { clientSoftwareName: 'drover', clientSoftwareVersion: '0.1.0' },
    response: (version) => ({
      errorCode: 0,
      apis: [
        { apiKey: 0, oldest: 3, newest: 13 },
        { apiKey: 1, oldest: 4, newest: 18 },
        { apiKey: 18, oldest: 0, newest: 4 },
      ],
      throttleMs: version < 1 ? 0 : 12,
      supportedFeatures: version < 3 ? [] : [{ name: 'metadata.version', least: 1, most: 29 }],
      finalizedFeaturesEpoch: version < 3 ? null : 42,
      finalizedFeatures: version < 3 ? [] : [{ name: 'metadata.version', least: 7, most: 25 }],
    }),
  }),
  ...golden('ApiVersions-unsupported', apiVersions, {
    response: () => ({
      errorCode: 35,
      apis: [{ apiKey: 18, oldest: 0, newest: 2 }],
      throttleMs: 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: null,
      finalizedFeatures: [],
    }),
  }),
  ...golden('Metadata', metadata, {
    request: (version) => ({
      topics: ['orders', 'clicks.eu'],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: version <= 10,
      includeTopicAuthorizedOperations: true,
    }),
    response: (version) => ({
      throttleMs: 5,
      brokers: [
        { nodeId: 1, host: 'kafka-1.example', port: 9092, rack: 'eu-1a' },
        { nodeId: 2, host: '::1', port: 65535, rack: null },
      ],
      clusterId: 'MkU3OEVBNTcwNTJENDM2Qk',
      controllerId: 2,
      topics: [
        {
          errorCode: 0,
          name: 'orders',
          topicId: version < 10 ? null : 'AAECAwQFBgcICQoLDA0ODw',
          isInternal: false,
          partitions: [
            {
              errorCode: 0,
              partition: 0,
              leaderId: 1,
              leaderEpoch: 17,
              replicas: [1, 2, 3],
              inSyncReplicas: [1, 2],
              offlineReplicas: [3],
            },
            {
              errorCode: 5,
              partition: 1,
              leaderId: null,
              leaderEpoch: null,
              replicas: [3],
              inSyncReplicas: [],
              offlineReplicas: [3],
            },
          ],
          authorizedOperations: 0xd78,
        },
        {
          errorCode: 3,
          name: 'clicks.eu',
          topicId: null,
          isInternal: false,
          partitions: [],
          authorizedOperations: null,
        },
      ],
      clusterAuthorizedOperations: version <= 10 ? 0x1f8 : null,
    }),
  }),
  ...golden('Metadata-all', metadata, {
    request: () => ({
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }),
  }),
  ...golden('Fetch', fetchApi, {
    request: (version) => ({
      replicaId: -1,
      maxWaitMs: 500,
      bytesMin: 1,
      bytesMax: 0x7fff_ffff,
      isolation: readCommitted,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic: 'orders',
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: 17,
              offset: largest,
              lastFetchedEpoch: version < 12 ? null : 16,
              logStartOffset: null,
              bytesMax: 1_048_576,
            },
            {
              partition: 63,
              currentLeaderEpoch: null,
              offset: 0,
              lastFetchedEpoch: null,
              logStartOffset: null,
              bytesMax: 1,
            },
          ],
        },
      ],
      forgottenTopics: [{ topic: 'old', partitions: [3, 4] }],
      rack: 'eu-1a',
    }),
    response: (version) => ({
      throttleMs: 100,
      errorCode: 0,
      sessionId: 0,
      topics: [
        {
          topic: 'orders',
          partitions: [
            {
              partition: 0,
              errorCode: 0,
              highWatermark: largest,
              lastStableOffset: beyond32Bits,
              logStartOffset: beyond32Bits - 1,
              divergingEpoch: null,
              currentLeader: null,
              abortedTransactions: [
                { producerId: 0x7fff_0123_4567_89abn, firstOffset: beyond32Bits + 1 },
                { producerId: -2n, firstOffset: 7 },
              ],
              preferredReadReplica: null,
              records: counted(150),
            },
            {
              partition: 1,
              errorCode: 6,
              highWatermark: null,
              lastStableOffset: null,
              logStartOffset: null,
              divergingEpoch: null,
              currentLeader: version < 12 ? null : { leaderId: 3, leaderEpoch: 18 },
              abortedTransactions: null,
              preferredReadReplica: null,
              records: null,
            },
          ],
        },
        {
          topic: 'clicks.eu',
          partitions: [
            {
              partition: 2,
              errorCode: 0,
              highWatermark: 100,
              lastStableOffset: 100,
              logStartOffset: 0,
              divergingEpoch: version < 12 ? null : { epoch: 15, endOffset: 90 },
              currentLeader: null,
              abortedTransactions: [],
              preferredReadReplica: 4,
              records: noBytes,
            },
          ],
        },
      ],
    }),
  }),
  ...golden('Fetch-empty', fetchApi, {
    response: () => ({ throttleMs: 0, errorCode: 70, sessionId: 0, topics: [] }),
  }),
  ...golden('Produce', produceApi, {
    request: (version) => ({
      transactionalId: null,
      acks: all,
      timeoutMs: 30_000,
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, records: counted(version < 9 ? 200 : 4200) },
            { partition: 7, records: counted(61) },
          ],
        },
        { topic: 'clicks.eu', partitions: [{ partition: 1, records: counted(127) }] },
      ],
    }),
    response: (version) => ({
      topics: [
        {
          topic: 'orders',
          partitions: [
            {
              partition: 0,
              errorCode: 0,
              baseOffset: largest,
              logAppendTimeMs: 1_700_000_000_123,
              logStartOffset: beyond32Bits,
              recordErrors: [],
              errorMessage: null,
            },
            {
              partition: 7,
              errorCode: 87,
              baseOffset: null,
              logAppendTimeMs: null,
              logStartOffset: null,
              recordErrors:
                version < 8
                  ? []
                  : [
                      { batchIndex: 3, message: 'no key' },
                      { batchIndex: 4, message: null },
                    ],
              errorMessage: version < 8 ? null : 'One or more records have been rejected: größer',
            },
          ],
        },
      ],
      throttleMs: 250,
    }),
  }),
  ...golden('ListOffsets', listOffsets, {
    request: () => ({
      replicaId: askedAs.debugger,
      isolation: readCommitted,
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, currentLeaderEpoch: 17, timestamp: -1 },
            { partition: 1, currentLeaderEpoch: null, timestamp: 1_700_000_000_123 },
          ],
        },
      ],
    }),
    response: () => ({
      throttleMs: 1,
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, errorCode: 0, timestampMs: null, offset: largest, leaderEpoch: 17 },
            { partition: 1, errorCode: 78, timestampMs: null, offset: null, leaderEpoch: null },
          ],
        },
      ],
    }),
  }),
  ...golden('OffsetForLeaderEpoch', offsetForLeaderEpoch, {
    request: () => ({
      replicaId: -1,
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, currentLeaderEpoch: 17, leaderEpoch: 15 },
            { partition: 1, currentLeaderEpoch: null, leaderEpoch: 0 },
          ],
        },
      ],
    }),
    response: () => ({
      throttleMs: 2,
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, errorCode: 0, leaderEpoch: 15, endOffset: largest },
            { partition: 1, errorCode: 75, leaderEpoch: null, endOffset: null },
          ],
        },
      ],
    }),
  }),
  ...golden('DescribeProducers', describeProducers, {
    request: () => ({ topics: [{ topic: 'orders', partitions: [0, 5] }] }),
    response: () => ({
      throttleMs: 3,
      topics: [
        {
          topic: 'orders',
          partitions: [
            {
              partition: 0,
              errorCode: 0,
              errorMessage: null,
              producers: [
                {
                  producerId: 0x4000_0000_0000_0001n,
                  producerEpoch: 3,
                  lastSequence: 2_147_483_647,
                  lastTimestampMs: 1_700_000_000_123,
                  coordinatorEpoch: 9,
                  transactionStartOffset: beyond32Bits,
                },
                {
                  producerId: 1000n,
                  producerEpoch: 0,
                  lastSequence: null,
                  lastTimestampMs: null,
                  coordinatorEpoch: null,
                  transactionStartOffset: null,
                },
              ],
            },
            { partition: 5, errorCode: 29, errorMessage: 'no', producers: [] },
          ],
        },
      ],
    }),
  }),
  ...golden('DeleteRecords', deleteRecords, {
    request: () => ({
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, offset: largest },
            { partition: 1, offset: -1 },
          ],
        },
      ],
      timeoutMs: 60_000,
    }),
    response: () => ({
      throttleMs: 4,
      topics: [
        {
          topic: 'orders',
          partitions: [
            { partition: 0, lowWatermark: largest, errorCode: 0 },
            { partition: 1, lowWatermark: null, errorCode: 44 },
          ],
        },
      ],
    }),
  }),
  ...golden('SaslHandshake', saslHandshake, {
    request: () => ({ mechanism: 'SCRAM-SHA-256' }),
    response: () => ({ errorCode: 33, mechanisms: ['PLAIN', 'SCRAM-SHA-512'] }),
  }),
  ...golden('SaslAuthenticate', saslAuthenticate, {
    request: () => ({ authBytes: wholeOf(Uint8Array.of(0, 117, 0, 112)) }),
    response: (version) => ({
      errorCode: 58,
      errorMessage: 'Authentication failed',
      authBytes: wholeOf(Uint8Array.of(1, 2)),
      sessionLifetimeMs: version < 1 ? 0 : 3_600_000,
    }),
  }),
];

function counted(length: number): ByteRange {
  return wholeOf(Uint8Array.from({ length }, (_, index) => (index * 7 + 1) & 0xff));
}
