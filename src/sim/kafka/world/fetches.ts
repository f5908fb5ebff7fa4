import { wholeOf } from '../../../io/kafka/messages/byte-range.ts';
import { codeOf, noError } from '../../../io/kafka/messages/error-codes.ts';
import type { FetchFrom, FetchRequest } from '../../../io/kafka/messages/fetch-request.ts';
import type { FetchedPartition, FetchResponse } from '../../../io/kafka/messages/fetch-response.ts';
import { epochError } from './offsets.ts';
import type { Replica } from './partition.ts';
import type { BrokerView } from './requests.ts';

/** Waits for records as long as the request says, where there are none. */
export function answerFetch(
  broker: BrokerView,
  request: FetchRequest,
  reply: (response: FetchResponse) => void,
  waitedMs = 0,
): void {
  const response = fetched(broker, request);
  const partitions = response.topics.flatMap((topic) => topic.partitions);
  const isEmpty = partitions.every(({ errorCode, records }) => errorCode === noError && records === null);
  if (!isEmpty || waitedMs >= request.maxWaitMs) reply(response);
  else {
    const sinceMs = broker.schedule.nowMs;
    let isOver = false;
    const again = (): void => {
      if (isOver) return;
      isOver = true;
      answerFetch(broker, request, reply, waitedMs + broker.schedule.nowMs - sinceMs);
    };
    // Who leads, and whether it runs, is looked at now and then; records are told at once.
    broker.schedule.after(Math.min(50, request.maxWaitMs - waitedMs), again);
    for (const { topic, partitions: asked } of request.topics)
      for (const { partition } of asked) broker.placeOf(topic, partition)?.partition.whenAdvanced(again);
  }
}

function fetched(broker: BrokerView, request: FetchRequest): FetchResponse {
  let left = request.bytesMax;
  const topics = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((asked) => {
      const isFirst = left === request.bytesMax;
      const answer = ofPartition(broker, topic, asked, request, left, isFirst);
      left -= answer.records?.bytes.length ?? 0;
      return answer;
    }),
  }));
  return { throttleMs: 0, errorCode: noError, sessionId: 0, topics };
}

function ofPartition(
  broker: BrokerView,
  topic: string,
  asked: FetchFrom,
  request: FetchRequest,
  left: number,
  isFirst: boolean,
): FetchedPartition {
  const place = broker.placeOf(topic, asked.partition);
  const nothing: FetchedPartition = {
    partition: asked.partition,
    errorCode: noError,
    highWatermark: null,
    lastStableOffset: null,
    logStartOffset: null,
    divergingEpoch: null,
    currentLeader: null,
    abortedTransactions: null,
    preferredReadReplica: null,
    records: null,
  };
  const code = epochError(place, asked.currentLeaderEpoch);
  if (code !== noError || place === null) return { ...nothing, errorCode: code };
  const { log, highWatermark } = place.replica;
  const divergingEpoch = divergence(place.replica, asked);
  if (divergingEpoch !== null) return { ...nothing, divergingEpoch };
  if (asked.offset < log.start || asked.offset > log.end)
    return { ...nothing, errorCode: codeOf('OFFSET_OUT_OF_RANGE') };
  const lastStable = log.lastStable(highWatermark);
  const isCommitted = request.isolation === 'read_committed';
  const upTo = isCommitted ? lastStable : highWatermark;
  const bytesMax = Math.max(0, Math.min(asked.bytesMax, left));
  const bytes = log.read(asked.offset, upTo, bytesMax, isFirst);
  broker.spoil(bytes);
  return {
    ...nothing,
    highWatermark,
    lastStableOffset: lastStable,
    logStartOffset: log.start,
    abortedTransactions: isCommitted ? log.aborted(asked.offset, upTo) : null,
    records: bytes.length === 0 ? null : wholeOf(bytes),
  };
}

/** Where the asker's history is not that of the log: the end of the last epoch that both have. */
function divergence({ log }: Replica, { offset, lastFetchedEpoch }: FetchFrom): FetchedPartition['divergingEpoch'] {
  if (lastFetchedEpoch === null) return null;
  const end = log.endOfEpoch(lastFetchedEpoch);
  if (end === null) return null;
  return end.epoch < lastFetchedEpoch || end.endOffset < offset ? end : null;
}
