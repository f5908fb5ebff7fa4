import type { Count } from '../../core/judge/counting.ts';
import { type JudgeState, promoteWays, type RecordedRow, rollBackWays, type Ways } from '../../core/judge/judge.ts';

/** Consecutive windows: what they counted together, and within which bounds the evidence moved. */
export type Point = {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly origin: Count;
  readonly destination: Count;
  readonly rollBack: Track;
  readonly promote: Track;
};

/** null: there is no objective. */
export type Track = { readonly comparison: Span; readonly absolute: Span | null };
export type Span = { readonly min: number; readonly max: number; readonly last: number };

/**
 * A recording as it is drawn. However long it is, it has at most `pointsMax` points: when there are as many, each two
 * neighbours become one, which keeps the extremes of both. So no peak is lost, and memory does not grow.
 */
export type Course = {
  /** Of nothing yet, at second 0. */
  readonly start: { readonly rollBack: Track; readonly promote: Track };
  points: Point[];
  windows: number;
  windowsPerPoint: number;
};

/** Half of them are still more than a picture on a screen has columns. */
export const pointsMax = 2048;

export function startCourse(state: JudgeState): Course {
  const start = { rollBack: trackOf(rollBackWays(state)), promote: trackOf(promoteWays(state)) };
  return { start, points: [], windows: 0, windowsPerPoint: 1 };
}

/** `state`: after this row. */
export function addToCourse(course: Course, row: RecordedRow, state: JudgeState): void {
  const point: Point = {
    fromSeconds: row.fromSeconds,
    toSeconds: row.toSeconds,
    origin: { attempts: row.originAttempts, failures: row.originFailures },
    destination: { attempts: row.destinationAttempts, failures: row.destinationFailures },
    rollBack: trackOf(rollBackWays(state)),
    promote: trackOf(promoteWays(state)),
  };
  const last = course.points.at(-1);
  if (last === undefined || course.windows % course.windowsPerPoint === 0) {
    if (course.points.length === pointsMax) halve(course);
    course.points.push(point);
  } else course.points[course.points.length - 1] = together(last, point);
  course.windows += 1;
}

/** `pointsMax` is even and all points are full, so pairs are of the same number of windows. */
function halve(course: Course): void {
  const halved: Point[] = [];
  for (const [index, point] of course.points.entries()) {
    const before = index % 2 === 1 ? halved.pop() : undefined;
    halved.push(before === undefined ? point : together(before, point));
  }
  course.points = halved;
  course.windowsPerPoint *= 2;
}

export function together(before: Point, after: Point): Point {
  return {
    fromSeconds: before.fromSeconds,
    toSeconds: after.toSeconds,
    origin: sum(before.origin, after.origin),
    destination: sum(before.destination, after.destination),
    rollBack: joined(before.rollBack, after.rollBack),
    promote: joined(before.promote, after.promote),
  };
}

function trackOf({ comparison, absolute }: Ways): Track {
  return { comparison: spanOf(comparison), absolute: absolute === null ? null : spanOf(absolute) };
}

function spanOf(value: number): Span {
  return { min: value, max: value, last: value };
}

function joined(before: Track, after: Track): Track {
  const { absolute } = after;
  return {
    comparison: span(before.comparison, after.comparison),
    absolute: before.absolute === null || absolute === null ? absolute : span(before.absolute, absolute),
  };
}

function span(before: Span, after: Span): Span {
  return { min: Math.min(before.min, after.min), max: Math.max(before.max, after.max), last: after.last };
}

function sum(before: Count, after: Count): Count {
  return { attempts: before.attempts + after.attempts, failures: before.failures + after.failures };
}
