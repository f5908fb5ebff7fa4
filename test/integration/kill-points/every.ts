import { differences } from './compare.ts';
import type { Point } from './points.ts';
import { type End, PassedBy, perform, type Scenario } from './scenario.ts';

export type Listed = { readonly scenario: Scenario; readonly reference: End; readonly points: readonly Point[] };
export type Result = {
  readonly scenario: Scenario;
  readonly point: Point;
  readonly wrong: readonly string[];
  /** How often the rollout took another course and did not come by the point: a busy machine, which it has time to look at twice. */
  readonly missed: number;
  /** false: no run came by it. Only of a call that was made more than once before: how often it is repeated is chance. */
  readonly isReached: boolean;
  readonly tookMs: number;
};

const triesMax = 3;

/**
 * The points of each scenario, as a run without a kill passes them. What a scenario has in common with the first one up to where it
 * turns off is listed there only: until then nobody can tell them apart.
 */
export async function listPoints(scenarios: readonly Scenario[]): Promise<readonly Listed[]> {
  const references = await Promise.all(scenarios.map((scenario) => perform(scenario, null)));
  const [first] = references;
  return scenarios.map((scenario, index) => {
    const reference = references[index];
    if (reference === undefined || first === undefined) throw new Error('no scenario');
    const common = index === 0 ? 0 : commonLength(first.reached, reference.reached);
    return { scenario, reference, points: reference.reached.slice(common) };
  });
}

/** One run for each point, `width` of them at a time: they wait for most of their time. */
export async function killAtEvery(
  listed: readonly Listed[],
  width: number,
  onResult: (result: Result) => void,
): Promise<readonly Result[]> {
  const waiting = listed.flatMap(({ scenario, reference, points }) =>
    points.map((point) => ({ scenario, reference, point })),
  );
  const results: Result[] = [];
  const work = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const { scenario, reference, point } = one;
      const startedAt = performance.now();
      const outcome = await killAt(scenario, reference, point).catch((error: unknown) => ({
        wrong: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
        missed: 0,
        isReached: true,
      }));
      const result = { scenario, point, ...outcome, tookMs: performance.now() - startedAt };
      results.push(result);
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}

async function killAt(
  scenario: Scenario,
  reference: End,
  point: Point,
): Promise<Pick<Result, 'wrong' | 'missed' | 'isReached'>> {
  for (let missed = 0; ; missed++) {
    try {
      return { wrong: differences(reference, await perform(scenario, point)), missed, isReached: true };
    } catch (error) {
      if (!(error instanceof PassedBy)) throw error;
      if (missed + 1 < triesMax) continue;
      if (point.nth === 1) throw error;
      return { wrong: [], missed: triesMax, isReached: false };
    }
  }
}

export function describePoint({ when, what, nth }: Point): string {
  return `${when} ${what}${nth === 1 ? '' : ` (no. ${nth})`}`;
}

function commonLength(one: readonly Point[], other: readonly Point[]): number {
  const at = one.findIndex((point, index) => JSON.stringify(point) !== JSON.stringify(other[index]));
  return at === -1 ? Math.min(one.length, other.length) : at;
}
