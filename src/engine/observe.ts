import type { BackendReading } from '../core/observed/backend.ts';
import { known, type Reading, unknown } from '../core/observed/reading.ts';
import type { DrillMeasure } from '../core/rollout/events.ts';
import type { Observation, OperatorRequest, Timed } from '../core/rollout/observation.ts';
import type { RolloutPlan } from '../core/rollout/plan.ts';
import { openDeadline, within } from './deadline.ts';
import type { OperationPorts } from './operation-ports.ts';

/** What is read, and by which clock and deadline. */
export type Observed = Pick<OperationPorts, 'clock' | 'timing' | 'backends' | 'origin' | 'destination' | 'marker'>;

/**
 * Reads everything at once, each call under one deadline; what does not answer is unknown, with the reason. `urgent` gives
 * up what has not answered yet, and so does `msMax`.
 */
export async function observe(
  ports: Observed,
  plan: RolloutPlan,
  operation: string,
  requests: readonly OperatorRequest[],
  drill: Reading<DrillMeasure> | null,
  outer: readonly AbortSignal[],
  leased = true,
  msMax = ports.timing.callMs,
): Promise<Observation> {
  const deadline = openDeadline(ports.clock, msMax, outer);
  const read = <T>(call: (signal: AbortSignal) => Promise<T>) => timed(ports, deadline.signal, call);
  try {
    const [origin, destination, marker, ...backends] = await Promise.all([
      read((signal) => ports.origin.read(signal)),
      read((signal) => ports.destination.read(signal)),
      read(() => ports.marker.read(operation)),
      ...plan.backends.map(({ id }) => read((signal) => backendOf(ports, id).read(signal))),
    ]);
    const byId: Record<string, Timed<BackendReading>> = {};
    for (const [index, { id }] of plan.backends.entries()) {
      const reading = backends[index];
      if (reading !== undefined) byId[id] = reading;
    }
    return {
      nowMs: ports.clock.now(),
      leased,
      backends: byId,
      origin,
      destination,
      marker: marker.reading,
      requests,
      drill,
    };
  } finally {
    deadline.close();
  }
}

export function backendOf(ports: Pick<OperationPorts, 'backends'>, id: string) {
  const backend = ports.backends[id];
  if (backend === undefined) throw new Error(`no backend ${id} was opened`);
  return backend;
}

async function timed<T>(
  ports: Pick<OperationPorts, 'clock'>,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<Timed<T>> {
  try {
    const value = await within(signal, call(signal));
    return { atMs: ports.clock.now(), reading: known(value) };
  } catch (error) {
    return { atMs: ports.clock.now(), reading: unknown(error instanceof Error ? error.message : String(error)) };
  }
}
