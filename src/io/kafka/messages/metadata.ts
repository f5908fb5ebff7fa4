import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api, Codec } from './api.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * Brokers, topics, and who leads which partition in which epoch.
 *
 *   Request v8 => topics NULLABLE [name STRING], allow_auto_topic_creation BOOLEAN,
 *     include_cluster_authorized_operations BOOLEAN (to v10), include_topic_authorized_operations BOOLEAN
 *   Response v8 => throttle_time_ms INT32, [node_id INT32, host STRING, port INT32, rack NULLABLE_STRING],
 *     cluster_id NULLABLE_STRING, controller_id INT32, [error_code INT16, name STRING, is_internal BOOLEAN,
 *     [error_code INT16, partition INT32, leader_id INT32, leader_epoch INT32, replicas [INT32], isr [INT32], offline [INT32]],
 *     authorized_operations INT32], cluster_authorized_operations INT32 (to v10)
 *   v9 => flexible          v10 => topic_id UUID: in the request before, in the response after the name
 */
export type MetadataRequest = {
  /** Null: all topics. */
  readonly topics: readonly string[] | null;
  readonly allowAutoTopicCreation: boolean;
  /** To version 10; later brokers tell it only by DescribeCluster. */
  readonly includeClusterAuthorizedOperations: boolean;
  readonly includeTopicAuthorizedOperations: boolean;
};
export type MetadataResponse = {
  readonly throttleMs: number;
  readonly brokers: readonly BrokerAddress[];
  readonly clusterId: string | null;
  readonly controllerId: number | null;
  readonly topics: readonly TopicMetadata[];
  readonly clusterAuthorizedOperations: OperationBits;
};
export type BrokerAddress = {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
};
export type TopicMetadata = {
  readonly errorCode: number;
  readonly name: string;
  /** Another one: a topic made anew under the same name. Null: the broker tells none (before version 10, or with an error). */
  readonly topicId: string | null;
  readonly isInternal: boolean;
  readonly partitions: readonly PartitionMetadata[];
  readonly authorizedOperations: OperationBits;
};
export type PartitionMetadata = {
  readonly errorCode: number;
  readonly partition: number;
  readonly leaderId: number | null;
  readonly leaderEpoch: number | null;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
  readonly offlineReplicas: readonly number[];
};
/** A bit for each allowed operation, by the numbers of Kafka's AclOperation; null: not asked. */
export type OperationBits = number | null;

const request: Codec<MetadataRequest> = {
  encode: (out, version, value) => {
    const flexible = version >= 9;
    out.arrayOrNull(value.topics, flexible, (name) => {
      if (version >= 10) out.uuidOrNull(null);
      out.string(name, flexible);
      if (flexible) out.tagged();
    });
    out.boolean(value.allowAutoTopicCreation);
    if (version <= 10) out.boolean(value.includeClusterAuthorizedOperations);
    out.boolean(value.includeTopicAuthorizedOperations);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 9;
    const topics = input.arrayOrNull('topics', flexible, () => {
      const { at } = input;
      const id = version >= 10 ? input.uuidOrNull('topic id') : null;
      if (id !== null) throw new MalformedBytes('topic id', at, 'none, for topics are asked by name', id);
      const name = input.string('topic', flexible);
      if (flexible) input.tagged('tagged fields of a topic');
      return name;
    });
    const allowAutoTopicCreation = input.boolean('allow auto topic creation');
    const includeClusterAuthorizedOperations =
      version <= 10 ? input.boolean('include cluster authorized operations') : false;
    const includeTopicAuthorizedOperations = input.boolean('include topic authorized operations');
    if (flexible) input.tagged('tagged fields of Metadata');
    return { topics, allowAutoTopicCreation, includeClusterAuthorizedOperations, includeTopicAuthorizedOperations };
  },
};

