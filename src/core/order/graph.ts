/** One line of what calls what. `rate` in whatever is to be kept from crossing: calls per second, gigabytes. */
export type Dependency = {
  readonly caller: string;
  readonly callee: string;
  readonly rate: number;
  readonly kind: DependencyKind;
};
export const dependencyKinds = ['hard', 'soft', 'telemetry'] as const;
export type DependencyKind = (typeof dependencyKinds)[number];

/**
 * Services as numbers 0 … n−1 in the order of their names, and between each two that call one another one undirected edge with the
 * summed rate of both directions. The neighbours of `v` stand at `start[v]` … `start[v + 1] − 1` of `to`, `weight` and `calls`, the
 * heaviest first.
 */
export type Graph = {
  readonly names: readonly string[];
  readonly start: Int32Array;
  readonly to: Int32Array;
  /** Of the edge. */
  readonly weight: Float64Array;
  /** The part of it at which `v` is the caller. */
  readonly calls: Float64Array;
  /** The weight of all its edges. */
  readonly degree: Float64Array;
};

/** By code units: the same on every machine. */
export function byName(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

export function sizeOf(graph: Graph): number {
  return graph.names.length;
}

/** Of services that have no dependency, too. Telemetry and services that call themselves are to be left out before. */
export function graphOf(services: Iterable<string>, dependencies: readonly Dependency[]): Graph {
  const names = [...new Set(services)].sort(byName);
  const numbers = new Map(names.map((name, number) => [name, number]));
  const rows: Map<number, { weight: number; calls: number }>[] = names.map(() => new Map());
  const add = (from: number, to: number, rate: number, calls: number) => {
    const row = rows[from] ?? new Map<number, { weight: number; calls: number }>();
    const edge = row.get(to) ?? { weight: 0, calls: 0 };
    row.set(to, { weight: edge.weight + rate, calls: edge.calls + calls });
  };
  for (const { caller, callee, rate } of dependencies) {
    const [from, to] = [numbers.get(caller), numbers.get(callee)];
    if (from === undefined || to === undefined || from === to || rate === 0) continue;
    add(from, to, rate, rate);
    add(to, from, rate, 0);
  }
  return laidOut(names, rows);
}

function laidOut(
  names: readonly string[],
  rows: readonly ReadonlyMap<number, { readonly weight: number; readonly calls: number }>[],
): Graph {
  const count = rows.reduce((sum, row) => sum + row.size, 0);
  const start = new Int32Array(names.length + 1);
  const to = new Int32Array(count);
  const weight = new Float64Array(count);
  const calls = new Float64Array(count);
  const degree = new Float64Array(names.length);
  let next = 0;
  for (const [from, row] of rows.entries()) {
    start[from] = next;
    for (const [other, edge] of [...row].sort(([a, one], [b, two]) => two.weight - one.weight || a - b)) {
      to[next] = other;
      weight[next] = edge.weight;
      calls[next] = edge.calls;
      degree[from] = (degree[from] ?? 0) + edge.weight;
      next += 1;
    }
  }
  start[names.length] = next;
  return { names, start, to, weight, calls, degree };
}

/** Each with more than one service; those that have no edge are left out. */
export function componentsOf(graph: Graph): readonly Graph[] {
  const component = new Int32Array(sizeOf(graph)).fill(-1);
  const found: number[][] = [];
  for (let first = 0; first < component.length; first++) {
    if (component[first] !== -1 || graph.start[first] === graph.start[first + 1]) continue;
    const members = [first];
    component[first] = found.length;
    for (let at = 0; at < members.length; at++) {
      const v = members[at] ?? 0;
      for (let edge = graph.start[v] ?? 0; edge < (graph.start[v + 1] ?? 0); edge++) {
        const other = graph.to[edge] ?? 0;
        if (component[other] !== -1) continue;
        component[other] = found.length;
        members.push(other);
      }
    }
    found.push(members.sort((a, b) => a - b));
  }
  return found.map((members) => partOf(graph, members));
}

/** The services that are named, in ascending order, and the edges among them. */
export function partOf(graph: Graph, members: readonly number[]): Graph {
  const renamed = new Map(members.map((v, index) => [v, index]));
  const rows = members.map((v) => {
    const row = new Map<number, { weight: number; calls: number }>();
    for (let edge = graph.start[v] ?? 0; edge < (graph.start[v + 1] ?? 0); edge++) {
      const other = renamed.get(graph.to[edge] ?? 0);
      if (other !== undefined) row.set(other, { weight: graph.weight[edge] ?? 0, calls: graph.calls[edge] ?? 0 });
    }
    return row;
  });
  return laidOut(
    members.map((v) => graph.names[v] ?? ''),
    rows,
  );
}
