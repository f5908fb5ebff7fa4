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
  /** Bytes per second to each target broker, at first; null: no limit. */
  readonly rate: number | null;
  /** What the target refuses because of a setting is sent again for so long: a broker takes a moment until it goes by a new one. */
  readonly refusedMsMax: number;
  /** Of a target broker: with a backlog, so many partitions are copied at a time, in the order in which the mover has them; null: all. */
  readonly partitionsPerBroker: number | null;
  /** A request that was given up may still be performed for so long: then the tail is read once more. The deadline of a request. */
  readonly lateMsMax: number;
  /** Until when a request may be sent, by the monotonic clock: nobody else holds the lease before. */
  readonly sendBeforeMs: () => number;
};
