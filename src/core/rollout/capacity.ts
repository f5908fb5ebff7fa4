import type { Step } from '../fleet/config.ts';
import { known, type Reading, unknown } from '../observed/reading.ts';
import type { Observation } from './observation.ts';
import type { RolloutPlan } from './plan.ts';
import { holdingEverywhere, isAble, isLeaving, isOurs, type Side } from './servers.ts';
import type { RolloutState } from './state.ts';

/**
 * Names of the servers of a side that can carry traffic: able in every backend that has them (of the destination: that had them),
 * not being taken away, not put aside by somebody before the operation began. Unknown while any backend cannot be read.
 */
export function ableServers(state: RolloutState, observation: Observation, side: Side): Reading<readonly string[]> {
  const group = side === 'origin' ? observation.origin.reading : observation.destination.reading;
  const able = holdingEverywhere(state.plan.backends, observation.backends, side, (server, plan) => {
    const here = isOurs(state, plan.id, server.name) && carries(side, server.admin) && isAble(server, group);
    return here && !isLeaving(server.name, group);
  });
  if (!able.known) return able;
  const lost = side === 'destination' ? withoutLine(state, observation) : new Set();
  return known(able.value.filter((name) => !lost.has(name)).toSorted(byNumber));
}

/** Servers whose line a reload has taken away at one balancer and not at all: what they were to carry there the others would get. */
function withoutLine({ plan, asFound }: RolloutState, observation: Observation): Set<string> {
  return new Set(
    plan.backends.flatMap(({ id }) => {
      const reading = observation.backends[id]?.reading;
      if (!reading?.known) return [];
      const there = new Set(reading.value.servers.map(({ name }) => name));
      return Object.keys(asFound.backends[id] ?? {}).filter((name) => !there.has(name));
    }),
  );
}

/** Instances of the origin needed to carry all of `loadRps` plus the reserve, at `instanceRps` each. At least one. */
export function instancesFor(loadRps: number, instanceRps: number, reserve: number): number {
  return Math.max(1, Math.ceil((loadRps * (1 + reserve)) / instanceRps - 1e-9));
}

/**
 * Requests per second that one origin instance can carry: declared, else the highest healthy load seen. Unknown until
 * something was seen.
 */
export function originInstanceRps(plan: RolloutPlan, seenMax: number | null): Reading<number> {
  if (plan.origin.capacityRps !== null) return known(plan.origin.capacityRps);
  if (seenMax !== null && seenMax > 0) return known(seenMax);
  return unknown('no capacity is declared for the origin and no load was seen yet');
}

/** Destination instances that a step needs before it may begin; `step` null stands for the whole share. */
export function destinationNeed(
  plan: RolloutPlan,
  step: Step | null,
  loadRps: number,
  originRps: Reading<number>,
): number {
  if (step?.kind === 'capacity') return step.instances;
  if (step !== null && step.instances !== null) return step.instances;
  const share = step === null ? 1 : step.share;
  const instanceRps = plan.destination.capacityRps ?? (originRps.known ? originRps.value : null);
  return instanceRps === null ? 1 : instancesFor(loadRps * share, instanceRps, plan.policy.reserve);
}

/** maint on the destination is Drover's own doing (the drill, the way back); on the origin it is an operator's. */
function carries(side: Side, admin: string): boolean {
  return side === 'destination' ? admin !== 'drain' : admin === 'ready';
}

/** `web-2` before `web-10`: the order in which a capacity step chooses its servers. */
function byNumber(one: string, other: string): number {
  const a = Number(/(\d+)\D*$/.exec(one)?.[1] ?? 0);
  const b = Number(/(\d+)\D*$/.exec(other)?.[1] ?? 0);
  return a - b || (one < other ? -1 : one > other ? 1 : 0);
}
