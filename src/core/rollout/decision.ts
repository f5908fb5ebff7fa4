import type { AdminState } from '../observed/backend.ts';
import type { RolloutEvent } from './events.ts';

/**
 * What `decide` returns: data. The engine performs `back` at once, then appends `events`; it
 * performs `effects` only in a pass without events, because an entry may change what is wanted.
 */
export type Decision = {
  readonly events: readonly RolloutEvent[];
  /** Follow from the target that was already journalled when this pass began, never from `events`. */
  readonly effects: readonly Effect[];
  /** The way back: performed before it is journalled, needs no lease and no journal. */
  readonly back: readonly TrafficEffect[];
  /** null: at the controller's usual poll. */
  readonly wakeAtMs: number | null;
  /** The operation has ended; the loop stops after appending. */
  readonly ended: boolean;
};

export type Effect = TrafficEffect | ResizeEffect | DrillEffect;
/** `raises`: gives the destination more than it has now; refused without a lease or with a back marker. */
export type TrafficEffect = {
  readonly kind: 'traffic';
  readonly backend: string;
  /** Written before the states, except with `statesFirst`; both may be empty. */
  readonly weights: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, AdminState>>;
  readonly raises: boolean;
  /** maint is all that is needed, because the origin carries already: the weights must not hold it up. */
  readonly statesFirst: boolean;
};
export type ResizeEffect = {
  readonly kind: 'resize';
  readonly side: 'origin' | 'destination';
  readonly min: number;
  /** null: left to the group. */
  readonly desired: number | null;
  /** Takes instances away. */
  readonly shrinks: boolean;
};
/** Put `server` of every backend named into maint and measure when its attempts end. */
export type DrillEffect = {
  readonly kind: 'drill';
  readonly servers: readonly { readonly backend: string; readonly server: string }[];
};
