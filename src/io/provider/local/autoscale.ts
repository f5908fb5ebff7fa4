import type { Reading } from '../../../core/observed/reading.ts';

export type AutoscaleInput = {
  readonly min: number;
  readonly max: number;
  readonly desired: number;
  /** Requests per second that reach the whole group now. */
  readonly loadRps: Reading<number>;
  /** Requests per second that one instance can carry; null: not declared, and then nothing is scaled by load. */
  readonly capacityRps: number | null;
  /** Fraction of its capacity that an instance is meant to carry, 0 < utilisation ≤ 1. */
  readonly utilisation: number;
  readonly nowMs: number;
  /** How long the load has to stay low before one instance is taken away. */
  readonly coolDownMs: number;
  /** Since when fewer instances would do; null: they would not. What the last call answered. */
  readonly quietSinceMs: number | null;
};

export type AutoscaleOutput = { readonly desired: number; readonly quietSinceMs: number | null };

/**
 * How many instances a group wants for its load: `ceil(load / (capacity · utilisation))`. It scales out at once and scales
 * in by one instance after each quiet cool-down. A load that is not known never scales in and starts the cool-down afresh.
 * The answer is at least `min`, and above `max` only where `desired` was already.
 */
export function autoscale(input: AutoscaleInput): AutoscaleOutput {
  const { min, max, nowMs, coolDownMs } = input;
  const desired = Math.max(min, input.desired);
  const needed = instancesNeeded(input);
  if (needed === null) return { desired, quietSinceMs: null };
  if (needed >= desired) return { desired: Math.max(desired, Math.min(max, needed)), quietSinceMs: null };
  if (desired === min) return { desired, quietSinceMs: null };
  const quietSinceMs = Math.min(input.quietSinceMs ?? nowMs, nowMs);
  if (nowMs - quietSinceMs < coolDownMs) return { desired, quietSinceMs };
  return { desired: desired - 1, quietSinceMs: nowMs };
}

function instancesNeeded({ loadRps, capacityRps, utilisation }: AutoscaleInput): number | null {
  if (!loadRps.known || capacityRps === null) return null;
  const needed = Math.ceil(loadRps.value / (capacityRps * utilisation));
  return Number.isFinite(needed) && needed >= 0 ? needed : null;
}
