import type { Step } from '../fleet/config.ts';
import { matchesGlob } from '../fleet/glob.ts';
import type { BackendReading } from '../observed/backend.ts';
import type { Observation } from '../rollout/observation.ts';
import type { BackendPlan, RolloutPlan } from '../rollout/plan.ts';
import { serversOf } from '../rollout/servers.ts';
import { fullWeight, shareOfWeights, weightsForShare } from '../rollout/weights.ts';

/** The least and the most that a share can be; both the same where it is one figure. */
export type ShareRange = readonly [least: number, most: number];

/**
 * The destination's share in a step as far as it can be told before it begins, over all backends; null: not known. By weight it
 * is what was asked for, or the least that weights make where that is more. By capacity it follows from weights and sizes: each destination instance gets the weight of the strongest
 * origin server, and where the origin scales, the share drifts with its size.
 */
export function shareOfStep(plan: RolloutPlan, step: Step, observation: Observation): ShareRange | null {
  if (step.kind === 'weight') {
    const made = plan.backends.map((backend) => {
      const reading = observation.backends[backend.id]?.reading;
      return (reading?.known ? leastShareAt(backend, reading.value, step) : null) ?? step.share;
    });
    return [Math.min(...made), Math.max(...made)];
  }
  const size = observation.origin.reading.known ? observation.origin.reading.value.size : null;
  const shares = plan.backends.flatMap((backend) => {
    const reading = observation.backends[backend.id]?.reading;
    return reading?.known ? sharesAt(backend, reading.value, step.instances, size) : [];
  });
  return shares.length === 0 ? null : [Math.min(...shares), Math.max(...shares)];
}

/** Where integers allow a share to be met, they do it as closely as this. */
const shareErrorMax = 0.0005;

/**
 * The least share that weights make at this backend; null: they make what the step asks for, or nothing is known of its servers.
 */
export function leastShareAt(
  backend: Pick<BackendPlan, 'origin' | 'destination'>,
  reading: Pick<BackendReading, 'servers'>,
  step: Step,
): number | null {
  if (step.kind !== 'weight') return null;
  const origin = reading.servers
    .filter(({ name, weight, admin }) => matchesGlob(backend.origin, name) && weight > 0 && admin === 'ready')
    .map(({ name, weight }) => ({ name, base: weight, carries: true }));
  const destination = reading.servers.filter(({ name }) => matchesGlob(backend.destination, name));
  const names = destination.slice(0, step.instances ?? destination.length).map(({ name }) => name);
  if (origin.length === 0 || names.length === 0) return null;
  const weights = weightsForShare(origin, names, step.share);
  const weightOf = (name: string) => weights[name] ?? 0;
  const made = shareOfWeights(
    origin.map(({ name }) => weightOf(name)),
    names.map(weightOf),
  );
  return made !== null && made > step.share + shareErrorMax ? made : null;
}

function sharesAt(
  backend: BackendPlan,
  reading: BackendReading,
  instances: number,
  size: { readonly min: number; readonly max: number } | null,
): number[] {
  const carrying = serversOf(backend, reading, 'origin').filter(({ weight, admin }) => weight > 0 && admin === 'ready');
  if (carrying.length === 0) return [];
  const strongest = fullWeight(carrying.map(({ name, weight }) => ({ name, base: weight, carries: true })));
  const destination = Array.from({ length: instances }, () => strongest);
  const sized = size === null ? [] : [size.min, size.max].filter((count) => count > 0);
  const origins = sized.map((count) => [(count * sumOf(carrying)) / carrying.length]);
  const present = carrying.filter(({ health }) => health !== 'down').map(({ weight }) => weight);
  return (sized.length === 0 ? [present] : origins).flatMap((origin) => shareOfWeights(origin, destination) ?? []);
}

function sumOf(servers: readonly { readonly weight: number }[]): number {
  return servers.reduce((sum, { weight }) => sum + weight, 0);
}
