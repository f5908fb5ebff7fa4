import type { Step } from '../fleet/config.ts';
import type { BackendReading } from '../observed/backend.ts';
import { mayCarry } from './alone.ts';
import { carriesByTarget } from './effects.ts';
import type { AsFound, ServerTarget, SizeTarget, Target } from './events.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { carriesNow, isOurs, isUnable, serversOf, sideOf } from './servers.ts';
import type { RolloutState } from './state.ts';
import { fullWeight, shareOfWeights, type WeighedServer, weightsForDrill, weightsForShare } from './weights.ts';

type Traffic = Target['traffic'];
type ServerTargets = Record<string, ServerTarget>;

/** Weights and states as they were before the operation began; with `observation`, of servers too that came since. */
export function trafficAsFound(state: RolloutState, observation: Observation | null = null): Traffic {
  return byBackend(state, (plan) => {
    const targets = originAsFound(state, plan);
    for (const name of destinationNames(state, plan, observation)) {
      const found = state.asFound.backends[plan.id]?.[name];
      targets[name] = { weight: found?.weight ?? 0, admin: 'ready' };
    }
    return targets;
  });
}

/** The drill: one server of the destination with the lowest weight, beside an origin that is scaled up until that is at most `shareMost`. */
export function trafficForDrill(
  state: RolloutState,
  observation: Observation,
  server: string,
  shareMost: number,
): Traffic {
  return byBackend(state, (plan) => {
    const targets = originAsFound(state, plan);
    const weights = weightsForDrill(weighedOrigin(state, observation, plan), server, shareMost);
    for (const name of Object.keys(targets)) {
      const weight = weights[name];
      if (weight !== undefined) targets[name] = { weight, admin: null };
    }
    for (const name of destinationNames(state, plan, null)) {
      targets[name] = { weight: name === server ? 1 : 0, admin: 'ready' };
    }
    return targets;
  });
}

/** The drill's server taken back: nothing else is written until that is measured. */
export function trafficDrilled(state: RolloutState, server: string): Traffic {
  const target = state.intended?.target.traffic ?? trafficAsFound(state);
  return byBackend(state, (plan) => {
    const before = target[plan.id] ?? {};
    return before[server] === undefined ? before : { ...before, [server]: { weight: 0, admin: 'maint' } };
  });
}

/**
 * A step's weights: `servers` of the destination carry, its others wait at weight 0 so that their health checks go on.
 * `step` null is the whole share: the origin waits.
 */
export function trafficForStep(
  state: RolloutState,
  observation: Observation,
  step: Step | null,
  servers: readonly string[],
): Traffic {
  return byBackend(state, (plan) => {
    const origin = weighedOrigin(state, observation, plan);
    const names = destinationNames(state, plan, observation);
    const isHere = new Set(names);
    const carrying = servers.filter((name) => isHere.has(name));
    const weights = weightsOfStep(step, origin, carrying);
    const targets: ServerTargets = {};
    for (const { name, weight } of foundServers(state, plan, 'origin'))
      targets[name] = { weight: weights[name] ?? weight, admin: null };
    for (const name of names) targets[name] = { weight: weights[name] ?? 0, admin: 'ready' };
    return targets;
  });
}

/** The whole way back: the origin as found, the destination in maint. */
export function trafficBack(state: RolloutState, observation: Observation | null): Traffic {
  return byBackend(state, (plan) => backAt(state, plan, observation));
}

/** By backend: the destination servers that go into maint. `all`: whatever is there, and the origin is as found; `none`: it stays as it is. */
export type Cut = Readonly<Record<string, 'all' | 'none' | readonly string[]>>;

/**
 * The journalled target, but the servers named in maint: as much of the way back as the origin can carry at once. Where the
 * world gives a server less than the journal wants, somebody took it back or it was never raised: it stays there. A backend at which
 * nobody of the destination is left who gets requests has the origin as found in the same moment: else nobody would carry there.
 */
export function trafficCut(state: RolloutState, observation: Observation, cut: Cut): Traffic {
  const target = state.intended?.target.traffic ?? trafficAsFound(state);
  return byBackend(state, (plan) => {
    const names = cut[plan.id] ?? 'none';
    if (names === 'all') return backAt(state, plan, observation);
    const targets: ServerTargets = { ...target[plan.id] };
    for (const name of names === 'none' ? [] : names)
      if (targets[name] !== undefined) targets[name] = { weight: 0, admin: 'maint' };
    const reading = observation.backends[plan.id]?.reading;
    if (reading?.known) asSeen(plan, reading.value, targets, state.back === null);
    return names === 'none' || sentAt(plan, targets, observation).length > 0
      ? targets
      : backAt(state, plan, observation);
  });
}

