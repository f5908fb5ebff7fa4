import type { TopicAcl } from '../acl-facts.ts';
import type { SettingChange } from '../topic-facts.ts';
import type { MoveEvent, Rate } from './events.ts';
import type { TopicToMake } from './plan.ts';

/** What `decide` returns: data. The engine appends `events`, and performs `effects` only in a pass without events. */
export type MoveDecision = {
  readonly events: readonly MoveEvent[];
  /** Follow from what was journalled when this pass began. */
  readonly effects: readonly MoveEffect[];
  /** What the mover is to be like; null: there is to be none. */
  readonly mover: MoverWanted | null;
  /** null: at the usual poll. */
  readonly wakeAtMs: number | null;
  /** The loop stops after appending. */
  readonly isOver: boolean;
};

export const nothing: MoveDecision = { events: [], effects: [], mover: null, wakeAtMs: null, isOver: false };

export type MoverWanted = { readonly isHeld: boolean; readonly rate: Rate };

export type MoveEffect =
  | ({ readonly kind: 'make-topic'; readonly topic: string } & TopicToMake)
  | { readonly kind: 'make-partitions'; readonly topic: string; readonly partitions: number }
  | { readonly kind: 'change-settings'; readonly changes: readonly SettingChange[] }
  | { readonly kind: 'make-acls'; readonly acls: readonly TopicAcl[] }
  | { readonly kind: 'delete-acls'; readonly acls: readonly TopicAcl[] }
  | { readonly kind: 'delete-topic'; readonly topic: string; readonly topicId: string };
