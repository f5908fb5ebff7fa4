import type { SourceEnds } from '../../../core/move/operation/told.ts';
import type { Api } from '../messages/api.ts';
import { lengthOf } from '../messages/byte-range.ts';
import { noError } from '../messages/error-codes.ts';
import { fetchApi } from '../messages/fetch.ts';
import type { FetchResponse } from '../messages/fetch-response.ts';
import { type ProduceRequest, type ProduceResponse, produceApi } from '../messages/produce.ts';
import type { Broker, Cluster, Leader } from '../mover/ports.ts';

/** A cluster on whose answers somebody looks who takes no part in what they are for. */
export class WatchedCluster implements Cluster {
  readonly #cluster: Cluster;
  /** By topic and partition. */
  readonly #ends = new Map<string, SourceEnds>();
  /** In batches that were appended. */
  appendedBytes = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** As the last fetch told them; null: none did. */
  endsOf(topic: string, partition: number): SourceEnds | null {
    return this.#ends.get(`${topic}-${partition}`) ?? null;
  }

  async connect(nodeId: number): Promise<Broker> {
    const broker = await this.#cluster.connect(nodeId);
    const look = this.#look.bind(this);
    return {
      async call(api, request, limits) {
        const response = await broker.call(api, request, limits);
        look(api, request, response);
        return response;
      },
      get ended() {
        return broker.ended;
      },
      close: () => broker.close(),
    };
  }

  async leaders(topics: readonly string[]): Promise<ReadonlyMap<string, readonly Leader[]>> {
    return await this.#cluster.leaders(topics);
  }

  #look<Request, Response>({ key }: Api<Request, Response>, request: Request, response: Response): void {
    if (key === fetchApi.key) this.#lookAtFetched(response as FetchResponse);
    if (key === produceApi.key) this.#lookAtProduced(request as ProduceRequest, response as ProduceResponse);
  }

  #lookAtFetched({ topics }: FetchResponse): void {
    for (const { topic, partitions } of topics)
      for (const { partition, errorCode, logStartOffset, lastStableOffset, highWatermark } of partitions) {
        const isTold = logStartOffset !== null && lastStableOffset !== null && highWatermark !== null;
        if (errorCode !== noError || !isTold) continue;
        const ends = { logStart: logStartOffset, lastStable: lastStableOffset, highWatermark };
        this.#ends.set(`${topic}-${partition}`, ends);
      }
  }

  #lookAtProduced({ topics }: ProduceRequest, response: ProduceResponse): void {
    for (const { topic, partitions } of topics) {
      const answers = response.topics.find((one) => one.topic === topic)?.partitions ?? [];
      for (const { partition, records } of partitions) {
        const isAppended = answers.some((one) => one.partition === partition && one.errorCode === noError);
        if (isAppended && records !== null) this.appendedBytes += lengthOf(records);
      }
    }
  }
}
