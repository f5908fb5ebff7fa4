import type { RolloutState } from '../../core/rollout/state.ts';
import type { OperationPorts } from '../../engine/operation-ports.ts';
import type { Backend } from '../../engine/ports.ts';
import type { Decider } from '../engine.ts';

/** Counts no attempts: evidence to promote begins anew with all of β. */
export function firstAttemptAlways(real: Decider): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      const events = decision.events.map((event) =>
        event.kind === 'stage-entered' && event.stage.kind === 'judging' ? { ...event, attempt: 1 } : event,
      );
      return { ...decision, events };
    },
  };
}

/** Any drill is fast enough. */
export function withoutDrillBound(state: RolloutState): RolloutState {
  const { policy } = state.plan;
  const drill = { ...policy.drill, boundMs: Number.POSITIVE_INFINITY };
  return { ...state, plan: { ...state.plan, policy: { ...policy, drill } } };
}

/** States are taken at once, and acknowledged after longer than a drill may last. */
export function slowToAcknowledge(ports: OperationPorts): OperationPorts {
  const backends = Object.entries(ports.backends).map(([id, backend]): [string, Backend] => [
    id,
    {
      ...backend,
      async setStates(states, signal) {
        await backend.setStates(states, signal);
        await ports.clock.sleep(1200, signal);
      },
    },
  ]);
  return { ...ports, backends: Object.fromEntries(backends) };
}

/** Says that the marker is written and goes on, while it is not. */
export function markerNotAwaited(ports: OperationPorts): OperationPorts {
  const never = new AbortController().signal;
  const write: OperationPorts['marker']['write'] = (operation, who) => {
    ports.clock
      .sleep(500, never)
      .then(() => ports.marker.write(operation, who))
      .catch(() => undefined);
    return Promise.resolve();
  };
  return { ...ports, marker: { ...ports.marker, write } };
}

/** Asks for the lease and acts as if it were given. */
export function leaseTakenForGranted(ports: OperationPorts): OperationPorts {
  const acquire: OperationPorts['leases']['acquire'] = async (operation, holder, nowMs, ttlMs) => {
    const lease = await ports.leases.acquire(operation, holder, nowMs, ttlMs);
    return lease.held ? lease : { held: true, fence: 1, expiresAtMs: nowMs + ttlMs };
  };
  return { ...ports, leases: { ...ports.leases, acquire } };
}
