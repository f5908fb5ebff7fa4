import type { BackendReading } from '../observed/backend.ts';
import type { GroupReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';
import type { DrillMeasure } from './events.ts';

/** What one pass of the loop saw. `atMs` of a reading is when its answer was complete. */
export type Observation = {
  readonly nowMs: number;
  /** Whether this controller may act on the operation. Without the lease it only ever lowers the destination's share. */
  readonly leased: boolean;
  readonly backends: Readonly<Record<string, Timed<BackendReading>>>;
  readonly origin: Timed<GroupReading>;
  readonly destination: Timed<GroupReading>;
  /** The back marker beside the journal (ROLLOUT.md §4), if there is one; its content names who took the way back. */
  readonly marker: Reading<string | null>;
  /** What operators have asked for since the last pass, oldest first. */
  readonly requests: readonly OperatorRequest[];
  /** The answer of a drill that the engine performed since the last pass. */
  readonly drill: Reading<DrillMeasure> | null;
};

export type Timed<T> = { readonly atMs: number; readonly reading: Reading<T> };

export type OperatorRequest =
  /** `amends`: replaces the reason of a hold that stands; else it stays. */
  | { readonly kind: 'hold'; readonly by: string; readonly why: string; readonly amends?: true }
  /** `marked`: what the back marker said that was removed for it. */
  | { readonly kind: 'resume'; readonly by: string; readonly reason: string | null; readonly marked?: string }
  | { readonly kind: 'back'; readonly by: string; readonly reason: string | null; readonly all: boolean }
  | { readonly kind: 'retire'; readonly by: string; readonly reason: string | null };
