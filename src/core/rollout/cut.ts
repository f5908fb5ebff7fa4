import { aloneNow, leftAtOrigin } from './alone.ts';
import { configuredShare, withoutDown } from './effects.ts';
import type { Target } from './events.ts';
import type { Facts } from './facts.ts';
import { loadRps, sideRps } from './load.ts';
import type { Observation } from './observation.ts';
import { carriesNow } from './servers.ts';
import type { RolloutState } from './state.ts';
import { type Cut, carryingServers, shareLeft, shareLeftAt, shareOfTarget } from './targets.ts';
import type { Watch } from './watch.ts';

export type Cuttable = {
  readonly cut: Cut;
  /** The share that the origin cannot carry now, where a part is cut; else 0. */
  readonly beyondShare: number;
  /** Backends at which nothing is cut, because the destination stands alone there. */
  readonly alone: readonly string[];
};

type Load = { readonly origin: number; readonly destination: number };

/** What an earlier controller wrote down of the load says something of it for this long. */
const seenMsMax = 10 * 60_000;

/**
 * What may be cut at once. Nothing at a backend where the origin is known to be gone; fewer than all only where its capacity is
 * known not to carry the load, which the reserve forbids but the world may have brought about. `atLeast` so many are cut where
 * nothing that grows makes room.
 */
export function cuttable(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  facts: Facts,
  atLeast: number,
): Cuttable {
  const alone = aloneNow(state, watch, observation);
  const plans = state.plan.backends.filter(({ id }) => !alone.includes(id));
  // As if those backends were not there: an origin that is down at one of them may be up at another.
  const there = { ...state, plan: { ...state.plan, backends: plans } };
  const part = carriedPart(there, watch, observation, facts, atLeast);
  const rows = state.plan.backends.map(({ id }) => [id, alone.includes(id) ? [] : (part?.servers ?? 'all')] as const);
  return { cut: Object.fromEntries(rows), beyondShare: part?.beyondShare ?? 0, alone };
}

/** null: all. */
function carriedPart(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  facts: Facts,
  atLeast: number,
): { readonly servers: readonly string[]; readonly beyondShare: number } | null {
  const target = state.intended?.target;
  const load = loadOf(state, watch, observation);
  // The same servers as for what stands alone: one that nobody knows not to carry is counted in both.
  const standing = leftAtOrigin(state, observation);
  if (target === undefined || load === null || !standing.known || !facts.originInstanceRps.known) return null;
  const capacity = standing.value.length * facts.originInstanceRps.value;
  const total = load.origin + load.destination;
  const carrying = carryingServers(target.traffic, state.asFound, state.plan.backends);
  if (capacity >= total || carrying.length === 0) return null;
  const { alive, dead } = byLife(state, observation, carrying, facts);
  const parts = partsByBackend(state, watch, observation, target, alive) ?? evenParts(state, load, observation, alive);
  const destination = [...parts.values()].reduce((sum, rps) => sum + rps, 0);
  const servers = [...dead, ...fitting(alive, parts, capacity - (total - destination), atLeast)];
  const beyondShare = shareBeyond(state, watch, observation, total - capacity, servers) ?? 1 - capacity / total;
  return { servers, beyondShare };
}

/** Those whose traffic together has room at the origin, in their order; else the ones with the least, `atLeast` so many. */
function fitting(
  alive: readonly string[],
  parts: ReadonlyMap<string, number>,
  roomRps: number,
  atLeast: number,
): readonly string[] {
  const partOf = (name: string) => parts.get(name) ?? 0;
  const chosen: string[] = [];
  let restRps = Math.max(0, roomRps) + 1e-9;
  for (const name of alive) {
    if (partOf(name) > restRps) continue;
    chosen.push(name);
    restRps -= partOf(name);
  }
  if (chosen.length >= atLeast) return chosen;
  return alive.toSorted((one, other) => partOf(one) - partOf(other)).slice(0, atLeast);
}

/**
 * Requests per second that each of these servers gets, by name: one that is the last to carry at some backend has all of the
 * destination's traffic there. null: the load of some backend is not known.
 */
