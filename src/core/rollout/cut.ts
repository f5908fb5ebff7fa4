import { aloneNow, leftAtOrigin } from './alone.ts';
import { configuredShare, withoutDown } from './effects.ts';
import type { Facts } from './facts.ts';
import { loadRps, sideRps } from './load.ts';
import type { Observation } from './observation.ts';
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
  // What was cut last may not be seen in the load yet; taken as if it were not cut, its room would be given away twice.
  const left = state.back === null ? 1 : (shareLeft(state, target.traffic, observation) ?? 0);
  const destination = Math.min(load.destination, total * left);
  const room = destination === 0 ? 0 : Math.max(0, capacity - (total - destination)) / destination;
  const { alive, dead } = byLife(carrying, facts);
  const count = Math.min(alive.length, Math.max(atLeast, Math.floor(room * alive.length)));
  const beyondShare = shareBeyond(state, watch, observation, total - capacity) ?? 1 - capacity / total;
  return { servers: [...dead, ...alive.slice(0, count)], beyondShare };
}

/**
 * The share that leaves `beyondRps` at the destination, where no backend leaves it more than it has now: what one of them has
 * given back already the others do not give back as well. null: the load of some backend is not known.
 */
function shareBeyond(state: RolloutState, watch: Watch, observation: Observation, beyondRps: number): number | null {
  const rows: { readonly rps: number; readonly most: number }[] = [];
  for (const backend of state.plan.backends) {
    const rps = loadRps(watch.recent, [backend.id]);
    if (!rps.known) return null;
    const reading = observation.backends[backend.id]?.reading;
    const now = reading?.known ? (configuredShare(backend, withoutDown(reading.value), {}) ?? 0) : 1;
    const wanted = shareLeftAt(backend, state.intended?.target.traffic[backend.id], observation) ?? 0;
    rows.push({ rps: rps.value, most: Math.min(now, wanted) });
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
function byLife(carrying: readonly string[], { destinationAble }: Facts) {
  const able = new Set(destinationAble.known ? destinationAble.value : carrying);
  const alive = carrying.filter((name) => able.has(name));
  return alive.length === 0
    ? { alive: carrying, dead: [] }
    : { alive, dead: carrying.filter((name) => !able.has(name)) };
}

/**
 * Requests per second of both groups: as this controller has counted, else as the one before wrote down of late, over all its
 * backends. null: nobody knows.
 */
function loadOf(
  state: RolloutState,
  watch: Watch,
  observation: Observation,
): { readonly origin: number; readonly destination: number } | null {
  const ids = state.plan.backends.map(({ id }) => id);
  const origin = sideRps(watch.recent, ids, 'origin');
  const destination = sideRps(watch.recent, ids, 'destination');
  if (origin.known && destination.known) return { origin: origin.value, destination: destination.value };
  const { loadRps, share } = state.seen;
  if (loadRps === null || observation.nowMs - state.checkpointAtMs > seenMsMax) return null;
  const part = share ?? shareOfTarget(state, state.intended?.target.traffic ?? {});
  return { origin: loadRps * (1 - part), destination: loadRps * part };
}
