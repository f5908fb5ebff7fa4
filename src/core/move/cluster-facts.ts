import type { Reading } from '../observed/reading.ts';
import type { BatchFacts } from './topic-facts.ts';

/** A broker where its listener is advertised to us. */
export type BrokerFacts = {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** The shortest of several questions and answers; unknown: why it cannot be reached. */
  readonly roundTripMs: Reading<number>;
};

export type ClusterFacts = { readonly clusterId: string | null; readonly brokers: readonly BrokerFacts[] };

/** Where a partition begins and ends; unknown: its leader does not tell. */
export type PartitionFacts = {
  readonly topic: string;
  readonly partition: number;
  /** Null: it has none. */
  readonly leader: number | null;
  readonly bounds: Reading<Bounds>;
};
export type Bounds = {
  readonly logStart: number;
  /** Where the copy begins: the log start, or as asked. */
  readonly from: number;
  readonly highWatermark: number;
  /** Below the high watermark: a transaction is open. */
  readonly lastStable: number;
};

/** A batch that was really fetched. */
export type SampledBatch = BatchFacts & {
  readonly bytes: number;
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' | 'unknown';
  /** Of before v2: it will be made anew. */
  readonly isLegacy: boolean;
};

/** The disks of a broker, and the sizes of what lies there. */
export type DiskFacts = {
  readonly broker: number;
  readonly told: Reading<{
    readonly directories: readonly Directory[];
    readonly replicas: readonly { readonly topic: string; readonly partition: number; readonly bytes: number }[];
  }>;
};
export type Directory = {
  readonly path: string;
  /** Null: not told, as by brokers before 3.3. */
  readonly totalBytes: number | null;
  readonly usableBytes: number | null;
};

/** A transaction that holds back what is behind it. */
export type OpenTransaction = {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  /** In decimal digits. */
  readonly producerId: string;
  readonly lastWriteMs: number | null;
  readonly details: Reading<{
    readonly transactionalId: string;
    readonly state: string;
    readonly startedMs: number | null;
    readonly timeoutMs: number;
  }>;
};

/** What a copy does not take along, as far as the cluster tells. */
export type LeftBehind = {
  readonly groups: Reading<number>;
  readonly quotas: Reading<number>;
  readonly scramUsers: Reading<number>;
  /** Topics of a schema registry, by their usual name. */
  readonly schemaTopics: Reading<number>;
};
