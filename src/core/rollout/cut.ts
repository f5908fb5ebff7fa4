import type { Reading } from '../observed/reading.ts';
import { aloneNow, leftAtOrigin } from './alone.ts';
import type { Target } from './events.ts';
import type { Facts } from './facts.ts';
import { recentMs, sideRps } from './load.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { carriesNow, isOurs, type Side } from './servers.ts';
import type { RolloutState } from './state.ts';
import { type Cut, carryingServers, sentAt, shareLeftAt, shareOfTarget, trafficCut } from './targets.ts';
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
  const rows = state.plan.backends.map(
    ({ id }) => [id, alone.includes(id) ? 'none' : (part?.servers ?? 'all')] as const,
  );
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
  const standing = standingAtOrigin(state, watch, observation);
  if (target === undefined || load === null || standing === null || !facts.originInstanceRps.known) return null;
  const capacity = standing * facts.originInstanceRps.value;
  const total = load.origin + load.destination;
  const carrying = carryingServers(target.traffic, state.asFound, state.plan.backends);
  if (capacity >= total || carrying.length === 0) return null;
  const { alive, dead } = byLife(state, observation, carrying, facts);
  const rows = rowsOf(state, watch, observation, load);
  const originRps = (names: readonly string[]) => originAfter(state, observation, rows, [...dead, ...names]);
  const servers = [...dead, ...fitting(byTraffic(alive, rows), originRps, capacity, atLeast)];
  const beyondShare = shareBeyond(state, observation, rows, total - capacity, servers) ?? 1 - capacity / total;
  return { servers, beyondShare };
}

/**
 * How many servers of the origin may carry, the same as for what stands alone: one that nobody knows not to carry is counted in
 * both, and so is one that only a balancer has which cannot be read. Where none can be read those of just before count. null: nobody
 * knows.
 */
function standingAtOrigin(state: RolloutState, { originAble }: Watch, observation: Observation): number | null {
  const isRead = ({ id }: BackendPlan) => observation.backends[id]?.reading.known === true;
  const read = state.plan.backends.filter(isRead);
  const left = leftAtOrigin({ ...state, plan: { ...state.plan, backends: read } }, observation);
  const before = originAble.at(-1);
  if (read.length === 0)
    return before !== undefined && observation.nowMs - before.atMs <= recentMs ? before.count : null;
  if (!left.known) return null;
  const seen = read.flatMap((plan) => originNames(state, plan));
  const unseen = state.plan.backends.filter((plan) => !isRead(plan)).flatMap((plan) => originNames(state, plan));
  return left.value.length + new Set(unseen.filter((name) => !seen.includes(name))).size;
}

function originNames(state: RolloutState, { id }: BackendPlan): string[] {
  return Object.entries(state.asFound.backends[id] ?? {}).flatMap(([name, { side, weight }]) =>
    side === 'origin' && weight > 0 && isOurs(state, id, name) ? [name] : [],
  );
}

/** As many as leave the origin what it can carry, those with the least traffic first; else as many of these as `atLeast` says. */
function fitting(
  alive: readonly string[],
  originRps: (cut: readonly string[]) => number,
  capacityRps: number,
  atLeast: number,
): readonly string[] {
  let [some, many] = [0, alive.length];
  while (some < many) {
    const middle = Math.ceil((some + many) / 2);
    if (originRps(alive.slice(0, middle)) <= capacityRps + 1e-9) some = middle;
    else many = middle - 1;
  }
  return alive.slice(0, Math.max(some, atLeast));
}

/** One backend's traffic, requests per second: all of it, and what its destination gets now, by the weight of those who get it. */
type Row = {
  readonly plan: BackendPlan;
  readonly rps: number;
  readonly destinationRps: number;
  readonly weight: number;
  readonly weights: ReadonlyMap<string, number>;
  readonly share: number;
};

