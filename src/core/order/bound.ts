import { type Graph, sizeOf } from './graph.ts';

/**
 * No order has a smaller sum: around a service at most two others stand at each distance, so its edges cost no less than the heaviest
 * two once, the next two twice … ; each edge is counted at both of its ends (the degree bound of Petit, 2003).
 */
export function degreeBound(graph: Graph): number {
  let sum = 0;
  for (let v = 0; v < sizeOf(graph); v++) {
    const first = graph.start[v] ?? 0;
    for (let edge = first; edge < (graph.start[v + 1] ?? 0); edge++)
      sum += (graph.weight[edge] ?? 0) * distanceAt(edge - first);
  }
  return sum / 2;
}

/** Of the nearest places to both sides, the `index`-th: 1, 1, 2, 2, 3 … */
export function distanceAt(index: number): number {
  return (index >> 1) + 1;
}
