import type { Reading } from './reading.ts';

/** What the provider tells of one group (the instances of one service in one environment). */
export type GroupReading = {
  /** null: Drover cannot change the size of this group (an environment without a provider). */
  readonly size: GroupSize | null;
  readonly instances: readonly InstanceReading[];
  /** Identity of what runs (image, package, command); several builds at once are joined with ` + `, sorted. */
  readonly build: Reading<string>;
};

/** `min` is the floor below which the group's own scaling never goes, `desired` what it wants now. */
export type GroupSize = { readonly min: number; readonly max: number; readonly desired: number };

export type InstanceReading = {
  readonly id: string;
  /** The balancer's name for it; null where the provider does not know. */
  readonly server: string | null;
  readonly state: InstanceState;
  /** Times this instance was started again after it ended by itself, since the provider has known it. */
  readonly restarts: number;
  /** The build that it runs, as in the group's; null: not known, or not yet. */
  readonly build: string | null;
  readonly startedAtMs: number;
  /** The last lines it wrote, for an instance that does not come up; empty where not known. */
  readonly lastOutput: readonly string[];
};

/**
 * `crash-looping`: it ended by itself again and again, and the provider waits longer and longer before the next start. One that
 * runs and is well after that is `starting` until it has stayed so for a while.
 */
export type InstanceState = 'starting' | 'healthy' | 'unhealthy' | 'stopping' | 'crash-looping';
