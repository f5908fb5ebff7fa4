import type { BackendReading } from '../../core/observed/backend.ts';
import { known } from '../../core/observed/reading.ts';
import type { Decision } from '../../core/rollout/decision.ts';
import type { Observation, Timed } from '../../core/rollout/observation.ts';
import { sideOf } from '../../core/rollout/servers.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { Decider } from '../engine.ts';

/** Goes back wherever it may, and never looks whether anybody is there: what it sees of the origin on the way back is up. */
export function goesBackToAnybody(real: Decider): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      if (state.back === null && !goesBack(decision)) return decision;
      return real.decide(state, { ...watch, aloneAtMs: {} }, originUp(observation, state));
    },
  };
}

function goesBack({ events }: Decision): boolean {
  return events.some((event) => event.kind === 'back-performed');
}

function originUp(observation: Observation, state: RolloutState): Observation {
  const backends: Record<string, Timed<BackendReading>> = { ...observation.backends };
  for (const plan of state.plan.backends) {
    const timed = backends[plan.id];
    if (timed === undefined || !timed.reading.known) continue;
    const servers = timed.reading.value.servers.map((server) =>
      sideOf(plan, server.name) === 'origin' ? { ...server, health: 'up' as const } : server,
    );
    backends[plan.id] = { ...timed, reading: known({ ...timed.reading.value, servers }) };
  }
  return { ...observation, backends };
}
