import type { BackendReading } from '../core/observed/backend.ts';
import { known, type Reading, unknown } from '../core/observed/reading.ts';
import type { BackendPlan } from '../core/rollout/plan.ts';
import { type Side, serversOf } from '../core/rollout/servers.ts';
import type { Backend, Clock } from './ports.ts';

/** Requests per second of a group, from the readings that the loop makes anyway: for a provider that scales by load. */
export type SideLoad = {
  /** The same backend, whose readings are counted on their way. */
  counted(plan: BackendPlan, backend: Backend): Backend;
  loadRps(side: Side): Reading<number>;
};

type Point = { readonly atMs: number; readonly process: string; readonly attempts: Readonly<Record<Side, number>> };

/** A rise counts only over this long, so that one poll is no spike; a fall counts at once. */
const spanMs = 5000;
const rateMsMin = 500;

export function measureLoad(clock: Clock): SideLoad {
  const points = new Map<string, Point[]>();
  return {
    counted(plan, backend) {
      points.set(plan.id, []);
      return {
        async read(signal) {
          const reading = await backend.read(signal);
          points.set(plan.id, added(points.get(plan.id) ?? [], pointOf(plan, reading, clock.monotonic())));
          return reading;
        },
        attempts: (servers, signal) => backend.attempts(servers, signal),
        setWeights: (weights, signal) => backend.setWeights(weights, signal),
        setStates: (states, signal) => backend.setStates(states, signal),
      };
    },
    loadRps(side) {
      let total = 0;
      for (const [id, seen] of points) {
        const rate = rateOf(seen, side, clock.monotonic());
        if (rate === null) return unknown(`${id} was not read twice within the last seconds`);
        total += rate;
      }
      return known(total);
    },
  };
}

function pointOf(plan: BackendPlan, reading: BackendReading, atMs: number): Point {
  const sum = (side: Side) =>
    serversOf(plan, reading, side).reduce((total, server) => total + server.counters.attempts, 0);
  return { atMs, process: reading.process, attempts: { origin: sum('origin'), destination: sum('destination') } };
}

/** Counters of another process, or that were cleared, begin anew. */
function added(points: readonly Point[], point: Point): Point[] {
  const last = points.at(-1);
  const continues =
    last !== undefined &&
    last.process === point.process &&
    last.attempts.origin <= point.attempts.origin &&
    last.attempts.destination <= point.attempts.destination;
  return continues ? [...points.filter((one) => one.atMs >= point.atMs - spanMs), point] : [point];
}

function rateOf(points: readonly Point[], side: Side, nowMs: number): number | null {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || nowMs - last.atMs > 2 * spanMs) return null;
  const whole = rateBetween(first, last, side);
  if (whole === null) return null;
  // Traffic that has just been taken away must not make a group grow again that is being given up.
  const before = points.findLast((point) => last.atMs - point.atMs >= rateMsMin);
  return Math.min(whole, (before === undefined ? null : rateBetween(before, last, side)) ?? whole);
}

function rateBetween(first: Point, last: Point, side: Side): number | null {
  const ms = last.atMs - first.atMs;
  return ms < rateMsMin ? null : ((last.attempts[side] - first.attempts[side]) * 1000) / ms;
}
