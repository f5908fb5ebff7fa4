import fc from 'fast-check';
import { apiVersions } from '../../../src/io/kafka/messages/api-versions.ts';
import { deleteRecords } from '../../../src/io/kafka/messages/delete-records.ts';
import { describeConfigs } from '../../../src/io/kafka/messages/describe-configs.ts';
import { describeProducers } from '../../../src/io/kafka/messages/describe-producers.ts';
import { fetchApi } from '../../../src/io/kafka/messages/fetch.ts';
import { listOffsets } from '../../../src/io/kafka/messages/list-offsets.ts';
import { metadata } from '../../../src/io/kafka/messages/metadata.ts';
import { offsetForLeaderEpoch } from '../../../src/io/kafka/messages/offset-for-leader-epoch.ts';
import { type ProduceRequest, produceApi } from '../../../src/io/kafka/messages/produce.ts';
import { saslAuthenticate } from '../../../src/io/kafka/messages/sasl-authenticate.ts';
import { saslHandshake } from '../../../src/io/kafka/messages/sasl-handshake.ts';
import {
  type AnyMessage,
  byTopic,
  bytes,
  countOrNull,
  features,
  id,
  int8,
  int16,
  int32,
  int64,
  isolation,
  offsetOrNull,
  producerId,
  rangesOfApis,
  requests,
  responses,
  some,
  text,
  textOrNull,
} from './arbitraries.ts';

