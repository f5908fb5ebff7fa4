import type { Seen } from '../../core/move/alignment.ts';
import { CliError } from '../context.ts';

/** A cluster as `kafka verify` reads it. Every method throws PortError. */
export type KafkaSide = {
  /** Things a person should know about how it is reached. */
  readonly notes: readonly string[];
  /** All that may be seen, without those that are Kafka's own. */
  topics(): Promise<readonly TopicFacts[]>;
  /** Of these names those that are not there. */
  missing(names: readonly string[]): Promise<readonly string[]>;
  settings(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>>;
  bounds(topics: readonly TopicFacts[], isolation: Isolation): Promise<readonly PartitionBounds[]>;
  records(wanted: Wanted): KafkaRecords;
  close(): Promise<void>;
};

export type SideName = 'source' | 'target';
export type Isolation = 'read_committed' | 'read_uncommitted';
export type TopicFacts = { readonly name: string; readonly partitions: readonly number[] };
/** Null: nobody would say. */
export type TopicSettings = { readonly cleanupPolicy: string; readonly timestampType: string } | null;
export type PartitionBounds = {
  readonly topic: string;
  readonly partition: number;
  readonly logStart: number;
  readonly end: number;
  readonly highWatermark: number;
};
export type Wanted = {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  readonly isolation: Isolation;
};
export type KafkaRecords = {
  /** Null: the end. */
  next(): Promise<Piece | null>;
};
export type Piece = {
  readonly records: readonly Seen[];
  /** Everything before it is accounted for. */
  readonly next: number;
  readonly bytes: number;
  readonly hasAppendTime: boolean | null;
  /** Not null: up to there it was deleted while it was read. */
  readonly goneTo: number | null;
};

export type Reach = {
  readonly side: SideName;
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[];
  readonly configFile: string | null;
  readonly version: string;
};

/** `host:port,[::1]:9092`. Throws CliError. */
export function bootstrapOf(side: SideName, text: string): Reach['bootstrap'] {
  return text.split(',').map((part) => {
    const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]/]+)):([0-9]{1,5})$/.exec(part.trim());
    const port = Number(match?.[3]);
    const host = match?.[1] ?? match?.[2];
    if (host === undefined || port < 1 || port > 65_535)
      throw new CliError(`--${side}: ${JSON.stringify(part)} is no address`, 'give HOST:PORT, or several with commas');
    return { host, port };
  });
}
