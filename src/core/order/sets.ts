import { distanceAt } from './bound.ts';
import { toleranceOf } from './exposure.ts';
import { type Graph, sizeOf } from './graph.ts';

/** Sets of services are kept as two numbers of 26 bits. */
const half = 26;
export const exactServicesMax = 2 * half;
/** With so few services every set has its place in an array; else sets are looked up by their number. */
const arrayServicesMax = 24;

/** Sets of services that have moved first, each with the least sum up to it. One of them is open: the others are asked about that. */
export class Sets {
  count = 0;
  sum = new Float64Array(1024);
  #crossing = new Float64Array(1024);
  #low = new Int32Array(1024);
  #high = new Int32Array(1024);
  readonly #graph: Graph;
  readonly #max: number;
  readonly #tolerance: number;
  readonly #places: Map<number, number> | Int32Array;
  readonly #twins: Int32Array;
  readonly #isIn: Uint8Array;
  /** What each service that is not in the open set has with those in it. */
  readonly #inside: Float64Array;
  readonly #sorted: Float64Array;
  #open = 0;

  /** `max`: more are not kept. At first there is the empty one, with the number 0. */
  constructor(graph: Graph, max: number) {
    const n = sizeOf(graph);
    this.#graph = graph;
    this.#max = max;
    this.#tolerance = toleranceOf(graph);
    this.#places = n <= arrayServicesMax ? new Int32Array(2 ** n).fill(-1) : new Map();
    this.#twins = twinsOf(graph);
    this.#isIn = new Uint8Array(n);
    this.#inside = new Float64Array(n);
    this.#sorted = new Float64Array(n);
    this.#add(0, 0, 0, 0);
  }

