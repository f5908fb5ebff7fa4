import type { Figures } from '../../core/order/compared.ts';
import type { Edges } from '../../core/order/edges.ts';
import { crossingsOf } from '../../core/order/exposure.ts';
import { graphOf } from '../../core/order/graph.ts';
import type { Ended, Solution } from '../../core/order/solve.ts';
import { table } from '../terminal/table.ts';

/** Figures of another order; of random ones those of the median, with the smallest and the largest exposure. */
export type Compared = Figures & {
  readonly with: string;
  readonly drawn?: number;
  readonly least?: number;
  readonly most?: number;
};

export function textOf(edges: Edges, solution: Solution, stopped: Ended | 'time', compared: Compared | null): string {
  const lines = [...moves(edges, solution), '', ...sums(edges, solution, stopped)];
  if (compared !== null) lines.push(comparison(solution, compared));
  return `${lines.join('\n')}\n`;
}

export function progressLine({ exposure, lowerBound, peak }: Solution, seconds: number): string {
  return `${seconds.toFixed(0)} s: exposure ${figure(exposure)}, at least ${figure(lowerBound)}; peak ${figure(peak)}`;
}

function moves(edges: Edges, { order }: Solution): string[] {
  const graph = graphOf(edges.services, edges.dependencies);
  const numbers = new Map(graph.names.map((name, number) => [name, number]));
  const crossings = crossingsOf(
    graph,
    order.map((name) => numbers.get(name) ?? -1),
  );
  const rows = order.map((name, index) => [String(index + 1), name, figure(crossings[index + 1] ?? 0)]);
  return table([['', 'moves', 'then crosses'], ...rows], 'rlr');
}

function sums(edges: Edges, solution: Solution, stopped: Ended | 'time'): string[] {
  const { exposure, peak, lowerBound, optimal } = solution;
  const ignored =
    edges.ignored.length === 0 ? '' : `; ${edges.ignored.length} do not count (telemetry, or a service's own)`;
  const bound = optimal ? 'no order has less' : `no order has less than ${figure(lowerBound)}`;
  return [
    `${solution.order.length} services, ${edges.dependencies.length} dependencies${ignored}`,
    `exposure ${figure(exposure)}, ${bound}; peak ${figure(peak)}`,
    ends[stopped],
  ];
}

const ends = {
  proved: 'the search ended: it is the best order',
  work: 'the search ended: what it would try further is not likely to be better',
  time: 'the search ended with its time: more of it (--seconds) may find a better one, and on another machine it may be another',
} as const;

function comparison({ exposure }: Solution, { with: name, drawn, least, most, ...other }: Compared): string {
  const range =
    least === undefined || most === undefined ? '' : ` (median of ${drawn}; ${figure(least)} to ${figure(most)})`;
  const ratio = exposure === 0 ? '' : `, ${(other.exposure / exposure).toFixed(2)} times as much`;
  return `${name}: exposure ${figure(other.exposure)}${range}${ratio}; peak ${figure(other.peak)}`;
}

/** Rates are what somebody has measured: more digits say nothing. */
function figure(rate: number): string {
  return rate.toLocaleString('en', { maximumSignificantDigits: 6 });
}
