import type { RolloutSettings, Step } from '../fleet/config.ts';

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

/**
 * One backend of one balancer process; `origin` and `destination` are globs over server names. `address` is where the process is
 * asked (a socket's path, or `host:port`); left out where none is: in simulated worlds, and in journals from before it was written.
 */
export type BackendPlan = {
  readonly id: string;
  readonly address?: string;
  readonly origin: string;
  readonly destination: string;
};

export type RolloutPolicy = RolloutSettings & {
  /** How long the whole share is watched by objective and tripwires before the rollout is called complete. */
  readonly finalBakeMs: number;
};
