import type { JudgeSettings } from '../fleet/config.ts';

/**
 * What a rollout was asked to do, complete: the decider needs nothing else of the configuration, and the journal carries it
 * in the operation's first entry. Times in milliseconds, shares 0..1.
 */
export type RolloutPlan = {
  readonly service: string;
  readonly owner: string;
  readonly origin: GroupPlan;
  readonly destination: GroupPlan;
  readonly backends: readonly BackendPlan[];
  /** The judged steps, in order. Step 0, the drill, comes before them and the whole share after them. */
  readonly steps: readonly Step[];
  /** λ0, or null: nothing absolute is known of this service (a plan that has steps is refused then). */
  readonly objective: number | null;
  readonly policy: RolloutPolicy;
};

export type GroupPlan = {
  readonly environment: string;
  readonly size: { readonly min: number; readonly max: number } | null;
  readonly capacityRps: number | null;
};

/** One backend of one balancer process; `origin` and `destination` are globs over server names. */
export type BackendPlan = { readonly id: string; readonly origin: string; readonly destination: string };

/**
 * `capacity`: `instances` destination servers at full weight, the share follows from the sizes. `weight`: the weights make
 * the share; `instances` null: as many as the load needs (or as there are, where Drover cannot resize).
 */
export type Step =
  | { readonly kind: 'capacity'; readonly instances: number; readonly bakeMs: number }
  | { readonly kind: 'weight'; readonly share: number; readonly instances: number | null; readonly bakeMs: number };

export type RolloutPolicy = {
  readonly judge: JudgeSettings;
  /** Fraction above present traffic that the origin must be able to carry: 0.2. */
  readonly reserve: number;
  readonly settleMsMax: number;
  readonly capacityMsMax: number;
  readonly drainMsMax: number;
  readonly drill: { readonly requests: number; readonly ms: number; readonly boundMs: number };
  /** How long an attempt can last: the lag of the judge's share. */
  readonly attemptMsMax: number;
  /** How long the whole share is watched by objective and tripwires before the rollout is called complete. */
  readonly finalBakeMs: number;
};