function partsByBackend(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  { traffic }: Target,
  alive: readonly string[],
): ReadonlyMap<string, number> | null {
  const parts = new Map<string, number>();
  for (const plan of state.plan.backends) {
    const origin = sideRps(watch.load, [plan.id], 'origin');
    const destination = sideRps(watch.load, [plan.id], 'destination');
    if (!origin.known || !destination.known) return null;
    // What was cut last may not be seen in the load yet; taken as if it were not cut, its room would be given away twice.
    const left = state.back === null ? 1 : (shareLeftAt(plan, traffic[plan.id], observation) ?? 0);
    const rps = Math.min(destination.value, (origin.value + destination.value) * left);
    const here = carryingServers(traffic, state.asFound, [plan]).filter((name) => alive.includes(name));
    const weightOf = (name: string) => traffic[plan.id]?.[name]?.weight ?? 0;
    const whole = here.reduce((sum, name) => sum + weightOf(name), 0);
    for (const name of here) parts.set(name, (parts.get(name) ?? 0) + (rps * weightOf(name)) / whole);
  }
  return parts;
}

/** The same where only the load of all backends together is known. */
function evenParts(
  state: RolloutState,
  load: Load,
  observation: Observation,
  alive: readonly string[],
): ReadonlyMap<string, number> {
  const traffic = state.intended?.target.traffic ?? {};
  const left = state.back === null ? 1 : (shareLeft(state, traffic, observation) ?? 0);
  const rps = Math.min(load.destination, (load.origin + load.destination) * left);
  return new Map(alive.map((name) => [name, rps / alive.length]));
}

/**
 * The share that leaves `beyondRps` at the destination once `cut` are cut, where no backend leaves it more than it has now: what
 * one of them has given back already the others do not give back as well. null: the load of some backend is not known.
 */
function shareBeyond(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
  beyondRps: number,
  cut: readonly string[],
): number | null {
  const rows: { readonly rps: number; readonly most: number }[] = [];
  for (const backend of state.plan.backends) {
    const rps = loadRps(watch.load, [backend.id]);
    if (!rps.known) return null;
    const reading = observation.backends[backend.id]?.reading;
    const now = reading?.known ? (configuredShare(backend, withoutDown(reading.value), {}) ?? 0) : 1;
    const targets = Object.entries(state.intended?.target.traffic[backend.id] ?? {});
    const kept = Object.fromEntries(targets.filter(([name]) => !cut.includes(name)));
    rows.push({ rps: rps.value, most: Math.min(now, shareLeftAt(backend, kept, observation) ?? 0) });
  }
  rows.sort((one, other) => one.most - other.most);
  let [restRps, rate] = [beyondRps, rows.reduce((sum, { rps }) => sum + rps, 0)];
  for (const { rps, most } of rows) {
    if (restRps <= rate * most) return rate === 0 ? null : restRps / rate;
    restRps -= rps * most;
    rate -= rps;
  }
  return 1;
}

/** What is left to a server that carries nothing the origin would get at once: those go first, and free of charge. */
function byLife(
  state: RolloutState,
  observation: Observation,
  carrying: readonly string[],
  { destinationAble }: Facts,
) {
  const able = new Set(destinationAble.known ? destinationAble.value : carrying);
  // One that is not able at every backend may be all that another one has.
  const isSent = (name: string) => able.has(name) || isSentSomething(state, observation, name);
  const alive = carrying.filter(isSent);
  return alive.length === 0 ? { alive: carrying, dead: [] } : { alive, dead: carrying.filter((name) => !isSent(name)) };
}

/** By the balancers alone, which send by their own word; one that is not read may. */
function isSentSomething(state: RolloutState, { backends }: Observation, name: string): boolean {
  return state.plan.backends.some(({ id }) => {
    const reading = backends[id]?.reading;
    if (!reading?.known) return true;
    const server = reading.value.servers.find((one) => one.name === name);
    return server !== undefined && carriesNow(server);
  });
}

/**
 * Requests per second of both groups: as this controller has counted, else as the one before wrote down of late, over all its
 * backends. null: nobody knows.
 */
function loadOf(state: RolloutState, watch: Watch, observation: Observation): Load | null {
  const ids = state.plan.backends.map(({ id }) => id);
  const origin = sideRps(watch.load, ids, 'origin');
  const destination = sideRps(watch.load, ids, 'destination');
  if (origin.known && destination.known) return { origin: origin.value, destination: destination.value };
  const { loadRps, share } = state.seen;
  if (loadRps === null || observation.nowMs - state.checkpointAtMs > seenMsMax) return null;
  const part = share ?? shareOfTarget(state, state.intended?.target.traffic ?? {});
  return { origin: loadRps * (1 - part), destination: loadRps * part };
}
