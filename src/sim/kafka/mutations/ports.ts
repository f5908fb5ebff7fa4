import type { LedgerLine } from '../../../core/move/ledger-lines.ts';
import type { Api } from '../../../io/kafka/messages/api.ts';
import { fetchApi } from '../../../io/kafka/messages/fetch.ts';
import type { FetchedPartition, FetchResponse } from '../../../io/kafka/messages/fetch-response.ts';
import { askedAs, type ListOffsetsRequest, listOffsets } from '../../../io/kafka/messages/list-offsets.ts';
import type { Broker, Cluster, Ledger } from '../../../io/kafka/mover/ports.ts';

export type Call = { readonly api: { readonly key: number }; readonly request: unknown };

/** A cluster whose brokers are asked and answer through `change`. */
export function through(
  cluster: Cluster,
  change: {
    readonly request?: (call: Call) => unknown;
    readonly response?: (call: Call, response: unknown) => unknown;
  },
): Cluster {
  const wrapped = (broker: Broker): Broker => ({
    get ended() {
      return broker.ended;
    },
    close: () => broker.close(),
    release: (response) => broker.release(response),
    call: async <Request, Response>(
      api: Api<Request, Response>,
      request: Request,
      limits?: { readonly deadlineMs?: number; readonly sendBeforeMs?: number },
    ): Promise<Response> => {
      const call = { api, request };
      const asked = change.request === undefined ? request : (change.request(call) as Request);
      const response = await broker.call(api, asked, limits);
      return change.response === undefined ? response : (change.response(call, response) as Response);
    },
  });
  return {
    connect: async (nodeId) => wrapped(await cluster.connect(nodeId)),
    leaders: (topics) => cluster.leaders(topics),
  };
}

export function fetched(
  call: Call,
  response: unknown,
  change: (partition: FetchedPartition) => FetchedPartition,
): unknown {
  if (call.api.key !== fetchApi.key) return response;
  const { topics, ...rest } = response as FetchResponse;
  return { ...rest, topics: topics.map((topic) => ({ ...topic, partitions: topic.partitions.map(change) })) };
}

/** Who asks for the log's end is told the high watermark. */
export function asConsumer({ api, request }: Call): unknown {
  if (api.key !== listOffsets.key) return request;
  return { ...(request as ListOffsetsRequest), replicaId: askedAs.consumer };
}

/** A ledger of which some is another one; its getters stay alive. */
export function ledgerWith(ledger: Ledger, change: Partial<Ledger>): Ledger {
  return {
    get end() {
      return ledger.end;
    },
    get epoch() {
      return change.epoch ?? ledger.epoch;
    },
    get sourceEpoch() {
      return ledger.sourceEpoch;
    },
    get account() {
      return ledger.account;
    },
    append: (line: LedgerLine, isProven?: boolean) => ledger.append(line, isProven),
    raiseEpoch: (epoch) => ledger.raiseEpoch(epoch),
    noteSourceEpoch: (epoch) => ledger.noteSourceEpoch(epoch),
    voidFrom: (at) => ledger.voidFrom(at),
    restore: (found) => ledger.restore(found),
    lastSent: (count) => ledger.lastSent(count),
    sentFrom: (target) => ledger.sentFrom(target),
    sync: () => ledger.sync(),
    close: () => ledger.close(),
    ...withoutGetters(change),
  };
}

function withoutGetters({ epoch: _epoch, end: _end, account: _account, ...methods }: Partial<Ledger>) {
  return methods;
}
