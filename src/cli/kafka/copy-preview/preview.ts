import type { Bounds, ClusterFacts, LeftBehind, OpenTransaction } from '../../../core/move/cluster-facts.ts';
import type { CopyTime } from '../../../core/move/copy-time.ts';
import type { DiskRoom } from '../../../core/move/disk-room.ts';
import type { Race } from '../../../core/move/retention-race.ts';
import type { Right } from '../../../core/move/rights.ts';
import type { TopicLever } from '../../../core/move/topic-levers.ts';
import type { TopicPlan } from '../../../core/move/topics.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import type { SideName } from '../side.ts';
import type { AclPreview } from './acls.ts';

/** All that is known of a copy before a byte moves; a JSON value. */
export type CopyPreview = {
  /** When it was made. */
  readonly atMs: number;
  readonly clusters: Readonly<Record<SideName, ClusterFacts>>;
  /** What has to be otherwise before it can begin; none: it can. */
  readonly obstacles: readonly string[];
  readonly topics: readonly TopicPreview[];
  readonly partitions: readonly PartitionPreview[];
  /** Of those partitions of which it is known. */
  readonly bytes: number;
  /** Bytes per second from and to each broker; null: no limit. */
  readonly rate: number | null;
  /** Null: there is no rate to compute with. */
  readonly time: CopyTime | null;
  readonly oneInFlight: OneInFlight;
  /** Of each broker of the target. */
  readonly disks: readonly DiskRoom[];
  readonly access: Readonly<Record<SideName, Access>>;
  /** Entries of the source about these topics that the target does not have. */
  readonly acls: Reading<AclPreview>;
  readonly transactions: Reading<readonly OpenTransaction[]>;
  /** Of the source. */
  readonly notCopied: LeftBehind;
};

export type TopicPreview = {
  readonly plan: TopicPlan;
  /** In the order in which they are set; none where the plan refuses. */
  readonly levers: readonly TopicLever[];
  readonly batches: BatchSizes | null;
  /** What makes it slower than others. */
  readonly costs: readonly string[];
};

/** Of the sampled ones; null: none was there. */
export type BatchSizes = {
  readonly sampled: number;
  readonly medianBytes: number;
  readonly largestBytes: number;
  readonly codecs: readonly string[];
};

export type PartitionPreview = {
  readonly topic: string;
  readonly partition: number;
  /** Broker of the source; null: it has none. */
  readonly leader: number | null;
  readonly bounds: Reading<Bounds>;
  readonly bytes: Reading<Size>;
  /** Newest record of the first and of the last batch that will be copied; null: there is none, or it has no time. */
  readonly oldestMs: number | null;
  readonly newestMs: number | null;
  /** When its oldest record may be deleted by its age; null: never, or it is not known. */
  readonly dueMs: number | null;
  readonly appendedPerSecond: Reading<number>;
  readonly race: Race;
};
export type Size = {
  readonly bytes: number;
  readonly how: 'told by the broker' | 'by share of its offsets' | 'from samples';
};

/** What it costs that a broker has forgotten producers of records as old as these. */
export type OneInFlight = {
  readonly memoryMs: Reading<number>;
  readonly roundTripMs: Reading<number>;
  /** With records that are older. */
  readonly partitions: number;
  readonly bytes: number;
  /** Bytes per second of one such partition; null: not known. */
  readonly partitionRate: number | null;
  /** To which producer.id.expiration.ms would have to be raised; null: nothing is gained, or more than a broker takes. */
  readonly memoryWantedMs: number | null;
};

export type Access = {
  readonly authorizer: 'none' | 'there' | 'not known';
  readonly principal: string | null;
  readonly rights: readonly (Right & { readonly allowed: Reading<boolean> })[];
  /** That give all of them. */
  readonly commands: readonly string[];
};