export const anyMessage: fc.Arbitrary<AnyMessage> = fc.oneof(
  requests(apiVersions, (version) =>
    version < 3
      ? fc.constant({ clientSoftwareName: '', clientSoftwareVersion: '' })
      : fc.record({ clientSoftwareName: text, clientSoftwareVersion: text }),
  ),
  responses(apiVersions, (version) =>
    fc.record({
      errorCode: int16.filter((code) => code !== 35),
      apis: rangesOfApis,
      throttleMs: version < 1 ? fc.constant(0) : int32,
      supportedFeatures: version < 3 ? fc.constant([]) : features,
      finalizedFeaturesEpoch: version < 3 ? fc.constant(null) : offsetOrNull,
      finalizedFeatures: version < 3 ? fc.constant([]) : features,
    }),
  ),
  requests(metadata, (version) =>
    fc.record({
      topics: fc.option(some(text)),
      allowAutoTopicCreation: fc.boolean(),
      includeClusterAuthorizedOperations: version > 10 ? fc.constant(false) : fc.boolean(),
      includeTopicAuthorizedOperations: fc.boolean(),
    }),
  ),
  responses(metadata, (version) => {
    const operations = fc.option(int32.filter((bits) => bits !== -0x8000_0000));
    const partition = fc.record({
      errorCode: int16,
      partition: int32,
      leaderId: countOrNull,
      leaderEpoch: countOrNull,
      replicas: some(int32),
      inSyncReplicas: some(int32),
      offlineReplicas: some(int32),
    });
    return fc.record({
      throttleMs: int32,
      brokers: some(fc.record({ nodeId: int32, host: text, port: int32, rack: textOrNull })),
      clusterId: textOrNull,
      controllerId: countOrNull,
      topics: some(
        fc.record({
          errorCode: int16,
          name: text,
          topicId: version < 10 ? fc.constant(null) : fc.option(id),
          isInternal: fc.boolean(),
          partitions: some(partition),
          authorizedOperations: operations,
        }),
      ),
      clusterAuthorizedOperations: version > 10 ? fc.constant(null) : operations,
    });
  }),
  requests(describeConfigs, () =>
    fc.record({ resources: some(fc.record({ type: int8, name: text, keys: fc.option(some(text)) })) }),
  ),
  responses(describeConfigs, () => {
    const entry = { name: text, value: textOrNull, readOnly: fc.boolean(), source: int8, sensitive: fc.boolean() };
    const configs = some(fc.record(entry));
    const resource = { errorCode: int16, errorMessage: textOrNull, type: int8, name: text, configs };
    return fc.record({ throttleMs: int32, resources: some(fc.record(resource)) });
  }),
  requests(fetchApi, (version) => {
    const from = fc.record({
      partition: int32,
      currentLeaderEpoch: countOrNull,
      offset: int64,
      lastFetchedEpoch: version < 12 ? fc.constant(null) : countOrNull,
      logStartOffset: offsetOrNull,
      bytesMax: int32,
    });
    return fc.record({
      replicaId: int32,
      maxWaitMs: int32,
      bytesMin: int32,
      bytesMax: int32,
      isolation,
      sessionId: int32,
      sessionEpoch: int32,
      topics: byTopic(from),
      forgottenTopics: byTopic(int32),
      rack: text,
    });
  }),
  responses(fetchApi, (version) => {
    const epochEnd = fc.record({ epoch: int32, endOffset: int64 });
    const leader = fc.record({ leaderId: countOrNull, leaderEpoch: countOrNull });
    const partition = fc.record({
      partition: int32,
      errorCode: int16,
      highWatermark: offsetOrNull,
      lastStableOffset: offsetOrNull,
      logStartOffset: offsetOrNull,
      divergingEpoch: version < 12 ? fc.constant(null) : fc.option(epochEnd),
      currentLeader: version < 12 ? fc.constant(null) : fc.option(leader),
      abortedTransactions: fc.option(some(fc.record({ producerId, firstOffset: int64 }))),
      preferredReadReplica: countOrNull,
      records: fc.option(bytes),
    });
    return fc.record({ throttleMs: int32, errorCode: int16, sessionId: int32, topics: byTopic(partition) });
  }),
  requests(produceApi, () =>
    fc.record({
      transactionalId: textOrNull,
      acks: fc.constantFrom<ProduceRequest['acks']>('all', 'leader'),
      timeoutMs: int32,
      topics: byTopic(fc.record({ partition: int32, records: fc.option(bytes) })),
    }),
  ),
  responses(produceApi, (version) => {
    const recordErrors = some(fc.record({ batchIndex: int32, message: textOrNull }));
    const partition = fc.record({
      partition: int32,
      errorCode: int16,
      baseOffset: offsetOrNull,
      logAppendTimeMs: offsetOrNull,
      logStartOffset: offsetOrNull,
      recordErrors: version < 8 ? fc.constant([]) : recordErrors,
      errorMessage: version < 8 ? fc.constant(null) : textOrNull,
    });
    return fc.record({ topics: byTopic(partition), throttleMs: int32 });
  }),
  requests(listOffsets, (version) => {
    const timestamp = version < 7 ? int64.filter((time) => time !== -3) : int64;
    const asked = fc.record({ partition: int32, currentLeaderEpoch: countOrNull, timestamp });
    return fc.record({ replicaId: int32, isolation, topics: byTopic(asked) });
  }),
  responses(listOffsets, () => {
    const answered = { timestampMs: offsetOrNull, offset: offsetOrNull, leaderEpoch: countOrNull };
    return fc.record({
      throttleMs: int32,
      topics: byTopic(fc.record({ partition: int32, errorCode: int16, ...answered })),
    });
  }),
  requests(offsetForLeaderEpoch, () => {
    const asked = fc.record({ partition: int32, currentLeaderEpoch: countOrNull, leaderEpoch: int32 });
    return fc.record({ replicaId: int32, topics: byTopic(asked) });
  }),
  responses(offsetForLeaderEpoch, () => {
    const answered = { errorCode: int16, partition: int32, leaderEpoch: countOrNull, endOffset: offsetOrNull };
    return fc.record({ throttleMs: int32, topics: byTopic(fc.record(answered)) });
  }),
  requests(describeProducers, () => fc.record({ topics: byTopic(int32) })),
  responses(describeProducers, () => {
    const producer = fc.record({
      producerId,
      producerEpoch: countOrNull,
      lastSequence: countOrNull,
      lastTimestampMs: offsetOrNull,
      coordinatorEpoch: countOrNull,
      transactionStartOffset: offsetOrNull,
    });
    const partition = fc.record({
      partition: int32,
      errorCode: int16,
      errorMessage: textOrNull,
      producers: some(producer),
    });
    return fc.record({ throttleMs: int32, topics: byTopic(partition) });
  }),
  requests(deleteRecords, () =>
    fc.record({ topics: byTopic(fc.record({ partition: int32, offset: int64 })), timeoutMs: int32 }),
  ),
  responses(deleteRecords, () => {
    const deleted = fc.record({ partition: int32, lowWatermark: offsetOrNull, errorCode: int16 });
    return fc.record({ throttleMs: int32, topics: byTopic(deleted) });
  }),
  requests(saslHandshake, () => fc.record({ mechanism: text })),
  responses(saslHandshake, () => fc.record({ errorCode: int16, mechanisms: some(text) })),
  requests(saslAuthenticate, () => fc.record({ authBytes: bytes })),
  responses(saslAuthenticate, (version) =>
    fc.record({
      errorCode: int16,
      errorMessage: textOrNull,
      authBytes: bytes,
      sessionLifetimeMs: version < 1 ? fc.constant(0) : int64,
    }),
  ),
);