/** Backends whose load is not known share evenly what the others leave of that of all. */
function rowsOf(state: RolloutState, watch: Watch, observation: Observation, load: Load): readonly Row[] {
  const { backends } = state.plan;
  const counted = (side: Side) => backends.map(({ id }) => sideRps(watch.load, [id], side));
  const of = {
    origin: filledUp(counted('origin'), load.origin),
    destination: filledUp(counted('destination'), load.destination),
  };
  const now = cutAt(backends, state, observation, []);
  return backends.map((plan, index) => {
    const destination = of.destination[index] ?? 0;
    const rps = (of.origin[index] ?? 0) + destination;
    const share = shareLeftAt(plan, now[plan.id], observation) ?? 0;
    // What was cut last may not be seen in the load yet; taken as if it were not cut, its room would be given away twice.
    const destinationRps = Math.min(destination, state.back === null ? rps : rps * share);
    const sent = sentAt(plan, now[plan.id], observation);
    const weights = new Map(sent.map((name) => [name, now[plan.id]?.[name]?.weight ?? 0]));
    return {
      plan,
      rps,
      destinationRps,
      share,
      weights,
      weight: [...weights.values()].reduce((sum, one) => sum + one, 0),
    };
  });
}

function filledUp(rates: readonly Reading<number>[], total: number): readonly number[] {
  const seen = rates.reduce((sum, rate) => sum + (rate.known ? rate.value : 0), 0);
  const each = Math.max(0, total - seen) / rates.filter(({ known }) => !known).length;
  return rates.map((rate) => (rate.known ? rate.value : each));
}

/** The ones with the least traffic first, all backends together; else in their order. */
function byTraffic(names: readonly string[], rows: readonly Row[]): readonly string[] {
  const traffic = (name: string) =>
    rows.reduce(
      (sum, { weights, weight, destinationRps }) =>
        sum + (weight === 0 ? 0 : (destinationRps * (weights.get(name) ?? 0)) / weight),
      0,
    );
  const rates = new Map(names.map((name) => [name, traffic(name)]));
  return names.toSorted((one, other) => (rates.get(one) ?? 0) - (rates.get(other) ?? 0));
}

/**
 * Requests per second that the origin gets once these are cut, at all backends together: what each of them gets now. That the
 * others get it instead, where the origin has little weight, is not counted on: they may not be able to carry it.
 */
function originAfter(
  state: RolloutState,
  observation: Observation,
  rows: readonly Row[],
  cut: readonly string[],
): number {
  const plans = rows.map(({ plan }) => plan);
  const traffic = cutAt(plans, state, observation, cut);
  return rows.reduce((sum, { plan, rps, destinationRps, weight }) => {
    const kept = weight === 0 ? 0 : weightSent(plan, traffic[plan.id], observation) / weight;
    return sum + rps - destinationRps * kept;
  }, 0);
}

function cutAt(
  plans: readonly BackendPlan[],
  state: RolloutState,
  observation: Observation,
  names: readonly string[],
): Target['traffic'] {
  return trafficCut(state, observation, Object.fromEntries(plans.map(({ id }) => [id, names])));
}

function weightSent(
  plan: BackendPlan,
  targets: Target['traffic'][string] | undefined,
  observation: Observation,
): number {
  return sentAt(plan, targets, observation).reduce((sum, name) => sum + (targets?.[name]?.weight ?? 0), 0);
}

/**
 * The share that leaves `beyondRps` at the destination once `cut` are cut, where no backend leaves it more than it has now: what
 * one of them has given back already the others do not give back as well. null: there is no load.
 */
function shareBeyond(
  state: RolloutState,
  observation: Observation,
  rows: readonly Row[],
  beyondRps: number,
  cut: readonly string[],
): number | null {
  const plans = rows.map(({ plan }) => plan);
  const traffic = cutAt(plans, state, observation, cut);
  const most = rows.map(({ plan, rps, share }) => ({
    rps,
    most: Math.min(share, shareLeftAt(plan, traffic[plan.id], observation) ?? 0),
  }));
  most.sort((one, other) => one.most - other.most);
  let [restRps, rate] = [beyondRps, most.reduce((sum, { rps }) => sum + rps, 0)];
  for (const row of most) {
    if (restRps <= rate * row.most) return rate === 0 ? null : restRps / rate;
    restRps -= row.rps * row.most;
    rate -= row.rps;
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
  const { loadRps, loadAtMs = state.checkpointAtMs, share } = state.seen;
  if (loadRps === null || observation.nowMs - loadAtMs > seenMsMax) return null;
  const part = share ?? shareOfTarget(state, state.intended?.target.traffic ?? {});
  return { origin: loadRps * (1 - part), destination: loadRps * part };
}
