import fc from 'fast-check';
import type { Api } from '../../../src/io/kafka/messages/api.ts';
import { apiVersions } from '../../../src/io/kafka/messages/api-versions.ts';
import { wholeOf } from '../../../src/io/kafka/messages/byte-range.ts';
import { deleteRecords } from '../../../src/io/kafka/messages/delete-records.ts';
import { describeConfigs } from '../../../src/io/kafka/messages/describe-configs.ts';
import { describeProducers } from '../../../src/io/kafka/messages/describe-producers.ts';
import { fetchApi } from '../../../src/io/kafka/messages/fetch.ts';
import type { Isolation } from '../../../src/io/kafka/messages/isolation.ts';
import { listOffsets } from '../../../src/io/kafka/messages/list-offsets.ts';
import { metadata } from '../../../src/io/kafka/messages/metadata.ts';
import { offsetForLeaderEpoch } from '../../../src/io/kafka/messages/offset-for-leader-epoch.ts';
import { type ProduceRequest, produceApi } from '../../../src/io/kafka/messages/produce.ts';
import { saslAuthenticate } from '../../../src/io/kafka/messages/sasl-authenticate.ts';
import { saslHandshake } from '../../../src/io/kafka/messages/sasl-handshake.ts';
import { requestSample, responseSample, type Sample } from './sample.ts';

/** Any message of any version, with values at and around all limits; what a version cannot carry is what its reader returns. */
export type AnyMessage = { readonly sample: Sample; readonly version: number };

const int8 = fc.integer({ min: -0x80, max: 0x7f });
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const count = fc.integer({ min: 0, max: 0x7fff_ffff });
const countOrNull = fc.option(count);
const int64 = fc.maxSafeInteger();
const offset = fc.maxSafeNat();
const offsetOrNull = fc.option(offset);
const producerId = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'ä', '\ufeffx', 'x'.repeat(3000)),
);
const textOrNull = fc.option(text);
const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom(4095, 4096, 70_000).map((length) => new Uint8Array(length)),
  )
  .map(wholeOf);
const isolation = fc.constantFrom<Isolation>('read_committed', 'read_uncommitted');
const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((all) => all.some((byte) => byte !== 0))
  .map((all) => Buffer.from(all).toString('base64url'));

function some<T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(one, { maxLength: 4 });
}

function byTopic<T>(partition: fc.Arbitrary<T>): fc.Arbitrary<{ topic: string; partitions: T[] }[]> {
  return some(fc.record({ topic: text, partitions: some(partition) }));
}

const features = some(fc.record({ name: text, least: int16, most: int16 }));
const rangesOfApis = some(fc.record({ apiKey: int16, oldest: int16, newest: int16 }));

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

function requests<Q, R>(api: Api<Q, R>, valueIn: (version: number) => fc.Arbitrary<Q>): fc.Arbitrary<AnyMessage> {
  return versions(api).chain((version) =>
    valueIn(version).map((value) => ({ version, sample: requestSample(api.name, api, () => value) })),
  );
}

function responses<Q, R>(api: Api<Q, R>, valueIn: (version: number) => fc.Arbitrary<R>): fc.Arbitrary<AnyMessage> {
  return versions(api).chain((version) =>
    valueIn(version).map((value) => ({ version, sample: responseSample(api.name, api, () => value) })),
  );
}

function versions(api: { readonly oldest: number; readonly newest: number }): fc.Arbitrary<number> {
  return fc.integer({ min: api.oldest, max: api.newest });
}
