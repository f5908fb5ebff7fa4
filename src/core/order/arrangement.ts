import { crossingsOf, positionsOf } from './exposure.ts';
import { type Graph, sizeOf } from './graph.ts';

/**
 * An order that one service after the other is moved in. What a move changes is known without making it, in the time of the
 * service's own edges: with `cut[t]` what crosses after the first `t` services, a service that goes from place i to a later place j
 * leaves the sets of the first i+1 … j services as the next larger ones without it, whose crossings are cut[t+1] plus what it has with
 * them, twice, minus all that it has.
 */
export class Arrangement {
  readonly graph: Graph;
  readonly order: Int32Array;
  readonly position: Int32Array;
  readonly cut: Float64Array;
  sum: number;
  readonly #near: Float64Array;

  constructor(graph: Graph, order: ArrayLike<number>) {
    this.graph = graph;
    this.order = Int32Array.from(order);
    this.position = positionsOf(this.order, sizeOf(graph));
    this.cut = crossingsOf(graph, this.order);
    this.sum = this.cut.reduce((sum, crossing) => sum + crossing, 0);
    this.#near = new Float64Array(sizeOf(graph) + 1);
  }

  /** What the sum would change by if `v` stood at the place `j`, and the others moved up. */
  change(v: number, j: number): number {
    const { start, to, weight, degree } = this.graph;
    const i = this.position[v] ?? 0;
    const end = start[v + 1] ?? 0;
    const own = degree[v] ?? 0;
    let inside = 0;
    if (j > i) {
      for (let edge = start[v] ?? 0; edge < end; edge++) {
        const at = this.position[to[edge] ?? 0] ?? 0;
        if (at < i) inside += (weight[edge] ?? 0) * (j - i);
        else if (at <= j) inside += (weight[edge] ?? 0) * (j - at + 1);
      }
      return (this.cut[j + 1] ?? 0) - (this.cut[i + 1] ?? 0) + 2 * inside - (j - i) * own;
    }
    for (let edge = start[v] ?? 0; edge < end; edge++) {
      const at = this.position[to[edge] ?? 0] ?? 0;
      if (at < j) inside += (weight[edge] ?? 0) * (i - j);
      else if (at < i) inside += (weight[edge] ?? 0) * (i - at - 1);
    }
    return (this.cut[j] ?? 0) - (this.cut[i] ?? 0) + (i - j) * own - 2 * inside;
  }

  /** `change`: what `change(v, j)` says. */
  move(v: number, j: number, change: number): void {
    const i = this.position[v] ?? 0;
    if (j > i) this.#later(v, i, j);
    else if (j < i) this.#earlier(v, i, j);
    this.sum += change;
  }

  #later(v: number, i: number, j: number): void {
    const { order, position, cut } = this;
    let inside = this.#mark(v, i);
    const own = this.graph.degree[v] ?? 0;
    for (let t = i + 1; t <= j; t++) {
      inside += this.#near[t] ?? 0;
      cut[t] = (cut[t + 1] ?? 0) + 2 * inside - own;
      const other = order[t] ?? 0;
      order[t - 1] = other;
      position[other] = t - 1;
    }
    this.#unmark(v);
    order[j] = v;
    position[v] = j;
  }

  #earlier(v: number, i: number, j: number): void {
    const { order, position, cut } = this;
    let inside = this.#mark(v, i - 1);
    const own = this.graph.degree[v] ?? 0;
    for (let t = i; t > j; t--) {
      // The first t − 1 services.
      cut[t] = (cut[t - 1] ?? 0) + own - 2 * inside;
      const other = order[t - 1] ?? 0;
      inside -= this.#near[t - 2] ?? 0;
      order[t] = other;
      position[other] = t;
    }
    this.#unmark(v);
    order[j] = v;
    position[v] = j;
  }

  /** Lays the weights of `v`'s edges at the places of the others; answers with what it has with those before the place. */
  #mark(v: number, before: number): number {
    const { start, to, weight } = this.graph;
    let inside = 0;
    for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++) {
      const at = this.position[to[edge] ?? 0] ?? 0;
      this.#near[at] = weight[edge] ?? 0;
      if (at < before) inside += weight[edge] ?? 0;
    }
    return inside;
  }

  /** Called while the places are half moved: all that may be marked lies within one place of where it is now. */
  #unmark(v: number): void {
    const { start, to } = this.graph;
    for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++) {
      const at = this.position[to[edge] ?? 0] ?? 0;
      this.#near[at] = 0;
      this.#near[at + 1] = 0;
      if (at > 0) this.#near[at - 1] = 0;
    }
  }
}