/**
 * What the world gives less stays less. Weights tell something of each other only on the same scale, and what is still to be
 * written may have another one: the first part of a way back keeps the world's, a later one the one that the part before has set.
 */
function asSeen(plan: BackendPlan, { servers }: BackendReading, targets: ServerTargets, isFirst: boolean): void {
  const isScaled = servers.every(
    ({ name, weight }) => sideOf(plan, name) !== 'origin' || weight === (targets[name]?.weight ?? weight),
  );
  for (const { name, weight, admin } of servers) {
    const wanted = targets[name];
    if (wanted === undefined) continue;
    if (sideOf(plan, name) === 'origin') targets[name] = isFirst ? { ...wanted, weight } : wanted;
    else if (admin !== 'ready') targets[name] = { weight: 0, admin };
    else if (!carriesByTarget(plan, name, wanted)) continue;
    else if (isScaled ? weight < wanted.weight : isFirst) targets[name] = { ...wanted, weight };
  }
}

/**
 * The destination servers that go on getting requests by these targets, on a way back: nothing is raised there, so that one which
 * gets none now, whatever the target says, gets none. At a backend that is not read the target counts.
 */
export function sentAt(plan: BackendPlan, targets: Traffic[string] = {}, observation: Observation): string[] {
  const reading = observation.backends[plan.id]?.reading;
  const now = reading?.known ? new Map(reading.value.servers.map((server) => [server.name, server])) : null;
  const group = observation.destination.reading;
  return Object.entries(targets).flatMap(([name, target]) => {
    if (!carriesByTarget(plan, name, target)) return [];
    if (now === null) return [name];
    const server = now.get(name);
    if (server === undefined || !carriesNow(server)) return [];
    // Its balancer's word, where that has one.
    return server.health === 'up' || !isUnable(server, group) ? [name] : [];
  });
}

/**
 * The same with the weights that leave the servers which are not cut `share` of the traffic, at most what they have. A backend
 * that is left alone (`alone`) keeps its weights: its destination carries everything there.
 */
export function trafficKept(
  state: RolloutState,
  observation: Observation,
  cut: Cut,
  share: number,
  alone: readonly string[],
): Traffic {
  const target = trafficCut(state, observation, cut);
  return byBackend(state, (plan) => {
    const before = target[plan.id] ?? {};
    if (alone.includes(plan.id)) return before;
    const kept = sentAt(plan, before, observation);
    if (kept.length === 0) return { ...before, ...originAsFound(state, plan) };
    const origin = foundServers(state, plan, 'origin').filter((server) => server.weight > 0);
    const now = shareLeftAt(plan, before, observation);
    const may = origin.map(({ name, weight }) => mayCarryNow(plan, name, weight, observation));
    // Where it is known of none that it carries they are weighed as if all did.
    const carries = (index: number) => !may.includes(true) || may[index] === true;
    const weighed = origin.map(({ name, weight }, index) => ({ name, base: weight, carries: carries(index) }));
    const weights = weightsForShare(weighed, kept, Math.min(share, now ?? share));
    const targets: ServerTargets = { ...before };
    for (const { name } of origin) targets[name] = { weight: weights[name] ?? 0, admin: null };
    // One that gets none now is not to have more than they when it does again.
    const each = weights[kept[0] ?? ''] ?? 0;
    for (const [name, wanted] of Object.entries(before))
      if (carriesByTarget(plan, name, wanted)) targets[name] = { weight: each, admin: 'ready' };
    return targets;
  });
}

/** The share that a target's own weights make, the largest over the backends. */
export function shareOfTarget(state: Pick<RolloutState, 'plan'>, traffic: Traffic): number {
  return Math.max(0, ...state.plan.backends.map((plan) => shareAt(plan, traffic[plan.id]) ?? 0));
}

/** The same at one backend; null where the target gives nobody anything. */
function shareAt(plan: BackendPlan, targets: Traffic[string] = {}): number | null {
  const entries = Object.entries(targets);
  return shareOfWeights(
    entries.filter(([name]) => sideOf(plan, name) === 'origin').map(([, target]) => target.weight),
    entries.filter(([name, target]) => carriesByTarget(plan, name, target)).map(([, target]) => target.weight),
  );
}

/** What a way back in parts leaves the destination at one backend, by the servers that get requests; null: nobody gets any. */
export function shareLeftAt(plan: BackendPlan, targets: Traffic[string] = {}, observation: Observation): number | null {
  const weightOf = (name: string) => targets[name]?.weight ?? 0;
  const origin = Object.keys(targets).filter(
    (name) => sideOf(plan, name) === 'origin' && mayCarryNow(plan, name, weightOf(name), observation),
  );
  return shareOfWeights(origin.map(weightOf), sentAt(plan, targets, observation).map(weightOf));
}

