import { codeOf, noError } from '../../../io/kafka/messages/error-codes.ts';
import {
  askedAs,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  type OffsetAnswered,
  type OffsetAsked,
  offsetAt,
} from '../../../io/kafka/messages/list-offsets.ts';
import type { Replica } from './partition.ts';
import type { BrokerView, Place } from './requests.ts';

export function answerListOffsets(broker: BrokerView, request: ListOffsetsRequest): ListOffsetsResponse {
  const topics = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((asked) => answered(broker.placeOf(topic, asked.partition), asked, request)),
  }));
  return { throttleMs: 0, topics };
}

function answered(place: Place | null, asked: OffsetAsked, request: ListOffsetsRequest): OffsetAnswered {
  const nothing = { partition: asked.partition, timestampMs: null, offset: null, leaderEpoch: null };
  const code = epochError(place, asked.currentLeaderEpoch);
  if (code !== noError || place === null) return { ...nothing, errorCode: code };
  const offset = offsetOf(place.replica, asked, request);
  return { ...nothing, errorCode: noError, offset, leaderEpoch: place.replica.leads };
}

function offsetOf({ log, highWatermark }: Replica, asked: OffsetAsked, request: ListOffsetsRequest): number {
  if (asked.timestamp === offsetAt.earliest) return log.start;
  if (asked.timestamp !== offsetAt.latest) throw new Error('the simulated broker finds no offsets by time');
  if (request.replicaId === askedAs.debugger) return log.end;
  return request.isolation === 'read_committed' ? log.lastStable(highWatermark) : highWatermark;
}

/** What a broker answers to one who takes it for the leader of an epoch. */
export function epochError(place: Place | null, asked: number | null): number {
  if (place === null) return codeOf('UNKNOWN_TOPIC_OR_PARTITION');
  const { leads } = place.replica;
  if (leads === null) return codeOf('NOT_LEADER_OR_FOLLOWER');
  if (asked === null || asked === leads) return noError;
  return codeOf(asked < leads ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH');
}
