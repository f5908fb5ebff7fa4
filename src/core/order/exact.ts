import { toleranceOf } from './exposure.ts';
import { type Graph, sizeOf } from './graph.ts';
import { Sets } from './sets.ts';

/** Between two looks of whoever may stop it. */
const setsAtOnce = 2048;

export type Proof =
  | { readonly kind: 'proved'; readonly order: Int32Array }
  /** There were too many sets. No order has a smaller sum than `bound`. */
  | { readonly kind: 'given up'; readonly bound: number };

/**
 * The best order: a dynamic programme over sets of services that have moved, one service more in each layer (Held and Karp's), without
 * the sets from which no order can be as good as `upper`, a sum that some order has. Among orders of the least sum it takes those of the
 * least peak, then of the most calls that are callee first, then the first by name. Yields now and then.
 */
export function* prove(graph: Graph, upper: number, setsMax: number): Generator<number, Proof> {
  const sets = new Sets(graph, setsMax);
  const tolerance = toleranceOf(graph);
  const layers = [0];
  let bound = 0;
  for (let placed = 0; placed < sizeOf(graph); placed++) {
    const [from, to] = [layers[placed] ?? 0, sets.count];
    let least = Number.POSITIVE_INFINITY;
    for (let set = from; set < to; set++) {
      if (set % setsAtOnce === 0) yield setsAtOnce;
      sets.open(set);
      const possible = (sets.sum[set] ?? 0) + sets.restAtLeast();
      if (possible > upper + tolerance) continue;
      least = Math.min(least, possible);
      // A layer that was not looked at whole says nothing.
      if (!sets.extend(set)) return { kind: 'given up', bound };
    }
    bound = Math.max(bound, Math.min(least, upper));
    layers.push(to);
  }
  return { kind: 'proved', order: yield* choose(graph, sets, layers) };
}

type Ahead = {
  /** The least peak of what is still to come; infinite: no order of the least sum goes through this set. */
  readonly peak: Float64Array;
  /** The most calls that are callee first of it, among orders whose peak is the least; below 0: there is none. */
  readonly calleeFirst: Float64Array;
};

function* choose(graph: Graph, sets: Sets, layers: readonly number[]): Generator<number, Int32Array> {
  const ahead = {
    peak: new Float64Array(sets.count).fill(Number.POSITIVE_INFINITY),
    calleeFirst: new Float64Array(sets.count).fill(-1),
  };
  const last = sets.count - 1;
  ahead.peak[last] = 0;
  ahead.calleeFirst[last] = 0;
  for (let set = last - 1; set >= 0; set--) {
    if (set % setsAtOnce === 0) yield setsAtOnce;
    ahead.peak[set] = leastPeak(sets, ahead, set);
  }
  const peak = (ahead.peak[0] ?? 0) + toleranceOf(graph);
  for (let set = last - 1; set >= 0; set--) {
    if (set % setsAtOnce === 0) yield setsAtOnce;
    if (Number.isFinite(ahead.peak[set])) ahead.calleeFirst[set] = mostCalleeFirst(sets, ahead, set, peak);
  }
  return walk(graph, sets, ahead, peak, layers.length - 1);
}

function leastPeak(sets: Sets, ahead: Ahead, set: number): number {
  let least = Number.POSITIVE_INFINITY;
  sets.open(set);
  sets.eachBest(set, (_v, next, crossing) => {
    least = Math.min(least, Math.max(crossing, ahead.peak[next] ?? 0));
  });
  return least;
}

function mostCalleeFirst(sets: Sets, ahead: Ahead, set: number, peak: number): number {
  let most = -1;
  sets.open(set);
  sets.eachBest(set, (v, next, crossing) => {
    const rest = ahead.calleeFirst[next] ?? -1;
    if (crossing <= peak && rest >= 0) most = Math.max(most, rest + sets.calleesBefore(v));
  });
  return most;
}

function walk(graph: Graph, sets: Sets, ahead: Ahead, peak: number, steps: number): Int32Array {
  const tolerance = toleranceOf(graph);
  const order = new Int32Array(steps);
  let set = 0;
  for (let step = 0; step < steps; step++) {
    const wanted = (ahead.calleeFirst[set] ?? 0) - tolerance;
    let chosen = -1;
    sets.open(set);
    sets.eachBest(set, (v, next, crossing) => {
      const rest = ahead.calleeFirst[next] ?? -1;
      if (chosen !== -1 || crossing > peak || rest < 0 || rest + sets.calleesBefore(v) < wanted) return;
      chosen = next;
      order[step] = v;
    });
    if (chosen === -1) throw new Error('the best order goes through a set that was not kept');
    set = chosen;
  }
  return order;
}
