import { type Graph, sizeOf } from './graph.ts';

/** Graphs of this size are not contracted further. */
const smallest = 60;

/**
 * Services by their places in the second eigenvector of the Laplacian (Fiedler), which minimises the squared lengths of the edges:
 * found on a contraction of the graph, and smoothed while that is undone.
 */
export function spectralOrder(graph: Graph, chance: () => number): Int32Array {
  const places = fiedler(graph, chance);
  return Int32Array.from(Array.from(places.keys()).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0) || a - b));
}

function fiedler(graph: Graph, chance: () => number): Float64Array {
  const n = sizeOf(graph);
  if (n <= smallest) return smoothed(graph, random(n, chance), 400);
  const merged = matching(graph, chance);
  const groups = Math.max(...merged) + 1;
  // A star gets no smaller by pairs.
  if (groups > 0.95 * n) return smoothed(graph, random(n, chance), 400);
  const coarse = fiedler(contracted(graph, merged, groups), chance);
  return smoothed(
    graph,
    merged.map((group) => coarse[group] ?? 0),
    40,
  );
}

function random(n: number, chance: () => number): Float64Array {
  return Float64Array.from({ length: n }, () => chance() - 0.5);
}

/** Each with the neighbour to which its edge is the heaviest beside what that one has. */
function matching({ names, start, to, weight, degree }: Graph, chance: () => number): Float64Array {
  const group = new Float64Array(names.length).fill(-1);
  let next = 0;
  const shift = Math.floor(chance() * names.length);
  for (let at = 0; at < names.length; at++) {
    const v = (at + shift) % names.length;
    if (group[v] !== -1) continue;
    let [mate, most] = [v, 0];
    for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++) {
      const other = to[edge] ?? 0;
      const pull = (weight[edge] ?? 0) / (degree[other] ?? 1);
      if (group[other] === -1 && pull > most) [mate, most] = [other, pull];
    }
    group[v] = next;
    group[mate] = next;
    next += 1;
  }
  return group;
}

function contracted({ names, start, to, weight }: Graph, group: Float64Array, groups: number): Graph {
  const rows: Map<number, number>[] = Array.from({ length: groups }, () => new Map());
  for (let v = 0; v < names.length; v++) {
    const from = group[v] ?? 0;
    for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++) {
      const other = group[to[edge] ?? 0] ?? 0;
      if (other !== from) rows[from]?.set(other, (rows[from]?.get(other) ?? 0) + (weight[edge] ?? 0));
    }
  }
  const count = rows.reduce((sum, row) => sum + row.size, 0);
  const made = {
    names: rows.map(() => ''),
    start: new Int32Array(groups + 1),
    to: new Int32Array(count),
    weight: new Float64Array(count),
    calls: new Float64Array(count),
    degree: new Float64Array(groups),
  };
  let next = 0;
  for (const [from, row] of rows.entries()) {
    made.start[from] = next;
    for (const [other, sum] of row) {
      made.to[next] = other;
      made.weight[next] = sum;
      made.degree[from] = (made.degree[from] ?? 0) + sum;
      next += 1;
    }
  }
  made.start[groups] = next;
  return made;
}

/** Each goes halfway to the mean of its neighbours, again and again, and all stay centred and as far apart. */
function smoothed({ names, start, to, weight, degree }: Graph, places: Float64Array, times: number): Float64Array {
  const n = names.length;
  let now = centred(places, degree);
  for (let time = 0; time < times; time++) {
    const next = new Float64Array(n);
    for (let v = 0; v < n; v++) {
      let pull = 0;
      for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++)
        pull += (weight[edge] ?? 0) * (now[to[edge] ?? 0] ?? 0);
      next[v] = 0.5 * ((now[v] ?? 0) + pull / Math.max(degree[v] ?? 0, Number.MIN_VALUE));
    }
    now = centred(next, degree);
  }
  return now;
}

function centred(places: Float64Array, degree: Float64Array): Float64Array {
  let [sum, all] = [0, 0];
  for (const [v, own] of degree.entries()) {
    sum += own * (places[v] ?? 0);
    all += own;
  }
  const mean = sum / all;
  const length = Math.sqrt(places.reduce((squares, place) => squares + (place - mean) ** 2, 0));
  return places.map((place) => (place - mean) / Math.max(length, Number.MIN_VALUE));
}
