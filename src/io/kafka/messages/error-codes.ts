/**
 * What a broker's error code means to whoever copies partitions, in one table. `remedy` is what helps:
 *   never     the same request is answered the same way: a person, another request or another state of things is needed
 *   again     the same request to the same broker, a little later
 *   metadata  the same request after fresh metadata: leader, epoch or topic id have changed
 *   read-back the request may have had an effect, or collides with one: look at what is there before anything is sent
 *
 * After Produce a batch may be there whatever the error is: even NOT_LEADER_OR_FOLLOWER is answered after an append, when the
 * leader loses its office while it waits for the followers.
 */
export type KafkaError = {
  readonly code: number;
  readonly name: string;
  readonly remedy: 'never' | 'again' | 'metadata' | 'read-back';
  readonly meaning: string;
};

export type KafkaErrorName = keyof typeof rows;

export const noError = 0;

export function kafkaError(code: number): KafkaError {
  return errors.get(code) ?? unknownError(code);
}

/** For sentences: `NOT_LEADER_OR_FOLLOWER (6)`. */
export function errorName(code: number): string {
  return `${kafkaError(code).name} (${code})`;
}

export function codeOf(name: KafkaErrorName): number {
  return rows[name][0];
}

function unknownError(code: number): KafkaError {
  return { code, name: `ERROR_${code}`, remedy: 'read-back', meaning: 'an error that Drover does not know' };
}

