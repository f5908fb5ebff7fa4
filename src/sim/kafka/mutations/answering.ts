import { baseOffset, producerId } from '../../../io/kafka/bytes/batch.ts';
import { fetchApi } from '../../../io/kafka/messages/fetch.ts';
import {
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  listOffsets,
  offsetAt,
} from '../../../io/kafka/messages/list-offsets.ts';
import { type ProduceResponse, produceApi } from '../../../io/kafka/messages/produce.ts';
import type { Broker, Cluster, Leader, Ledger } from '../../../io/kafka/mover/ports.ts';
import type { SimProcess } from '../process.ts';
import { withBatches } from './fetching.ts';
import { type Call, fetched, through } from './ports.ts';

/** The tail ends where answers have said so: what stands behind that is not read. */
export function asSettled(cluster: Cluster, ledgers: readonly Ledger[]): Cluster {
  const ends = new Map<number, number>();
  return through(cluster, {
    response: (call, response) => {
      if (call.api.key === produceApi.key) noteEnds(ends, ledgers, response as ProduceResponse);
      return endingAt(ends, call, response);
    },
  });
}

function noteEnds(ends: Map<number, number>, ledgers: readonly Ledger[], { topics }: ProduceResponse): void {
  for (const { partition, errorCode, baseOffset: base } of topics.flatMap(({ partitions }) => partitions)) {
    const line = base === null ? undefined : ledgers[partition]?.sentFrom(base).lines[0];
    if (errorCode === 0 && line !== undefined) ends.set(partition, line.target + line.count);
  }
}

function endingAt(ends: ReadonlyMap<number, number>, call: Call, response: unknown): unknown {
  const endOf = (partition: number) => ends.get(partition) ?? Number.POSITIVE_INFINITY;
  if (call.api.key === fetchApi.key)
    return fetched(call, response, (partition) =>
      withBatches(partition, (batch) => (baseOffset(batch, 0) < endOf(partition.partition) ? batch : null)),
    );
  return withLatest(call, response, (offset, partition) => Math.min(offset, endOf(partition)));
}

function withLatest(
  { api, request }: Call,
  response: unknown,
  change: (offset: number, partition: number) => number,
): unknown {
  if (api.key !== listOffsets.key) return response;
  const { topics: asked } = request as ListOffsetsRequest;
  if (asked[0]?.partitions[0]?.timestamp !== offsetAt.latest) return response;
  const { topics, ...rest } = response as ListOffsetsResponse;
  return {
    ...rest,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((one) =>
        one.offset === null ? one : { ...one, offset: change(one.offset, one.partition) },
      ),
    })),
  };
}

/** Whatever was answered, it was what was expected. */
export function asExpected(cluster: Cluster, ledgers: readonly Ledger[]): Cluster {
  const expected = new WeakMap<object, ReadonlyMap<number, number>>();
  return through(cluster, {
    request: ({ api, request }) => {
      if (api.key !== produceApi.key || typeof request !== 'object' || request === null) return request;
      const targets = ledgers.map((ledger, partition) => [partition, ledger.lastSent(1)[0]?.target ?? 0] as const);
      expected.set(request, new Map(targets));
      return request;
    },
    response: ({ api, request }, response) => {
      if (api.key !== produceApi.key || typeof request !== 'object' || request === null) return response;
      const { topics, ...rest } = response as ProduceResponse;
      const targetOf = (partition: number) => expected.get(request)?.get(partition) ?? null;
      return {
        ...rest,
        topics: topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map((one) =>
            one.baseOffset === null ? one : { ...one, baseOffset: targetOf(one.partition) },
          ),
        })),
      };
    },
  });
}

/** Behind the last batch of ours nothing is seen. */
export function ownOnly(cluster: Cluster, ledgers: readonly Ledger[]): Cluster {
  return through(cluster, {
    response: (call, response) => {
      if (call.api.key === fetchApi.key)
        return fetched(call, response, (partition) =>
          withBatches(partition, (batch) => (producerId(batch, 0) >= 2n ** 62n ? batch : null)),
        );
      const endOf = (partition: number) => ledgers[partition]?.end.target ?? Number.POSITIVE_INFINITY;
      return withLatest(call, response, (offset, partition) => Math.min(offset, endOf(partition)));
    },
  });
}

export function askedOnce(cluster: Cluster): Cluster {
  let first: Promise<ReadonlyMap<string, readonly Leader[]>> | null = null;
  return {
    connect: (nodeId) => cluster.connect(nodeId),
    leaders: (topics) => {
      first ??= cluster.leaders(topics);
      return first;
    },
  };
}

/** Whatever writes waits for a while in its process, also where its connection was given up meanwhile. */
export function sentLater(cluster: Cluster, { clock }: SimProcess): Cluster {
  const later = (broker: Broker): Broker => ({
    get ended() {
      return broker.ended;
    },
    close: () => Promise.resolve(),
    release: (response) => broker.release(response),
    call: async (api, request, limits) => {
      if (api.key === produceApi.key) await clock.sleep(1500);
      return await broker.call(api, request, limits);
    },
  });
  return {
    connect: async (nodeId) => later(await cluster.connect(nodeId)),
    leaders: (topics) => cluster.leaders(topics),
  };
}
