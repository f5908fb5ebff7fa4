import { type Graph, sizeOf } from './graph.ts';

/** What an order costs. All in the unit of the rates. */
export type Exposure = {
  /** Summed over all prefixes: the rate of the edges with exactly one side moved. */
  readonly sum: number;
  /** The largest of them. */
  readonly peak: number;
  /** The rate of calls whose callee has moved before its caller. */
  readonly calleeFirst: number;
};

/** What crosses after each step: `crossings[t]` after the first `t` services, so the first and the last are 0. */
export function crossingsOf(graph: Graph, order: ArrayLike<number>): Float64Array {
  const n = sizeOf(graph);
  const position = positionsOf(order, n);
  const crossings = new Float64Array(n + 1);
  for (let t = 0; t < n; t++) {
    const v = order[t] ?? 0;
    let change = 0;
    for (let edge = graph.start[v] ?? 0; edge < (graph.start[v + 1] ?? 0); edge++) {
      const isAfter = (position[graph.to[edge] ?? 0] ?? 0) > t;
      change += isAfter ? (graph.weight[edge] ?? 0) : -(graph.weight[edge] ?? 0);
    }
    crossings[t + 1] = t === n - 1 ? 0 : (crossings[t] ?? 0) + change;
  }
  return crossings;
}

export function exposureOf(graph: Graph, order: ArrayLike<number>): Exposure {
  const crossings = crossingsOf(graph, order);
  let [sum, peak] = [0, 0];
  for (const crossing of crossings) {
    sum += crossing;
    peak = Math.max(peak, crossing);
  }
  return { sum, peak, calleeFirst: calleeFirstOf(graph, order) };
}

export function calleeFirstOf(graph: Graph, order: ArrayLike<number>): number {
  const position = positionsOf(order, sizeOf(graph));
  let rate = 0;
  for (let v = 0; v < sizeOf(graph); v++)
    for (let edge = graph.start[v] ?? 0; edge < (graph.start[v + 1] ?? 0); edge++)
      if ((position[graph.to[edge] ?? 0] ?? 0) < (position[v] ?? 0)) rate += graph.calls[edge] ?? 0;
  return rate;
}

export function positionsOf(order: ArrayLike<number>, n: number): Int32Array {
  const position = new Int32Array(n);
  for (let t = 0; t < n; t++) position[order[t] ?? 0] = t;
  return position;
}

/** Sums of the same rates in another order differ by less than this. */
export function toleranceOf(graph: Graph): number {
  const all = graph.degree.reduce((sum, degree) => sum + degree, 0);
  return 1e-11 * all * Math.max(1, sizeOf(graph));
}

/** Without the last digits, which only tell in which order something was added up. */
export function told(sum: number): number {
  return Number(sum.toPrecision(12));
}

/** By sum, then peak, then calls that are callee first, then names. Below 0: `one` is better. */
export function compareOrders(graph: Graph, one: ArrayLike<number>, other: ArrayLike<number>): number {
  const [a, b] = [exposureOf(graph, one), exposureOf(graph, other)];
  const tolerance = toleranceOf(graph);
  for (const difference of [a.sum - b.sum, a.peak - b.peak, b.calleeFirst - a.calleeFirst])
    if (Math.abs(difference) > tolerance) return difference;
  for (let t = 0; t < sizeOf(graph); t++) if (one[t] !== other[t]) return (one[t] ?? 0) - (other[t] ?? 0);
  return 0;
}
