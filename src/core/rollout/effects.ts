import type { AdminState, BackendReading, ServerReading } from '../observed/backend.ts';
import type { GroupReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';
import type { ResizeEffect, TrafficEffect } from './decision.ts';
import type { ServerTarget, SizeTarget } from './events.ts';
import type { BackendPlan } from './plan.ts';
import { type Side, sideOf } from './servers.ts';
import { shareOfWeights } from './weights.ts';

type Targets = Readonly<Record<string, ServerTarget>>;

/** What has to be written so that a backend is as targeted; null: it already is. Servers that are gone are left out. */
export function trafficEffect(plan: BackendPlan, reading: BackendReading, targets: Targets): TrafficEffect | null {
  const weights: Record<string, number> = {};
  const states: Record<string, AdminState> = {};
  for (const server of lessFirst(plan, reading, targets)) {
    const target = targets[server.name];
    if (target === undefined) continue;
    if (server.weight !== target.weight) weights[server.name] = target.weight;
    if (target.admin !== null && server.admin !== target.admin) states[server.name] = target.admin;
  }
  if (isEmpty(weights) && isEmpty(states)) return null;
  const statesFirst = carriesAlready(plan, reading) && Object.values(states).every((state) => state === 'maint');
  return { kind: 'traffic', backend: plan.id, weights, states, raises: raises(plan, reading, targets), statesFirst };
}

/** The parts of an effect that each take something from the destination; null: none does. */
export function loweringPart(plan: BackendPlan, reading: BackendReading, effect: TrafficEffect): TrafficEffect | null {
  const weights: Record<string, number> = {};
  const states: Record<string, AdminState> = {};
  for (const server of reading.servers) {
    const isDestination = sideOf(plan, server.name) === 'destination';
    const weight = effect.weights[server.name];
    if (weight !== undefined && (isDestination ? weight < server.weight : weight > server.weight))
      weights[server.name] = weight;
    const state = effect.states[server.name];
    if (state !== undefined && isDestination && state !== 'ready') states[server.name] = state;
  }
  return isEmpty(weights) && isEmpty(states) ? null : { ...effect, weights, states, raises: false };
}

/**
 * Writes the target without having read the backend: for the way back, which does not wait for a balancer to be readable.
 * Where destination servers are to go on carrying, only those that are taken away: nobody knows whether the rest would raise.
 */
export function blindEffect(plan: BackendPlan, targets: Targets): TrafficEffect | null {
  const weights: Record<string, number> = {};
  const states: Record<string, AdminState> = {};
  const rows = Object.entries(targets);
  const isPartial = rows.some(([name, target]) => carriesByTarget(plan, name, target));
  for (const [name, target] of rows) {
    const isTaken = sideOf(plan, name) === 'destination' && !carriesByTarget(plan, name, target);
    if (isPartial && !isTaken) continue;
    weights[name] = target.weight;
    // One that waits there may have been put aside since.
    if (target.admin !== null && !(isPartial && target.admin === 'ready')) states[name] = target.admin;
  }
  return isEmpty(weights) && isEmpty(states)
    ? null
    : { kind: 'traffic', backend: plan.id, weights, states, raises: false, statesFirst: isPartial };
}

/** A destination server to which the target gives traffic. */
export function carriesByTarget(plan: BackendPlan, name: string, target: ServerTarget | undefined): boolean {
  return sideOf(plan, name) === 'destination' && target?.admin === 'ready' && target.weight > 0;
}

/** The destination's share that the balancer's own weights and states make; null where nothing carries traffic. */
export function configuredShare(plan: BackendPlan, reading: BackendReading, targets: Targets): number | null {
  return shareOfWeights(effective(plan, reading, targets, 'origin'), effective(plan, reading, targets, 'destination'));
}

/** The backend as its balancer sees it: what is down gets nothing. */
export function withoutDown(reading: BackendReading): BackendReading {
  return { ...reading, servers: reading.servers.filter((server) => server.health !== 'down') };
}

/** Whether the world gives the destination less, more or as much as targeted. */
export function deviation(plan: BackendPlan, reading: BackendReading, targets: Targets): 'lower' | 'higher' | 'equal' {
  const now = configuredShare(plan, reading, {}) ?? 0;
  const then = configuredShare(plan, reading, targets) ?? 0;
  if (Math.abs(now - then) < 1e-9) return 'equal';
  return now < then ? 'lower' : 'higher';
}

export function resizeEffect(
  side: Side,
  reading: Reading<GroupReading>,
  target: SizeTarget | null,
): ResizeEffect | null {
  if (target === null || !reading.known || reading.value.size === null) return null;
  const size = reading.value.size;
  const desired = target.desired;
  const wrong = target.exact
    ? size.min !== target.min || (desired !== null && size.desired !== desired)
    : size.min < target.min;
  if (!wrong) return null;
  return { kind: 'resize', side, min: target.min, desired, shrinks: desired !== null && desired < size.desired };
}

/** What gives the destination less is written first: a command that is cut off in the middle has not given it more than asked. */
function lessFirst(plan: BackendPlan, { servers }: BackendReading, targets: Targets): ServerReading[] {
  const isLess = ({ name, weight }: ServerReading) => {
    const change = (targets[name]?.weight ?? weight) - weight;
    return sideOf(plan, name) === 'destination' ? change < 0 : change > 0;
  };
  return [...servers.filter(isLess), ...servers.filter((server) => !isLess(server))];
}

/** The origin takes requests now: a destination in maint leaves nobody without a server. */
function carriesAlready(plan: BackendPlan, reading: BackendReading): boolean {
  return reading.servers.some(
    (server) => sideOf(plan, server.name) === 'origin' && server.health !== 'down' && carried(server) > 0,
  );
}

function raises(plan: BackendPlan, reading: BackendReading, targets: Targets): boolean {
  // Both as the weights say and as they work now: what is down lets those weigh more that are up.
  const views = [reading, withoutDown(reading)];
  return views.some((view) => deviation(plan, view, targets) === 'lower') || wakesDestination(plan, reading, targets);
}

/** A destination server that gets weight or leaves maint raises, even where the origin's change hides it in the sum. */
function wakesDestination(plan: BackendPlan, reading: BackendReading, targets: Targets): boolean {
  return reading.servers.some((server) => {
    const target = targets[server.name];
    if (target === undefined || sideOf(plan, server.name) !== 'destination') return false;
    return carried(server) === 0 && carriedBy(server, target) > 0;
  });
}

function effective(plan: BackendPlan, reading: BackendReading, targets: Targets, side: Side): number[] {
  return reading.servers
    .filter((server) => sideOf(plan, server.name) === side)
    .map((server) => {
      const target = targets[server.name];
      return target === undefined ? carried(server) : carriedBy(server, target);
    });
}

function carried(server: ServerReading): number {
  return server.admin === 'ready' ? server.weight : 0;
}

function carriedBy(server: ServerReading, target: ServerTarget): number {
  return (target.admin ?? server.admin) === 'ready' ? target.weight : 0;
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
