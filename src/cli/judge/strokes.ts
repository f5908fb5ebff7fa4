import type { Count } from '../../core/judge/counting.ts';
import { type Point, type Span, together } from './course.ts';
import { short } from './markup.ts';
import { timeStep } from './ticks.ts';

/** Where values lie in a picture. */
export type Place = { readonly x: (seconds: number) => number; readonly y: (value: number) => number };

/**
 * Evidence as the data of a path, from second 0. What falls into one column of pixels is drawn from its smallest to its largest
 * value, so that a picture of 100,000 windows shows every peak that each of them would show.
 */
export function evidenceStroke(start: Span, points: readonly (readonly [number, Span])[], { x, y }: Place): string {
  let path = `M${short(x(0))} ${short(y(start.last))}`;
  for (const { seconds, min, max, last } of columns(points, x)) {
    const values = min === max ? [last] : [min, max, last];
    for (const value of values) path += `L${short(x(seconds))} ${short(y(value))}`;
  }
  return path;
}

type Column = Span & { readonly seconds: number };

function columns(points: readonly (readonly [number, Span])[], x: Place['x']): Column[] {
  const found: Column[] = [];
  for (const [seconds, span] of points) {
    const last = found.at(-1);
    if (last === undefined || Math.floor(x(last.seconds)) !== Math.floor(x(seconds))) found.push({ seconds, ...span });
    else {
      const [min, max] = [Math.min(last.min, span.min), Math.max(last.max, span.max)];
      found[found.length - 1] = { seconds, min, max, last: span.last };
    }
  }
  return found;
}

/** What is counted is drawn over these, and told; null: over each window. */
export type Bins = { readonly points: readonly Point[]; readonly seconds: number | null };

/** Rates of single windows would be noise; of so few bins they are not, and a bin is as long as its label says. */
export function binsOf(points: readonly Point[], endSeconds: number, countMax: number): Bins {
  if (points.length <= countMax) return { points, seconds: null };
  const seconds = timeStep(endSeconds, countMax);
  const binned: Point[] = [];
  let end = 0;
  for (const point of points) {
    const last = binned.at(-1);
    if (last !== undefined && point.toSeconds <= end) binned[binned.length - 1] = together(last, point);
    else {
      binned.push(point);
      end = Math.ceil(point.toSeconds / seconds) * seconds;
    }
  }
  return { points: binned, seconds };
}

/** A level for each bin; a gap where there is nothing to divide. */
export function stepStroke(bins: readonly Point[], value: (point: Point) => number | null, { x, y }: Place): string {
  let path = '';
  let drawing = false;
  for (const bin of bins) {
    const level = value(bin);
    if (level !== null) {
      path += `${drawing ? 'L' : 'M'}${short(x(bin.fromSeconds))} ${short(y(level))}H${short(x(bin.toSeconds))}`;
    }
    drawing = level !== null;
  }
  return path;
}

export function failedFraction({ attempts, failures }: Count): number | null {
  return attempts === 0 ? null : failures / attempts;
}

export function shareOf({ origin, destination }: Pick<Point, 'origin' | 'destination'>): number | null {
  const attempts = origin.attempts + destination.attempts;
  return attempts === 0 ? null : destination.attempts / attempts;
}
