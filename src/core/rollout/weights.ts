/** HAProxy's range for a server's weight. */
const weightMax = 256;

export type WeighedServer = {
  readonly name: string;
  /** The weight whose ratios are to be kept, ≥ 1. */
  readonly base: number;
  /** false: it gets no traffic now (down, in maint), so it is weighed for its return but does not count in the share. */
  readonly carries: boolean;
};

/**
 * Weights for one backend that bring the destination's share to `share` (0..1) of what its carrying servers get.
 * Ratios within the origin are kept; the destination's servers are equal, since their configured weight is 0 and tells no
 * ratio. Share = Σ destination weights / Σ all weights. The origin is left as found where integers allow it.
 */
export function weightsForShare(
  origin: readonly WeighedServer[],
  destinationServers: readonly string[],
  share: number,
): Record<string, number> {
  const found = carried(origin, 1);
  if (share <= 0 || destinationServers.length === 0) return assign(origin, 1, destinationServers, 0);
  if (share >= 1) return assign(origin, 0, destinationServers, fullWeight(origin));
  if (found === 0) return assign(origin, 1, destinationServers, fullWeight(origin));
  let best = candidate(origin, destinationServers, share, 1);
  if (best.error <= 0.0005) return best.weights;
  for (const scale of scales(origin)) {
    const next = candidate(origin, destinationServers, share, scale);
    if (next.error < best.error - 1e-6) best = next;
    if (best.error <= 0.0005) break;
  }
  return best.weights;
}

/**
 * Weights of the drill: one destination server at 1, the origin as found where that gives the server at most `shareMost`, else
 * scaled up until it does, or as far as the balancer's range goes. Ratios within the origin are kept.
 */
export function weightsForDrill(
  origin: readonly WeighedServer[],
  server: string,
  shareMost: number,
): Record<string, number> {
  const largest = fullWeight(origin);
  let best = assign(origin, 1, [server], drillWeight);
  let least = shareBesideOne(origin, 1);
  for (let top = largest + 1; top <= weightMax && least > shareMost; top++) {
    const share = shareBesideOne(origin, top / largest);
    if (share >= least || bend(origin, top / largest) > bendMax) continue;
    [best, least] = [assign(origin, top / largest, [server], drillWeight), share];
  }
  return best;
}

/** Of the drill's server, whatever the others have. */
export const drillWeight = 1;

/** A server's part of its group may change by this much of itself where integers cannot keep it. */
const bendMax = 0.01;

function shareBesideOne(origin: readonly WeighedServer[], scale: number): number {
  return 1 / (1 + carried(origin, scale));
}

/** The weight of a destination server that carries as much as the strongest origin server. */
export function fullWeight(origin: readonly WeighedServer[]): number {
  return Math.max(1, ...origin.map((server) => server.base));
}

/** The share that weights make among servers that all carry traffic; null: no weight at all. */
export function shareOfWeights(origin: readonly number[], destination: readonly number[]): number | null {
  const total = sum(origin) + sum(destination);
  return total === 0 ? null : sum(destination) / total;
}

type Candidate = { readonly weights: Record<string, number>; readonly error: number };

/** The best destination weight for an origin scaled by `scale`; the error counts the share and, lightly, bent ratios. */
function candidate(
  origin: readonly WeighedServer[],
  names: readonly string[],
  share: number,
  scale: number,
): Candidate {
  const total = carried(origin, scale);
  const ideal = (total * share) / ((1 - share) * names.length);
  const weight = Math.min(weightMax, Math.max(1, Math.round(ideal)));
  const made = (weight * names.length) / (weight * names.length + total);
  return { weights: assign(origin, scale, names, weight), error: Math.abs(made - share) + 0.05 * bend(origin, scale) };
}

/** Largest relative change of a server's part of its group. */
function bend(origin: readonly WeighedServer[], scale: number): number {
  const scaled = origin.map((server) => scaledWeight(server, scale));
  const before = sum(origin.map((server) => server.base));
  const after = sum(scaled);
  let most = 0;
  for (const [index, server] of origin.entries()) {
    const was = server.base / before;
    most = Math.max(most, Math.abs((scaled[index] ?? 0) / after - was) / was);
  }
  return most;
}

function carried(origin: readonly WeighedServer[], scale: number): number {
  return sum(origin.filter((server) => server.carries).map((server) => scaledWeight(server, scale)));
}

function scales(origin: readonly WeighedServer[]): number[] {
  const largest = fullWeight(origin);
  const list: number[] = [];
  for (let top = weightMax; top >= 1; top--) list.push(top / largest);
  return list;
}

function scaledWeight(server: WeighedServer, scale: number): number {
  return scale === 0 ? 0 : Math.min(weightMax, Math.max(1, Math.round(server.base * scale)));
}

function assign(
  origin: readonly WeighedServer[],
  scale: number,
  names: readonly string[],
  weight: number,
): Record<string, number> {
  const weights: Record<string, number> = {};
  for (const server of origin) weights[server.name] = scaledWeight(server, scale);
  for (const name of names) weights[name] = weight;
  return weights;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