const response: Codec<MetadataResponse> = {
  encode: (out, version, value) => {
    const flexible = version >= 9;
    out.int32(value.throttleMs);
    out.array(value.brokers, flexible, ({ nodeId, host, port, rack }) => {
      out.int32(nodeId);
      out.string(host, flexible);
      out.int32(port);
      out.stringOrNull(rack, flexible);
      if (flexible) out.tagged();
    });
    out.stringOrNull(value.clusterId, flexible);
    out.int32OrNull(value.controllerId);
    out.array(value.topics, flexible, (topic) => writeTopic(out, version, topic));
    if (version <= 10) out.int32(value.clusterAuthorizedOperations ?? notAsked);
    if (flexible) out.tagged();
  },
  decode: (input, version) => {
    const flexible = version >= 9;
    const throttleMs = input.int32('throttle time');
    const brokers = input.array('brokers', flexible, () => {
      const nodeId = input.int32('node id');
      const host = input.string('host', flexible);
      const port = input.int32('port');
      const rack = input.stringOrNull('rack', flexible);
      if (flexible) input.tagged('tagged fields of a broker');
      return { nodeId, host, port, rack };
    });
    const clusterId = input.stringOrNull('cluster id', flexible);
    const controllerId = input.int32OrNull('controller id');
    const topics = input.array('topics', flexible, () => readTopic(input, version));
    const clusterAuthorizedOperations = version <= 10 ? readOperations(input) : null;
    if (flexible) input.tagged('tagged fields of Metadata');
    return { throttleMs, brokers, clusterId, controllerId, topics, clusterAuthorizedOperations };
  },
};

export const metadata: Api<MetadataRequest, MetadataResponse> = {
  name: 'Metadata',
  key: 3,
  oldest: 8,
  newest: 11,
  flexibleFrom: 9,
  request,
  response,
};

const notAsked = -0x8000_0000;

function readOperations(input: WireReader): OperationBits {
  const bits = input.int32('authorized operations');
  return bits === notAsked ? null : bits;
}

function writeTopic(out: WireWriter, version: number, value: TopicMetadata): void {
  const flexible = version >= 9;
  out.int16(value.errorCode);
  out.string(value.name, flexible);
  if (version >= 10) out.uuidOrNull(value.topicId);
  out.boolean(value.isInternal);
  out.array(value.partitions, flexible, (partition) => {
    out.int16(partition.errorCode);
    out.int32(partition.partition);
    out.int32OrNull(partition.leaderId);
    out.int32OrNull(partition.leaderEpoch);
    for (const nodes of [partition.replicas, partition.inSyncReplicas, partition.offlineReplicas])
      out.array(nodes, flexible, (node) => out.int32(node));
    if (flexible) out.tagged();
  });
  out.int32(value.authorizedOperations ?? notAsked);
  if (flexible) out.tagged();
}

function readTopic(input: WireReader, version: number): TopicMetadata {
  const flexible = version >= 9;
  const nodes = (what: string): number[] => input.array(what, flexible, () => input.int32(what));
  const errorCode = input.int16('error code');
  const name = input.string('topic', flexible);
  const topicId = version >= 10 ? input.uuidOrNull('topic id') : null;
  const isInternal = input.boolean('is internal');
  const partitions = input.array(`partitions of ${name}`, flexible, () => {
    const partition = {
      errorCode: input.int16('error code'),
      partition: input.int32('partition'),
      leaderId: input.int32OrNull('leader'),
      leaderEpoch: input.int32OrNull('leader epoch'),
      replicas: nodes('replicas'),
      inSyncReplicas: nodes('in-sync replicas'),
      offlineReplicas: nodes('offline replicas'),
    };
    if (flexible) input.tagged('tagged fields of a partition');
    return partition;
  });
  const authorizedOperations = readOperations(input);
  if (flexible) input.tagged('tagged fields of a topic');
  return { errorCode, name, topicId, isInternal, partitions, authorizedOperations };
}