/** Of an origin server whose state nobody knows it is not known that it carries nothing. */
function mayCarryNow(plan: BackendPlan, name: string, weight: number, observation: Observation): boolean {
  const reading = observation.backends[plan.id]?.reading;
  const server = reading?.known ? reading.value.servers.find((one) => one.name === name) : undefined;
  return server === undefined || mayCarry(server, weight, observation.origin.reading);
}

/** The share that users still get at the destination by a way back in parts, at the backend where it is the largest; null: none is left. */
export function shareLeft(state: RolloutState, traffic: Traffic, observation: Observation): number | null {
  if (carryingServers(traffic, state.asFound, state.plan.backends).length === 0) return null;
  return Math.max(...state.plan.backends.map((plan) => shareLeftAt(plan, traffic[plan.id], observation) ?? 0));
}

/** Floor that a group is to have from here on; never below what was targeted or found. */
export function raisedFloor(
  current: SizeTarget | null,
  found: { readonly min: number } | null,
  need: number,
): SizeTarget | null {
  if (found === null) return null;
  return { min: Math.max(need, current?.min ?? 0, found.min), desired: null, exact: false };
}

/** Servers of the destination, in every backend, to which the target gives traffic. */
export function carryingServers(traffic: Traffic, asFound: AsFound, plans: readonly BackendPlan[]): string[] {
  const names = new Set<string>();
  for (const plan of plans) {
    for (const [name, target] of Object.entries(traffic[plan.id] ?? {})) {
      const side = asFound.backends[plan.id]?.[name]?.side ?? 'destination';
      if (side === 'destination' && target.weight > 0 && target.admin === 'ready') names.add(name);
    }
  }
  return [...names];
}

function backAt(state: RolloutState, plan: BackendPlan, observation: Observation | null): ServerTargets {
  const targets = originAsFound(state, plan);
  for (const name of destinationNames(state, plan, observation)) targets[name] = { weight: 0, admin: 'maint' };
  return targets;
}

function weightsOfStep(
  step: Step | null,
  origin: readonly WeighedServer[],
  carrying: readonly string[],
): Record<string, number> {
  if (step === null) return weightsForShare(origin, carrying, 1);
  if (step.kind === 'weight') return weightsForShare(origin, carrying, step.share);
  const weight = fullWeight(origin);
  return Object.fromEntries(carrying.map((name) => [name, weight]));
}

function weighedOrigin(state: RolloutState, observation: Observation, plan: BackendPlan): WeighedServer[] {
  const reading = observation.backends[plan.id]?.reading;
  const live = new Map((reading?.known ? reading.value.servers : []).map((server) => [server.name, server]));
  return foundServers(state, plan, 'origin')
    .filter((server) => server.weight > 0)
    .map(({ name, weight }) => {
      const now = live.get(name);
      // Whoever gets requests makes the share, whether or not anybody knows that it can carry them.
      return { name, base: weight, carries: now !== undefined && carriesNow({ ...now, weight }) };
    });
}

function originAsFound(state: RolloutState, plan: BackendPlan): ServerTargets {
  const targets: ServerTargets = {};
  for (const { name, weight } of foundServers(state, plan, 'origin')) targets[name] = { weight, admin: null };
  return targets;
}

/** Ours: those found, and those that appeared since. */
function destinationNames(state: RolloutState, plan: BackendPlan, observation: Observation | null): string[] {
  const names = new Set(foundServers(state, plan, 'destination').map((server) => server.name));
  for (const name of Object.keys(state.intended?.target.traffic[plan.id] ?? {})) {
    if (state.asFound.backends[plan.id]?.[name] === undefined) names.add(name);
  }
  const reading = observation?.backends[plan.id]?.reading;
  if (reading?.known) for (const server of serversOf(plan, reading.value, 'destination')) names.add(server.name);
  return [...names].filter((name) => isOurs(state, plan.id, name));
}

function foundServers(
  state: RolloutState,
  plan: BackendPlan,
  side: 'origin' | 'destination',
): { name: string; weight: number }[] {
  return Object.entries(state.asFound.backends[plan.id] ?? {})
    .filter(([name, found]) => found.side === side && isOurs(state, plan.id, name))
    .map(([name, found]) => ({ name, weight: found.weight }));
}

function byBackend(state: RolloutState, targets: (plan: BackendPlan) => Traffic[string]): Traffic {
  return Object.fromEntries(state.plan.backends.map((plan) => [plan.id, targets(plan)]));
}
