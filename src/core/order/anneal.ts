import { Arrangement } from './arrangement.ts';
import { toleranceOf } from './exposure.ts';
import { type Graph, sizeOf } from './graph.ts';

export type Annealing = {
  /** Moves that are tried. */
  readonly proposals: number;
  /** The first temperature, in what an edge costs on average at the start. */
  readonly heat: number;
};

/** Between two looks of whoever may stop it. */
const proposalsAtOnce = 4096;
/** The last temperature, in average weights of an edge: nothing gets worse any more. */
const coldest = 0.02;
/** Of the proposals, so many put a service beside one that it has an edge with. */
const besideNeighbour = 0.6;

/**
 * Simulated annealing by single moves (as Petit 2001 found best after a spectral start), then moves to the best place until none
 * helps. Yields now and then; answers with the order that it ends with.
 */
export function* anneal(
  graph: Graph,
  from: ArrayLike<number>,
  { proposals, heat }: Annealing,
  chance: () => number,
): Generator<number, Int32Array> {
  const held = new Arrangement(graph, from);
  const n = sizeOf(graph);
  const edges = graph.to.length / 2;
  const average = graph.weight.reduce((sum, weight) => sum + weight, 0) / graph.to.length;
  const last = coldest * average;
  const first = Math.max(last, (heat * held.sum) / edges);
  for (let done = 0; done < proposals; done += proposalsAtOnce) {
    const progress = done / proposals;
    const temperature = first * (last / first) ** progress;
    const reach = Math.max(3, Math.ceil(n * (1 - progress) ** 2));
    tryMoves(held, chance, temperature, reach, Math.min(proposalsAtOnce, proposals - done));
    yield proposalsAtOnce;
  }
  yield* polish(held, chance);
  return held.order;
}

function tryMoves(held: Arrangement, chance: () => number, temperature: number, reach: number, times: number): void {
  const { start, to } = held.graph;
  const n = held.order.length;
  for (let time = 0; time < times; time++) {
    const v = Math.floor(chance() * n);
    const first = start[v] ?? 0;
    const i = held.position[v] ?? 0;
    let j: number;
    if (chance() < besideNeighbour) {
      const other = to[first + Math.floor(chance() * ((start[v + 1] ?? 0) - first))] ?? 0;
      const at = held.position[other] ?? 0;
      // Beside it, on the near side or on the far one.
      j = chance() < 0.5 ? at : at > i ? at - 1 : at + 1;
    } else j = i + Math.floor((chance() * 2 - 1) * reach);
    if (j < 0 || j >= n || j === i) continue;
    const change = held.change(v, j);
    if (change <= 0 || chance() < Math.exp(-change / temperature)) held.move(v, j, change);
  }
}

/** Places beyond this are looked at only beside neighbours. */
const placesMax = 400;

function* polish(held: Arrangement, chance: () => number): Generator<number, void> {
  const tolerance = toleranceOf(held.graph);
  const n = held.order.length;
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    const offset = Math.floor(chance() * n);
    for (let at = 0; at < n; at++) {
      const v = (at + offset) % n;
      const place = bestPlace(held, v);
      const change = held.change(v, place);
      if (change < -tolerance) {
        held.move(v, place, change);
        isBetter = true;
      }
      if (at % 64 === 63) yield 64 * Math.min(n, placesMax);
    }
  }
}

function bestPlace(held: Arrangement, v: number): number {
  const i = held.position[v] ?? 0;
  let [best, least] = [i, 0];
  const look = (j: number) => {
    if (j < 0 || j >= held.order.length || j === i) return;
    const change = held.change(v, j);
    if (change < least) [best, least] = [j, change];
  };
  if (held.order.length <= placesMax) {
    for (let j = 0; j < held.order.length; j++) look(j);
    return best;
  }
  const { start, to } = held.graph;
  for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++) {
    const at = held.position[to[edge] ?? 0] ?? 0;
    for (let j = at - 1; j <= at + 1; j++) look(j);
  }
  for (let j = i - 8; j <= i + 8; j++) look(j);
  return best;
}
