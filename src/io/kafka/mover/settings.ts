import type { WindowRules } from '../../../core/move/writer.ts';

export type MoverSettings = {
  readonly window: WindowRules;
  /** Of each target broker; a partition stays on one of them. */
  readonly connectionsPerBroker: number;
  /** Requests in flight on each of them. */
  readonly requestsPerConnection: number;
  /** A produce request is not made longer than that by another batch. */
  readonly requestBytesMax: number;
  /** Of one answer of a source broker. */
  readonly fetchBytesMax: number;
  /** Fetched and not settled, over all partitions. */
  readonly heldBytesMax: number;
  readonly partitionBytesMax: number;
  /** What a batch may become when it is decompressed. */
  readonly recordBytesMax: number;
  /** Bytes per second to each target broker; null: no limit. */
  readonly rate: number | null;
  /** Until when a request may be sent, by the monotonic clock: nobody else holds the lease before. */
  readonly sendBeforeMs: () => number;
};
