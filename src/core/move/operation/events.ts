import type { TopicAcl } from '../acl-facts.ts';
import type { TopicLever } from '../topic-levers.ts';
import type { CopyPlan, TopicToMake } from './plan.ts';
import type { PartitionTold, TargetRange } from './told.ts';

/** Version of the rules by which copies are decided. */
export const moveRules = 1;

/** What happened to a copy: closed, and JSON values only. */
export type MoveEvent =
  | { readonly kind: 'copy-started'; readonly plan: CopyPlan; readonly rate: Rate }
  /** Read back. It was made by this operation, as the plan said. */
  | { readonly kind: 'topic-made'; readonly topic: string; readonly topicId: string }
  /** A topic that was to be made is there, and nothing tells that this operation has made it: it is not removed with what it has made. */
  | { readonly kind: 'topic-found'; readonly topic: string; readonly topicId: string }
  /** What differed at topics that were there has been changed as the plan says, read back. */
  | { readonly kind: 'settings-changed' }
  /** As many partitions as the source has, read back. */
  | { readonly kind: 'partitions-made'; readonly topic: string }
  /** These are made from here on. What of the plan is not among them somebody had made before: it is not ours, and stays. */
  | { readonly kind: 'acls-intended'; readonly acls: readonly TopicAcl[] }
  /** They stand, read back. */
  | { readonly kind: 'acls-made' }
  /** These are set from here on. What was there before is what stands there now: somebody may have changed it since it was planned. */
  | { readonly kind: 'levers-intended'; readonly levers: readonly TopicLever[] }
  /** The source has got more of them since, and they are made on the target from here on. Only of what is followed. */
  | { readonly kind: 'partitions-found'; readonly topic: string; readonly partitions: number }
  /** They are there, read back, and are copied from their beginning. */
  | { readonly kind: 'partitions-added'; readonly topic: string; readonly partitions: number }
  /** The levers stand, read back. */
  | { readonly kind: 'levers-set' }
  /** From here on data may have been written; once for each controller. */
  | { readonly kind: 'copying' }
  /** `bytes`: sent by this controller. */
  | { readonly kind: 'copy-checkpoint'; readonly bytes: number; readonly partitions: readonly PartitionMark[] }
  | { readonly kind: 'copy-held'; readonly by: string; readonly why: string }
  | { readonly kind: 'copy-resumed'; readonly by: string; readonly reason: string | null }
  | { readonly kind: 'rate-changed'; readonly by: string; readonly rate: Rate }
  /** The process that moves the data has ended by itself; `count`: how often under this controller. */
  | { readonly kind: 'mover-failed'; readonly count: number; readonly lastWords: string }
  | ({ readonly kind: 'unproven'; readonly topic: string; readonly partition: number } & TargetRange)
  /** The target has lost what was there, and it is copied once more. */
  | ({ readonly kind: 'lost-on-target'; readonly topic: string; readonly partition: number } & TargetRange)
  | PartitionStopped
  /** Nothing is under way: no process of this controller moves data any more. */
  | { readonly kind: 'copy-left'; readonly why: string }
  /** All that was asked for stands on the target, read back. */
  | { readonly kind: 'caught-up'; readonly partitions: readonly PartitionMark[] }
  | { readonly kind: 'abort-asked'; readonly by: string; readonly reason: string | null }
  /** `left`: levers that somebody has changed meanwhile, and that stay as they are. */
  | { readonly kind: 'levers-restored'; readonly left: readonly string[] }
  /** What this operation had made of them is gone, read back. `left`: those that stay, because topics that they are about stay. */
  | { readonly kind: 'acls-removed'; readonly left: readonly TopicAcl[] }
  | { readonly kind: 'copied' }
  | { readonly kind: 'copy-aborted' }
  /** Topics that this operation has made are deleted from here on. */
  | { readonly kind: 'removal-asked'; readonly by: string; readonly reason: string | null }
  | { readonly kind: 'topic-deleted'; readonly topic: string }
  | { readonly kind: 'topic-kept'; readonly topic: string; readonly why: string }
  | { readonly kind: 'copy-removed' }
  /** A topic of the target is to be deleted and made anew, and copied from its beginning. Nothing moves from here on. */
  | ({ readonly kind: 'rebuild-asked'; readonly by: string; readonly reason: string | null } & TopicToRebuild)
  /** Nobody needs it: it is deleted from here on, and made as it is now, but for what is set aside. */
  | { readonly kind: 'rebuild-intended'; readonly topic: string; readonly make: TopicToMake }
  /** It is as it was, and stays. */
  | { readonly kind: 'rebuild-refused'; readonly topic: string; readonly why: string }
  /** The one that was to be deleted is gone, read back. */
  | { readonly kind: 'topic-cleared'; readonly topic: string };

/** One of which every batch was looked at: all are ours. */
export type TopicToRebuild = {
  readonly topic: string;
  readonly topicId: string;
  readonly replicationFactor: number;
  /** Where each partition ended then. */
  readonly ends: readonly { readonly partition: number; readonly logEnd: number }[];
};

/** Bytes per second to each broker of the target; null: as many as it takes. */
export type Rate = number | null;

export type PartitionMark = Pick<PartitionTold, 'topic' | 'partition' | 'settled' | 'account' | 'segment'>;

/** Nothing more is written to it until a person has looked. `isDamage`: something stands on the target that may not stand there. */
export type PartitionStopped = {
  readonly kind: 'partition-stopped';
  readonly topic: string;
  readonly partition: number;
  readonly isDamage: boolean;
  readonly why: string;
};
