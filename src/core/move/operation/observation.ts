import type { Reading } from '../../observed/reading.ts';
import type { TopicAcl } from '../acl-facts.ts';
import type { Settings } from '../topic-facts.ts';
import type { Rate, TopicToRebuild } from './events.ts';
import type { MoverTold } from './told.ts';

export type MoveObservation = {
  readonly nowMs: number;
  readonly requests: readonly MoveRequest[];
  readonly mover: MoverTold;
  /** The plan's topics on the target, by name; null: it was not looked. */
  readonly topics: Reading<Readonly<Record<string, TopicFound>>> | null;
  /** Entries of the target about topics; none where it has no authorizer; null: it was not looked. */
  readonly acls: Reading<readonly TopicAcl[]> | null;
  /** Ids of topics, by name: the target has answered this controller that it has made them. */
  readonly made: Readonly<Record<string, string>>;
  /** Until then a call to the target that was given up may still take effect. */
  readonly quietAtMs: number;
};

export type MoveRequest =
  /** Its controller asks for it once, when it begins. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'hold'; readonly by: string; readonly why: string }
  | { readonly kind: 'resume'; readonly by: string; readonly reason: string | null }
  | { readonly kind: 'rate'; readonly by: string; readonly rate: Rate }
  | { readonly kind: 'abort'; readonly by: string; readonly reason: string | null }
  | ({ readonly kind: 'rebuild'; readonly by: string; readonly reason: string | null } & TopicToRebuild)
  /** Aborts first. */
  | { readonly kind: 'back'; readonly by: string; readonly reason: string | null };

export type TopicFound = {
  /** Null: there is no such topic. */
  readonly topicId: string | null;
  readonly partitions: number;
  /** Null where there is no such topic. */
  readonly settings: Settings | null;
  /** Looked up where topics are to be removed. */
  readonly holdings: Holdings | null;
};

/** What is in a topic, and who uses it. */
export type Holdings = {
  readonly partitions: readonly {
    readonly partition: number;
    readonly logEnd: number;
    /** Up to there the ledger knows what stands there; null: there is no ledger. */
    readonly ledgerEnd: number | null;
  }[];
  /** Groups that have committed an offset. */
  readonly groups: readonly string[];
};
