import type { Position } from '../problem.ts';
import { valueIn } from '../shape.ts';
import { type Checking, servicesOf } from './checking.ts';

type Edge = { readonly to: string; readonly at: Position };
type Graph = ReadonlyMap<string, readonly Edge[]>;

/** Services that need each other: no order moves one of them before what it needs. One warning for each knot. */
export function checkCycles(checking: Checking): void {
  const needs = new Map<string, Edge[]>();
  for (const { name } of servicesOf(checking.file)) needs.set(name, []);
  for (const { name, fields } of servicesOf(checking.file)) {
    const dependencies = valueIn(fields.dependencies);
    for (const { at, value } of (dependencies === undefined ? undefined : valueIn(dependencies.hard)) ?? []) {
      if (value !== name && needs.has(value)) needs.get(name)?.push({ to: value, at });
    }
  }
  for (const knot of findKnots(needs)) {
    const cycle = findCycle(knot, needs);
    const last = cycle[cycle.length - 1];
    if (last === undefined) continue;
    const suggestion = 'move them in one wave; if one works without the other, the dependency is soft';
    checking.warn({
      ...last.at,
      message: `these services need each other: ${describeCycle(last.to, cycle)}`,
      suggestion,
    });
  }
}

/** Groups of services that reach each other (strongly connected components of more than one), by Kosaraju's algorithm. */
function findKnots(needs: Graph): ReadonlySet<string>[] {
  const neededBy = new Map<string, Edge[]>([...needs.keys()].map((name) => [name, []]));
  for (const [name, edges] of needs) for (const { to, at } of edges) neededBy.get(to)?.push({ to: name, at });
  const finished: string[] = [];
  const seen = new Set<string>();
  for (const name of needs.keys()) finished.push(...walk(name, needs, seen));
  const gathered = new Set<string>();
  const place = new Map([...needs.keys()].map((name, index) => [name, index]));
  const byPlace = (a: string, b: string): number => (place.get(a) ?? 0) - (place.get(b) ?? 0);
  const knots = finished.toReversed().map((name) => walk(name, neededBy, gathered));
  return knots.filter((knot) => knot.length > 1).map((knot) => new Set(knot.sort(byPlace)));
}

/** Everything new that is reached from `start`, each name after all that it reaches. Not recursive: chains may be long. */
function walk(start: string, graph: Graph, seen: Set<string>): string[] {
  if (seen.has(start)) return [];
  seen.add(start);
  const finished: string[] = [];
  const path = [{ name: start, next: 0 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const edge = graph.get(top.name)?.[top.next];
    top.next += 1;
    if (edge === undefined) {
      finished.push(top.name);
      path.pop();
    } else if (!seen.has(edge.to)) {
      seen.add(edge.to);
      path.push({ name: edge.to, next: 0 });
    }
  }
  return finished;
}

/** The shortest way from the knot's first service back to it. */
function findCycle(knot: ReadonlySet<string>, needs: Graph): Edge[] {
  const [start] = knot;
  if (start === undefined) return [];
  const cameBy = new Map<string, { readonly from: string; readonly edge: Edge }>();
  const queue = [start];
  for (const from of queue) {
    for (const edge of needs.get(from) ?? []) {
      if (cameBy.has(edge.to) || !knot.has(edge.to)) continue;
      cameBy.set(edge.to, { from, edge });
      queue.push(edge.to);
    }
    if (cameBy.has(start)) break;
  }
  const cycle: Edge[] = [];
  let at = start;
  do {
    const step = cameBy.get(at);
    if (step === undefined) return [];
    cycle.push(step.edge);
    at = step.from;
  } while (at !== start);
  return cycle.reverse();
}

const shownMax = 10;

function describeCycle(start: string, cycle: readonly Edge[]): string {
  const names = [start, ...cycle.map((edge) => edge.to)];
  if (names.length <= shownMax) return names.join(' → ');
  return `${names.slice(0, shownMax - 1).join(' → ')} → … (${cycle.length} services) → ${start}`;
}
