import { configurationToCommit } from './decide-finished.ts';
import { trafficEffect } from './effects.ts';
import { takenOut } from './hands.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan, RolloutPlan } from './plan.ts';
import { sideOf } from './servers.ts';
import { hasEnded, type RolloutState } from './state.ts';

/** Something in the world that is not as somebody once wanted it, and what to do. */
export type Drift = { readonly what: string; readonly remedy: string };

/**
 * Where weights and states in force differ from what a rollout that is under way, or completed, wants them to be; without one,
 * from what the balancer's configuration says. What cannot be read adds nothing. `last`: the service's last rollout;
 * `isMarked`: its back marker is there.
 */
export function driftOf(
  plan: RolloutPlan,
  observation: Observation,
  last: RolloutState | null,
  isMarked: boolean,
): Drift[] {
  const wanted = last !== null && last.stage.kind !== 'rolled-back' && last.intended !== null ? last : null;
  const drifts = plan.backends.flatMap((backend) =>
    wanted === null ? fromConfiguration(backend, observation) : fromIntent(backend, observation, wanted, isMarked),
  );
  const lines = last?.stage.kind === 'completed' ? configurationToCommit(last, observation) : [];
  if (lines.length === 0) return drifts;
  return [
    ...drifts,
    {
      what: `the configuration says where the traffic was before ${last?.operation}:\n${lines.join('\n')}`,
      remedy: 'Commit these lines to the balancer’s configuration and reload: any reload brings the old weights back.',
    },
  ];
}

function fromIntent(backend: BackendPlan, observation: Observation, last: RolloutState, isMarked: boolean): Drift[] {
  const reading = observation.backends[backend.id]?.reading;
  if (!reading?.known) return [];
  const effect = trafficEffect(backend, reading.value, last.intended?.target.traffic[backend.id] ?? {});
  if (effect === null) return [];
  const isForward = !hasEnded(last) && !isMarked && last.back === null;
  const out = isForward ? takenOut(last, backend, reading.value).map(({ name }) => name) : [];
  const drifts = out.map((name) => ({ what: `${backend.id}: ${name} should be ready`, remedy: outRemedy }));
  const weights = Object.entries(effect.weights).flatMap(([name, weight]) =>
    out.includes(name) ? [] : [`${name} should have weight ${weight}`],
  );
  const states = Object.entries(effect.states).flatMap(([name, state]) =>
    out.includes(name) ? [] : [`${name} should be ${state}`],
  );
  if (weights.length + states.length === 0) return drifts;
  const remedy = hasEnded(last)
    ? 'Somebody changed it since. `drover back` takes the traffic back; a reload brings back what is configured.'
    : isMarked
      ? 'Somebody took the way back: `drover back` finishes it, and nothing is raised before.'
      : 'A living controller puts it right, or holds and says why; without one: `drover apply` goes on.';
  return [
    ...drifts,
    { what: `${backend.id} is not as ${last.operation} left it: ${listed([...weights, ...states])}`, remedy },
  ];
}

const outRemedy =
  'Somebody took it out, or a reload did, and Drover does not put it back: set it ready there, then `drover resume`.';

function fromConfiguration(backend: BackendPlan, observation: Observation): Drift[] {
  const reading = observation.backends[backend.id]?.reading;
  if (!reading?.known) return [];
  const servers = reading.value.servers.filter((server) => sideOf(backend, server.name) !== null);
  const weights = servers
    .filter((server) => server.weight !== server.configuredWeight)
    .map(({ name, weight, configuredWeight }) => `${name} has weight ${weight}, configured is ${configuredWeight}`);
  if (weights.length === 0) return [];
  return [
    {
      what: `${backend.id}: weights are not as configured: ${listed(weights)}`,
      remedy: 'Somebody set them while it ran, or an operation left them; a reload brings the configured ones back.',
    },
  ];
}

function listed(items: readonly string[]): string {
  return items.length <= 6 ? items.join(', ') : `${items.slice(0, 5).join(', ')} and ${items.length - 5} more`;
}
