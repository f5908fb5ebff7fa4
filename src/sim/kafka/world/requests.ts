import type { Api } from '../../../io/kafka/messages/api.ts';
import type { ByTopic } from '../../../io/kafka/messages/by-topic.ts';
import { viewOf } from '../../../io/kafka/messages/byte-range.ts';
import { codeOf, noError } from '../../../io/kafka/messages/error-codes.ts';
import { fetchApi } from '../../../io/kafka/messages/fetch.ts';
import { readRequest, readRequestHeader, responseFrame } from '../../../io/kafka/messages/frames.ts';
import { listOffsets } from '../../../io/kafka/messages/list-offsets.ts';
import { type ProducedPartition, type ProduceRequest, produceApi } from '../../../io/kafka/messages/produce.ts';
import { WireReader } from '../../../io/kafka/messages/wire-reader.ts';
import type { Schedule } from '../../schedule.ts';
import { answerFetch } from './fetches.ts';
import { answerListOffsets } from './offsets.ts';
import type { Replica, SimPartition } from './partition.ts';
import { isCompressed, seenOf } from './stored.ts';
import { countsUp, refusalOf } from './validate.ts';

/** One broker, as a request meets it. */
export type BrokerView = {
  readonly schedule: Schedule;
  wallMs(): number;
  throttleMs(): number;
  /** May change bytes of a fetched batch, as memory that fails does. */
  spoil(bytes: Uint8Array): void;
  /** What it has of the partition; null: nothing. */
  placeOf(topic: string, number: number): Place | null;
  /** Called before anything is appended, with the batch as it was sent and where it will stand. */
  appending(place: Place, sent: Uint8Array, base: number): void;
};
export type Place = { readonly partition: SimPartition; readonly replica: Replica };

/** Answers one request, bytes for bytes. `reply` may be called later, or never where the broker has died. */
export function handle(broker: BrokerView, frame: Uint8Array, reply: (frame: Uint8Array) => void): void {
  const input = new WireReader(frame, 4);
  const header = readRequestHeader(input, (key) => apiOf(key).flexibleFrom);
  const { version, correlationId } = header;
  const send = <Request, Response>(api: Api<Request, Response>, response: Response) =>
    reply(joined(responseFrame(api, version, correlationId, response)).subarray(4));
  switch (header.apiKey) {
    case produceApi.key:
      produce(broker, readRequest(produceApi, version, input), (topics) =>
        send(produceApi, { topics, throttleMs: broker.throttleMs() }),
      );
      return;
    case fetchApi.key:
      answerFetch(broker, readRequest(fetchApi, version, input), (response) => send(fetchApi, response));
      return;
    case listOffsets.key:
      send(listOffsets, answerListOffsets(broker, readRequest(listOffsets, version, input)));
      return;
    default:
      throw new Error(`the simulated broker does not speak api ${header.apiKey}`);
  }
}

/** The partitions to which a request writes. */
export function writtenBy(frame: Uint8Array): { readonly topic: string; readonly number: number }[] {
  const input = new WireReader(frame, 4);
  const { apiKey, version } = readRequestHeader(input, (key) => apiOf(key).flexibleFrom);
  if (apiKey !== produceApi.key) return [];
  const { topics } = readRequest(produceApi, version, input);
  return topics.flatMap(({ topic, partitions }) => partitions.map(({ partition: number }) => ({ topic, number })));
}

function apiOf(key: number): { readonly flexibleFrom: number | null } {
  const api = [produceApi, fetchApi, listOffsets].find((one) => one.key === key);
  if (api === undefined) throw new Error(`the simulated broker does not speak api ${key}`);
  return api;
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Uint8Array.from(Buffer.concat(chunks));
}

function produce(
  broker: BrokerView,
  request: ProduceRequest,
  done: (topics: readonly ByTopic<ProducedPartition>[]) => void,
): void {
  const topics = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => produced(partition, codeOf('UNKNOWN_SERVER_ERROR'), null)),
  }));
  let left = request.topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
  for (const [t, { topic, partitions }] of request.topics.entries())
    for (const [p, { partition: number, records }] of partitions.entries()) {
      const bytes = records === null ? new Uint8Array(0) : Uint8Array.from(viewOf(records));
      append(broker, broker.placeOf(topic, number), bytes, request.timeoutMs, (code, base) => {
        const answers = topics[t]?.partitions;
        if (answers !== undefined) answers[p] = produced(number, code, base);
        left -= 1;
        if (left === 0) done(topics);
      });
    }
}

type Done = (code: number, base: number | null) => void;

function append(broker: BrokerView, place: Place | null, bytes: Uint8Array, timeoutMs: number, done: Done): void {
  if (place === null) return done(codeOf('UNKNOWN_TOPIC_OR_PARTITION'), null);
  const { partition, replica } = place;
  if (replica.leads === null) return done(codeOf('NOT_LEADER_OR_FOLLOWER'), null);
  const refusal = refusalOf(bytes, partition.bytesMax, broker.wallMs());
  if (refusal !== noError) return done(refusal, null);
  const seen = seenOf(bytes);
  const verdict = seen === null ? ({ kind: 'new' } as const) : replica.producers.judge(seen);
  if (verdict.kind === 'refused') return done(verdict.code, null);
  if (verdict.kind === 'duplicate') {
    partition.whenCommitted(replica, verdict.end, timeoutMs, (code) => done(code, verdict.base));
    return;
  }
  // A broker reads records that are compressed, and finds that they do not count from 0 to the last; others it takes as they are.
  if (isCompressed(bytes) && !countsUp(bytes)) return done(codeOf('UNKNOWN_SERVER_ERROR'), null);
  broker.appending(place, bytes, replica.log.end);
  const stored = partition.append(replica, bytes);
  partition.whenCommitted(replica, stored.last + 1, timeoutMs, (code) =>
    done(code, code === noError ? stored.base : null),
  );
}

function produced(partition: number, errorCode: number, baseOffset: number | null): ProducedPartition {
  return {
    partition,
    errorCode,
    baseOffset,
    logAppendTimeMs: null,
    logStartOffset: null,
    recordErrors: [],
    errorMessage: null,
  };
}