const rows = {
  UNKNOWN_SERVER_ERROR: [-1, 'read-back', 'the broker failed inside; its log says more'],
  NONE: [0, 'never', 'no error'],
  OFFSET_OUT_OF_RANGE: [1, 'never', 'the offset is below the log start or above the log end'],
  CORRUPT_MESSAGE: [2, 'again', 'the checksum of the batch is wrong, or a key is missing on a compacted topic'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, 'metadata', 'the broker has no such partition (yet, or any more)'],
  INVALID_FETCH_SIZE: [4, 'never', 'the size asked for makes no sense'],
  LEADER_NOT_AVAILABLE: [5, 'metadata', 'no leader: an election is going on, or its replicas are offline'],
  NOT_LEADER_OR_FOLLOWER: [6, 'metadata', 'another broker leads the partition'],
  REQUEST_TIMED_OUT: [7, 'read-back', 'not finished in time; a written batch may be there all the same'],
  BROKER_NOT_AVAILABLE: [8, 'again', 'the broker is not there'],
  REPLICA_NOT_AVAILABLE: [9, 'metadata', 'the broker does not have the replica'],
  MESSAGE_TOO_LARGE: [10, 'never', 'the batch is above max.message.bytes of the topic'],
  NETWORK_EXCEPTION: [13, 'read-back', 'the broker lost a connection of its own before it could answer'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, 'again', 'the coordinator is loading its state'],
  COORDINATOR_NOT_AVAILABLE: [15, 'again', 'there is no coordinator at the moment'],
  NOT_COORDINATOR: [16, 'metadata', 'another broker is the coordinator'],
  INVALID_TOPIC_EXCEPTION: [17, 'never', 'the name is not one that a topic may have, or the topic is internal'],
  RECORD_LIST_TOO_LARGE: [18, 'never', 'the batch is above segment.bytes of the topic'],
  NOT_ENOUGH_REPLICAS: [19, 'again', 'fewer replicas are in sync than min.insync.replicas; nothing was written'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, 'read-back', 'the leader has written it, too few replicas have it'],
  INVALID_REQUIRED_ACKS: [21, 'never', 'acks is none of −1, 0 and 1'],
  TOPIC_AUTHORIZATION_FAILED: [29, 'never', 'the user may not do this with the topic'],
  GROUP_AUTHORIZATION_FAILED: [30, 'never', 'the user may not do this with the group'],
  CLUSTER_AUTHORIZATION_FAILED: [31, 'never', 'the user may not do this with the cluster'],
  INVALID_TIMESTAMP: [
    32,
    'never',
    'a record is too old or too far in the future for the topic, or carries append times',
  ],
  UNSUPPORTED_SASL_MECHANISM: [33, 'never', 'this listener does not take the SASL mechanism'],
  ILLEGAL_SASL_STATE: [34, 'never', 'the listener wants authentication first, or does not expect it here'],
  UNSUPPORTED_VERSION: [35, 'never', 'the broker does not speak this version of the request'],
  TOPIC_ALREADY_EXISTS: [36, 'never', 'there is a topic of this name'],
  INVALID_PARTITIONS: [37, 'never', 'the number of partitions is not possible'],
  INVALID_REPLICATION_FACTOR: [38, 'never', 'more replicas than brokers, or fewer than one'],
  INVALID_REPLICA_ASSIGNMENT: [39, 'never', 'the assignment of replicas is not possible'],
  INVALID_CONFIG: [40, 'never', 'a configuration has a value that is not possible'],
  NOT_CONTROLLER: [41, 'metadata', 'another broker is the controller'],
  INVALID_REQUEST: [42, 'never', 'the request contradicts itself; the broker’s log says how'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, 'never', 'the topic keeps records in an old format that cannot hold this'],
  POLICY_VIOLATION: [44, 'never', 'a policy of the cluster or of the topic forbids it'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [
    45,
    'read-back',
    'a batch of this producer is missing, or is older than the last five',
  ],
  DUPLICATE_SEQUENCE_NUMBER: [46, 'read-back', 'a batch with this sequence is there'],
  INVALID_PRODUCER_EPOCH: [47, 'read-back', 'a newer epoch of this producer has written: a successor is at work'],
  INVALID_TXN_STATE: [48, 'never', 'the transaction is not in a state for this'],
  INVALID_PRODUCER_ID_MAPPING: [49, 'never', 'the producer id does not belong to the transactional id'],
  INVALID_TRANSACTION_TIMEOUT: [50, 'never', 'the transaction time-out is above the broker’s limit'],
  CONCURRENT_TRANSACTIONS: [51, 'again', 'something else is being done with this transaction'],
  TRANSACTION_COORDINATOR_FENCED: [52, 'never', 'a newer coordinator of transactions is at work'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [
    53,
    'never',
    'the user may not use the transactional id, or the batch is transactional without one',
  ],
  SECURITY_DISABLED: [54, 'never', 'the cluster has no authorizer'],
  OPERATION_NOT_ATTEMPTED: [55, 'again', 'not tried, because another part of the request failed'],
  KAFKA_STORAGE_ERROR: [56, 'metadata', 'the disk of the replica failed; another one takes over'],
  LOG_DIR_NOT_FOUND: [57, 'never', 'the broker has no such log directory'],
  SASL_AUTHENTICATION_FAILED: [58, 'never', 'user or password are wrong'],
  UNKNOWN_PRODUCER_ID: [59, 'read-back', 'the broker has forgotten this producer'],
  REASSIGNMENT_IN_PROGRESS: [60, 'again', 'the partition is being reassigned'],
  FETCH_SESSION_ID_NOT_FOUND: [70, 'again', 'the broker has forgotten the fetch session'],
  INVALID_FETCH_SESSION_EPOCH: [71, 'again', 'the fetch session is at another request'],
  LISTENER_NOT_FOUND: [72, 'metadata', 'the leader has no listener of this name'],
  TOPIC_DELETION_DISABLED: [73, 'never', 'delete.topic.enable is false'],
  FENCED_LEADER_EPOCH: [74, 'metadata', 'the leader epoch asked with is old: there was an election'],
  UNKNOWN_LEADER_EPOCH: [75, 'metadata', 'the broker is behind the leader epoch asked with'],
  UNSUPPORTED_COMPRESSION_TYPE: [
    76,
    'never',
    'the partition holds a codec that this version of the request cannot carry',
  ],
  OFFSET_NOT_AVAILABLE: [78, 'again', 'a new leader does not know its high watermark yet'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, 'metadata', 'the preferred leader is not there'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, 'metadata', 'no replica may lead'],
  ELECTION_NOT_NEEDED: [84, 'never', 'the right replica leads already'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, 'never', 'no reassignment is going on'],
  INVALID_RECORD: [87, 'never', 'the broker refuses the form of the batch: holes, several batches, or a missing key'],
  THROTTLING_QUOTA_EXCEEDED: [89, 'again', 'a quota is used up'],
  PRODUCER_FENCED: [90, 'never', 'a newer producer with this transactional id is at work'],
  RESOURCE_NOT_FOUND: [91, 'never', 'there is no such thing'],
  UNKNOWN_TOPIC_ID: [100, 'metadata', 'the broker has no topic of this id: deleted, or made anew'],
  INCONSISTENT_TOPIC_ID: [103, 'metadata', 'the log belongs to another topic of the same name'],
  INCONSISTENT_CLUSTER_ID: [104, 'never', 'this is another cluster'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, 'never', 'the coordinator does not know the transactional id'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, 'never', 'the offset lies in remote storage, where followers do not read'],
  MISMATCHED_ENDPOINT_TYPE: [114, 'never', 'the address is that of a controller, not of a broker'],
  REBOOTSTRAP_REQUIRED: [129, 'metadata', 'start again from the bootstrap addresses'],
} as const satisfies Readonly<Record<string, readonly [code: number, remedy: KafkaError['remedy'], meaning: string]>>;

const errors = new Map<number, KafkaError>(
  Object.entries(rows).map(([name, [code, remedy, meaning]]) => [code, { code, name, remedy, meaning }]),
);
