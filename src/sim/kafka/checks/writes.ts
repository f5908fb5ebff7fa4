import { producerEpoch, recordCount, recordsCrcOf } from '../../../io/kafka/bytes/batch.ts';
import type { SegmentFiles } from '../../../io/kafka/ledger/segment-files.ts';
import { noError } from '../../../io/kafka/messages/error-codes.ts';
import { fetchApi } from '../../../io/kafka/messages/fetch.ts';
import { readRequest, readRequestHeader, readResponse } from '../../../io/kafka/messages/frames.ts';
import { listOffsets } from '../../../io/kafka/messages/list-offsets.ts';
import { type ProduceRequest, produceApi } from '../../../io/kafka/messages/produce.ts';
import { WireReader } from '../../../io/kafka/messages/wire-reader.ts';
import type { Log } from '../world/log.ts';
import type { Wrong } from './copy.ts';
import { lineOf } from './lines.ts';

/** What the checker looks at besides the wire. */
export type WritesView = {
  /** Shared by all processes: which of them has written a partition in an epoch. */
  readonly epochs: Map<string, string>;
  filesOf(partition: number): SegmentFiles;
  logOf(partition: number): Log;
  /** What one broker has of it. */
  logOn(partition: number, nodeId: number): Log | null;
  /** Whether a request was performed that nobody waited for: then nobody could know of it. */
  somethingCameLate(partition: number): boolean;
};

/** What one process writes, read from the wire. */
export class WritesOf {
  readonly #process: string;
  readonly #view: WritesView;
  /** Partitions of which an answer has told an offset that no line speaks of. */
  readonly #told = new Map<number, string>();
  /** Where the log ended of the broker that the process asked last: one that leads no more, and does not know, tells what it has. */
  readonly #askedEnds = new Map<number, number>();

  constructor(process: string, view: WritesView) {
    [this.#process, this.#view] = [process, view];
  }

  isWrite(frame: Uint8Array): boolean {
    return batchesOf(frame).length > 0;
  }

  /** A request, before it leaves. */
  sent(frame: Uint8Array): Wrong[] {
    return batchesOf(frame).flatMap((batch): Wrong[] => {
      const { partition, epoch } = batch;
      const name = `${partition} in epoch ${epoch}`;
      const writer = this.#view.epochs.get(name) ?? this.#process;
      this.#view.epochs.set(name, writer);
      const told = this.#told.get(partition);
      if (writer !== this.#process)
        return [{ check: 'an epoch has one writer', text: `partition ${name}: ${writer}, and ${this.#process}` }];
      if (this.#stands(batch))
        return [{ check: 'what stands is not sent again', text: `partition ${partition}, ${batch.count} records` }];
      if (told === undefined) return [];
      return [{ check: 'nothing is written behind damage', text: `partition ${partition}, though ${told}` }];
    });
  }

  /** Whether the batch stood where its line says before the process asked for the end of the log. */
  #stands({ partition, count, checksum }: Sent): boolean {
    const line = lineOf(this.#view.filesOf(partition), count, checksum);
    const askedEnd = this.#askedEnds.get(partition) ?? 0;
    if (line === null || this.#view.somethingCameLate(partition)) return false;
    const found = this.#view.logOf(partition).batches.find(({ base }) => base === line.target);
    return found !== undefined && found.last < askedEnd && recordsCrcOf(found.bytes, 0) === checksum;
  }

  /** An answer, before it arrives. */
  answered(request: Uint8Array, frame: Uint8Array, nodeId: number): void {
    for (const partition of askedOf(request))
      this.#askedEnds.set(partition, this.#view.logOn(partition, nodeId)?.end ?? 0);
    const batches = batchesOf(request);
    if (batches.length === 0) return;
    const response = readResponse(produceApi, produceApi.newest, frame);
    for (const { partition, count, checksum } of batches) {
      const answers = response.topics.flatMap(({ partitions }) => partitions);
      const answer = answers.find((one) => one.partition === partition);
      if (answer?.errorCode !== noError || answer.baseOffset === null) continue;
      // Batches may be all the same: any line of such a one there will do.
      if (lineOf(this.#view.filesOf(partition), count, checksum, answer.baseOffset) !== null) continue;
      this.#told.set(partition, `${answer.baseOffset} was answered, where no line has such a batch`);
    }
  }
}

type Sent = { readonly partition: number; readonly epoch: number; readonly count: number; readonly checksum: number };

/** Partitions whose offsets a request asks for. */
function askedOf(frame: Uint8Array): number[] {
  const input = new WireReader(frame);
  const { apiKey, version } = readRequestHeader(input, (key) => flexibleFrom.get(key) ?? null);
  if (apiKey !== listOffsets.key) return [];
  const { topics } = readRequest(listOffsets, version, input);
  return topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition));
}

const flexibleFrom = new Map([produceApi, fetchApi, listOffsets].map((api) => [api.key, api.flexibleFrom]));

/** None where the request is another one than Produce. */
function batchesOf(frame: Uint8Array): Sent[] {
  const input = new WireReader(frame);
  const { apiKey, version } = readRequestHeader(input, (key) => flexibleFrom.get(key) ?? null);
  if (apiKey !== produceApi.key) return [];
  const request: ProduceRequest = readRequest(produceApi, version, input);
  return request.topics.flatMap(({ partitions }) =>
    partitions.flatMap(({ partition, records }) => {
      if (records === null) return [];
      const { bytes, from } = records;
      const epoch = producerEpoch(bytes, from);
      return [{ partition, epoch, count: recordCount(bytes, from), checksum: recordsCrcOf(bytes, from) }];
    }),
  );
}
