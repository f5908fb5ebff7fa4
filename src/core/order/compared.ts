import { chanceOf } from './chance.ts';
import type { Edges } from './edges.ts';
import { exposureOf, told } from './exposure.ts';
import { byName, graphOf } from './graph.ts';

export type Figures = { readonly exposure: number; readonly peak: number };

/** What some orders of these services cost. Each has to name every service once. */
export function figuresOf(edges: Edges, orders: readonly (readonly string[])[]): readonly Figures[] {
  const graph = graphOf(edges.services, edges.dependencies);
  const numbers = new Map(graph.names.map((name, number) => [name, number]));
  return orders.map((order) => {
    const { sum, peak } = exposureOf(
      graph,
      order.map((name) => numbers.get(name) ?? -1),
    );
    return { exposure: told(sum), peak: told(peak) };
  });
}

/** So many orders drawn from the seed, each as likely as any other. */
export function randomOrders({ services }: Edges, seed: number, count: number): readonly (readonly string[])[] {
  const chance = chanceOf(seed);
  return Array.from({ length: count }, () => {
    const order = [...services];
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(chance() * (last + 1));
      [order[last], order[other]] = [order[other] ?? '', order[last] ?? ''];
    }
    return order;
  });
}

/**
 * As it is done by hand: what a service calls moves before it (Kahn), the smallest name first. Those that call each other in a circle
 * move together, by name, where the first of them by name stands.
 */
export function calleeFirst({ services, dependencies }: Edges): readonly string[] {
  const callees = new Map<string, Set<string>>(services.map((name) => [name, new Set()]));
  for (const { caller, callee } of dependencies) callees.get(caller)?.add(callee);
  const circleOf = circles(services, callees);
  const members = new Map<string, string[]>();
  for (const name of services) {
    const circle = circleOf.get(name) ?? name;
    members.set(circle, [...(members.get(circle) ?? []), name]);
  }
  const waitsFor = new Map<string, Set<string>>([...members.keys()].map((circle) => [circle, new Set()]));
  const callers = new Map<string, Set<string>>([...members.keys()].map((circle) => [circle, new Set()]));
  for (const [caller, called] of callees)
    for (const callee of called) {
      const [from, to] = [circleOf.get(caller) ?? caller, circleOf.get(callee) ?? callee];
      if (from === to) continue;
      waitsFor.get(from)?.add(to);
      callers.get(to)?.add(from);
    }
  const ready = [...members.keys()].filter((circle) => waitsFor.get(circle)?.size === 0).sort(byName);
  const order: string[] = [];
  for (let circle = ready.shift(); circle !== undefined; circle = ready.shift()) {
    order.push(...(members.get(circle) ?? []));
    for (const caller of callers.get(circle) ?? []) {
      waitsFor.get(caller)?.delete(circle);
      if (waitsFor.get(caller)?.size === 0) ready.splice(placeIn(ready, caller), 0, caller);
    }
  }
  return order;
}

function placeIn(sorted: readonly string[], name: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byName(sorted[middle] ?? '', name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By service: the first by name of its strongly connected component (Tarjan, without recursion: chains are long). */
function circles(
  services: readonly string[],
  callees: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, string> {
  const circleOf = new Map<string, string>();
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const enter = (name: string) => {
    index.set(name, index.size);
    low.set(name, index.get(name) ?? 0);
    stack.push(name);
    return { name, rest: [...(callees.get(name) ?? [])] };
  };
  for (const root of services) {
    if (index.has(root)) continue;
    const path = [enter(root)];
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const { name, rest } = at;
      const next = rest.pop();
      const own = low.get(name) ?? 0;
      if (next === undefined) {
        path.pop();
        const above = path.at(-1);
        if (above !== undefined) low.set(above.name, Math.min(low.get(above.name) ?? 0, own));
        if (own === index.get(name)) close(stack.splice(stack.lastIndexOf(name)), circleOf);
      } else if (!index.has(next)) path.push(enter(next));
      else if (!circleOf.has(next)) low.set(name, Math.min(own, index.get(next) ?? 0));
    }
  }
  return circleOf;
}

function close(members: readonly string[], circleOf: Map<string, string>): void {
  const [first = ''] = [...members].sort(byName);
  for (const member of members) circleOf.set(member, first);
}
