import type { BackendReading } from '../observed/backend.ts';
import { notMoved } from './decide-finished.ts';
import { recentTally, seenLately } from './load.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { isUnable, serversOf, sideOf } from './servers.ts';
import type { RolloutState } from './state.ts';
import type { Watch } from './watch.ts';

/**
 * What is not well with what a completed rollout has moved, a sentence each: users who are at the origin, servers of the
 * destination that are down, requests that fail. Nobody watches it any more, so whoever looks is told.
 */
export function notWell(state: RolloutState, watch: Watch, observation: Observation): string[] {
  if (state.stage.kind !== 'completed' || state.retired) return [];
  const there = state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [];
    return [...atOrigin(state, plan, reading.value, watch, observation), ...downAt(plan, reading.value, observation)];
  });
  return [...there, ...failingAt(state, watch, observation)];
}

/** Backends at which the destination fails more requests than its objective explains, with the figures of the last seconds. */
export function failingAt({ plan }: RolloutState, { recent }: Pick<Watch, 'recent'>, { nowMs }: Observation): string[] {
  const { objective, backends } = plan;
  if (objective === null) return [];
  const lately = seenLately(recent, nowMs);
  return backends.flatMap(({ id }) => {
    const { attempts, failures } = recentTally({ [id]: lately[id] ?? [] }, 'destination');
    if (!isBeyond(failures, attempts * objective)) return [];
    const rate = `${percent(failures / attempts)} %, the objective is ${percent(objective)} %`;
    return [`the destination fails ${failures} of its last ${attempts} requests at ${id} (${rate})`];
  });
}

/** ln of how much more likely they are at the rate that was seen than at the objective; below it chance explains them. */
const evidenceMin = Math.log(20);

function isBeyond(failures: number, expected: number): boolean {
  if (failures <= expected) return false;
  return failures * Math.log(failures / expected) - failures + expected > evidenceMin;
}

function percent(share: number): string {
  return Number((share * 100).toPrecision(3)).toString();
}

function atOrigin(
  state: RolloutState,
  plan: BackendPlan,
  reading: BackendReading,
  { recent }: Watch,
  { nowMs }: Observation,
): string[] {
  const carrying = notMoved(state, plan, reading).filter(({ name }) => sideOf(plan, name) === 'origin');
  if (carrying.length === 0) return [];
  const lately = { [plan.id]: seenLately(recent, nowMs)[plan.id] ?? [] };
  const [origin, destination] = [recentTally(lately, 'origin').attempts, recentTally(lately, 'destination').attempts];
  const all = origin + destination;
  const gets = all === 0 ? 'may get requests' : `gets ${percent(origin / all)} % of the requests`;
  const names = carrying.map(({ name, weight }) => `${name} (weight ${weight})`).join(', ');
  return [`the origin ${gets} at ${plan.id}, by ${names}`];
}

function downAt(plan: BackendPlan, reading: BackendReading, { destination }: Observation): string[] {
  const carrying = serversOf(plan, reading, 'destination').filter(
    ({ weight, admin }) => weight > 0 && admin === 'ready',
  );
  const down = carrying.filter((server) => isUnable(server, destination.reading));
  if (down.length === 0) return [];
  const names = down.map(({ name }) => name).join(', ');
  return [
    `${down.length} of ${carrying.length} destination servers ${down.length === 1 ? 'is' : 'are'} down at ${plan.id}: ${names}`,
  ];
}