  open(set: number): void {
    const { start, to, weight } = this.#graph;
    this.#open = set;
    const [low, high] = [this.#low[set] ?? 0, this.#high[set] ?? 0];
    for (let v = 0; v < this.#isIn.length; v++) this.#isIn[v] = v < half ? (low >> v) & 1 : (high >> (v - half)) & 1;
    for (let v = 0; v < this.#isIn.length; v++) {
      if (this.#isIn[v] === 1) continue;
      let inside = 0;
      for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++)
        if (this.#isIn[to[edge] ?? 0] === 1) inside += weight[edge] ?? 0;
      this.#inside[v] = inside;
    }
  }

  /**
   * What an order that begins with the open set costs after it, at least: each edge into the set lasts until its other side moves, the
   * heaviest first; and those among the others as in the degree bound.
   */
  restAtLeast(): number {
    const { start, to, weight } = this.#graph;
    let count = 0;
    let among = 0;
    for (let v = 0; v < this.#isIn.length; v++) {
      if (this.#isIn[v] === 1) continue;
      const inside = this.#inside[v] ?? 0;
      let at = count++;
      for (; at > 0 && (this.#sorted[at - 1] ?? 0) < inside; at--) this.#sorted[at] = this.#sorted[at - 1] ?? 0;
      this.#sorted[at] = inside;
      let index = 0;
      for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++)
        if (this.#isIn[to[edge] ?? 0] === 0) among += (weight[edge] ?? 0) * distanceAt(index++);
    }
    let into = 0;
    for (let place = 1; place < count; place++) into += (this.#sorted[place] ?? 0) * place;
    return into + among / 2;
  }

  /** Every set with one service more than the open one. false: there is no room for them. */
  extend(set: number): boolean {
    for (let v = 0; v < this.#isIn.length; v++) {
      if (!this.#mayMove(v)) continue;
      const crossing = this.#crossingWith(v);
      const sum = (this.sum[set] ?? 0) + crossing;
      const next = this.#placeWith(v);
      if (next === -1) {
        if (this.count === this.#max) return false;
        const [low, high] = this.#bitsWith(v);
        this.#add(low, high, sum, crossing);
      } else if (sum < (this.sum[next] ?? 0)) this.sum[next] = sum;
    }
    return true;
  }

  /** Each service that may move next in an order of the least sum up to the set that it leads to. */
  eachBest(set: number, act: (v: number, next: number, crossing: number) => void): void {
    for (let v = 0; v < this.#isIn.length; v++) {
      if (!this.#mayMove(v)) continue;
      const next = this.#placeWith(v);
      if (next === -1) continue;
      const crossing = this.#crossing[next] ?? 0;
      if ((this.sum[set] ?? 0) + crossing <= (this.sum[next] ?? 0) + this.#tolerance) act(v, next, crossing);
    }
  }

  /** The rate at which `v` calls services of the open set. */
  calleesBefore(v: number): number {
    const { start, to, calls } = this.#graph;
    let rate = 0;
    for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++)
      if (this.#isIn[to[edge] ?? 0] === 1) rate += calls[edge] ?? 0;
    return rate;
  }

  /** Of services that are like one another the first by name moves first. */
  #mayMove(v: number): boolean {
    const twin = this.#twins[v] ?? -1;
    return this.#isIn[v] === 0 && (twin === -1 || this.#isIn[twin] === 1);
  }

  #crossingWith(v: number): number {
    return (this.#crossing[this.#open] ?? 0) + (this.#graph.degree[v] ?? 0) - 2 * (this.#inside[v] ?? 0);
  }

  #bitsWith(v: number): readonly [number, number] {
    const [low, high] = [this.#low[this.#open] ?? 0, this.#high[this.#open] ?? 0];
    return v < half ? [low | (1 << v), high] : [low, high | (1 << (v - half))];
  }

  #placeWith(v: number): number {
    const [low, high] = this.#bitsWith(v);
    return this.#places instanceof Map ? (this.#places.get(high * 2 ** half + low) ?? -1) : (this.#places[low] ?? -1);
  }

  #add(low: number, high: number, sum: number, crossing: number): void {
    const set = this.count++;
    if (set === this.sum.length) this.#grow();
    this.#low[set] = low;
    this.#high[set] = high;
    this.sum[set] = sum;
    this.#crossing[set] = crossing;
    if (this.#places instanceof Map) this.#places.set(high * 2 ** half + low, set);
    else this.#places[low] = set;
  }

  #grow(): void {
    const size = 2 * this.sum.length;
    const grown = <A extends Float64Array | Int32Array>(larger: A, array: A): A => {
      larger.set(array);
      return larger;
    };
    this.sum = grown(new Float64Array(size), this.sum);
    this.#crossing = grown(new Float64Array(size), this.#crossing);
    this.#low = grown(new Int32Array(size), this.#low);
    this.#high = grown(new Int32Array(size), this.#high);
  }
}

/** By service: the one before it, by name, that calls the same ones, is called by the same ones, each at the same rate. −1: none. */
function twinsOf(graph: Graph): Int32Array {
  const twins = new Int32Array(sizeOf(graph)).fill(-1);
  for (let v = 0; v < twins.length; v++)
    for (let other = v - 1; other >= 0 && twins[v] === -1; other--) if (areTwins(graph, v, other)) twins[v] = other;
  return twins;
}

function areTwins(graph: Graph, one: number, other: number): boolean {
  const [a, b] = [rowOf(graph, one), rowOf(graph, other)];
  if (a.size !== b.size) return false;
  for (const [to, edge] of a) {
    const same = b.get(to === other ? one : to);
    if (same === undefined || same.weight !== edge.weight || same.calls !== edge.calls) return false;
  }
  return true;
}

function rowOf({ start, to, weight, calls }: Graph, v: number) {
  const row = new Map<number, { readonly weight: number; readonly calls: number }>();
  for (let edge = start[v] ?? 0; edge < (start[v + 1] ?? 0); edge++)
    row.set(to[edge] ?? 0, { weight: weight[edge] ?? 0, calls: calls[edge] ?? 0 });
  return row;
}
