import { anneal } from './anneal.ts';
import { degreeBound } from './bound.ts';
import { chanceOf } from './chance.ts';
import { prove } from './exact.ts';
import { compareOrders, exposureOf, told, toleranceOf } from './exposure.ts';
import { byName, componentsOf, type Dependency, type Graph, graphOf, sizeOf } from './graph.ts';
import { exactServicesMax } from './sets.ts';
import { spectralOrder } from './spectral.ts';

/** Why the search ended: the order is the best one, or all that was to be tried was tried. */
export type Ended = 'proved' | 'work';

export type Solution = {
  /** Names, the first to move first; those without any dependency last, by name. */
  readonly order: readonly string[];
  /** Summed over all prefixes: the rate of the edges with exactly one side moved. */
  readonly exposure: number;
  readonly peak: number;
  /** No order has a smaller exposure. */
  readonly lowerBound: number;
  /** Whether the exposure was proved to be the least. */
  readonly optimal: boolean;
};

/** A component, with the best that is known of it. */
type Part = { readonly graph: Graph; order: Int32Array; bound: number };

/** Sets that the exact search may keep: enough for all of 22 services. 20 bytes each, and as many again where they are looked up by number. */
const setsMax = 4_500_000;
/** Of larger graphs only sparse ones can be proved, and those with few sets. */
const setsMaxOfLarge = 500_000;
const largeServices = 26;
/** What is annealed before the exact search, which needs a good order to leave sets out by. */
const firstRounds = 3;

/**
 * The order of moves, one service each, that has the least summed crossing: minimum linear arrangement. Anytime: `best` answers at any
 * moment, and `search` goes on with each `next()` until it says how it ended. The same dependencies and seed give the same steps.
 */
export class OrderSearch {
  readonly #graph: Graph;
  readonly #parts: readonly Part[];
  readonly #chance: () => number;

  constructor(services: Iterable<string>, dependencies: readonly Dependency[], seed: number) {
    this.#chance = chanceOf(seed);
    this.#graph = graphOf(services, dependencies);
    this.#parts = componentsOf(this.#graph).map((graph) => ({
      graph,
      order: directed(graph, spectralOrder(graph, this.#chance)),
      bound: degreeBound(graph),
    }));
  }

  /** Yields the proposals made since. */
  *search(): Generator<number, Ended> {
    const inOrder = [...this.#parts].sort((one, other) => sizeOf(one.graph) - sizeOf(other.graph));
    for (const part of inOrder) yield* this.#rounds(part, 0, firstRounds);
    for (const part of inOrder) yield* improveByProof(part);
    for (let round = firstRounds; ; round++) {
      const open = inOrder.filter((part) => !isProved(part));
      if (open.length === 0) return 'proved';
      if (open.every(({ graph }) => proposalsOf(graph, round) > mostOf(graph))) return 'work';
      for (const part of open) yield* this.#rounds(part, round, round + 1);
    }
  }

  *#rounds(part: Part, from: number, to: number): Generator<number, void> {
    for (let round = from; round < to && !isProved(part); round++) {
      const proposals = proposalsOf(part.graph, round);
      if (proposals > mostOf(part.graph)) return;
      // From where the structure says, from the best, and from anywhere, in turns.
      const heat = [1, 0.25, 4][round % 3] ?? 1;
      const from = round % 3 === 0 ? spectralOrder(part.graph, this.#chance) : part.order;
      const order = yield* anneal(part.graph, from, { proposals, heat }, this.#chance);
      const found = directed(part.graph, order);
      if (compareOrders(part.graph, found, part.order) < 0) part.order = found;
    }
  }

  best(): Solution {
    const inOrder = this.#parts.map((part) => ({
      names: Array.from(part.order, (v) => part.graph.names[v] ?? ''),
      bound: part.bound,
      isProved: isProved(part),
      ...exposureOf(part.graph, part.order),
    }));
    inOrder.sort((one, other) => byName(one.names[0] ?? '', other.names[0] ?? ''));
    const moved = inOrder.flatMap(({ names }) => names);
    const connected = new Set(moved);
    return {
      order: [...moved, ...this.#graph.names.filter((name) => !connected.has(name))],
      exposure: told(inOrder.reduce((all, { sum }) => all + sum, 0)),
      peak: told(inOrder.reduce((most, { peak }) => Math.max(most, peak), 0)),
      lowerBound: told(inOrder.reduce((all, { bound, sum }) => all + Math.min(bound, sum), 0)),
      optimal: inOrder.every((part) => part.isProved),
    };
  }
}

function* improveByProof(part: Part): Generator<number, void> {
  if (sizeOf(part.graph) > exactServicesMax) return;
  const { sum } = exposureOf(part.graph, part.order);
  const proof = yield* prove(part.graph, sum, sizeOf(part.graph) > largeServices ? setsMaxOfLarge : setsMax);
  if (proof.kind === 'given up') {
    part.bound = Math.max(part.bound, proof.bound);
    return;
  }
  part.order = proof.order;
  part.bound = exposureOf(part.graph, proof.order).sum;
}

function isProved({ graph, order, bound }: Part): boolean {
  return exposureOf(graph, order).sum <= bound + toleranceOf(graph);
}

/** Forwards or backwards, which costs the same: with more calls that are callee first, then the smaller one by name. */
function directed(graph: Graph, order: Int32Array): Int32Array {
  const backwards = order.slice().reverse();
  return compareOrders(graph, order, backwards) <= 0 ? order : backwards;
}

/** Twice as many each time. */
function proposalsOf(graph: Graph, round: number): number {
  return 200 * sizeOf(graph) * 2 ** round;
}

function mostOf(graph: Graph): number {
  return Math.min(150_000_000, 10_000_000 + 200_000 * sizeOf(graph));
}
