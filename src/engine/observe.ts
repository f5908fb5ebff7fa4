import type { BackendReading } from '../core/observed/backend.ts';
import { known, type Reading, unknown } from '../core/observed/reading.ts';
import type { DrillMeasure } from '../core/rollout/events.ts';
import type { Observation, OperatorRequest, Timed } from '../core/rollout/observation.ts';
import type { RolloutPlan } from '../core/rollout/plan.ts';
import { openDeadline, within } from './deadline.ts';
import type { OperationPorts } from './operation-ports.ts';

/** What is read, and by which clock and deadline. */
export type Observed = Pick<OperationPorts, 'clock' | 'timing' | 'backends' | 'origin' | 'destination' | 'marker'>;

/** How long a pass waits for what it reads, in ms, and for how long for that which did not answer when it was last waited for. */
export type Patience = { readonly msMax: number; readonly late: ReadonlySet<string>; readonly lateMsMax: number };

/** What a reading that is not a backend's is known by, to `Patience` and to whoever makes it. */
export const groupsRead = { origin: 'the origin', destination: 'the destination' } as const;

/**
 * Reads everything at once, each call under a deadline; what does not answer is unknown, with the reason. `outer` gives up what
 * has not answered yet.
 */
export async function observe(
  ports: Observed,
  plan: RolloutPlan,
  operation: string,
  requests: readonly OperatorRequest[],
  drill: Reading<DrillMeasure> | null,
  outer: readonly AbortSignal[],
  leased = true,
  patience: Patience = { msMax: ports.timing.callMs, late: new Set(), lateMsMax: ports.timing.callMs },
): Promise<Observation> {
  const deadline = openDeadline(ports.clock, patience.msMax, outer);
  const short = patience.late.size === 0 ? deadline : openDeadline(ports.clock, patience.lateMsMax, outer);
  const read = <T>(what: string, call: (signal: AbortSignal) => Promise<T>) =>
    timed(ports, (patience.late.has(what) ? short : deadline).signal, call);
  try {
    const [origin, destination, marker, ...backends] = await Promise.all([
      read(groupsRead.origin, (signal) => ports.origin.read(signal)),
      read(groupsRead.destination, (signal) => ports.destination.read(signal)),
      read('the marker', () => ports.marker.read(operation)),
      ...plan.backends.map(({ id }) => read(id, (signal) => backendOf(ports, id).read(signal))),
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
    short.close();
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
