import type { Asked, Bench } from './frame/bench.ts';
import type { Goal } from './frame/goals.ts';
import { spreadOf } from './frame/spread.ts';
import { duration, percent, table } from './frame/table.ts';
import { type Detection, detections } from './judge/detections.ts';
import { runAll } from './judge/runs.ts';

/** How soon the product's judge takes back a destination that fails too often: from the first bad request to the poll that says so. */
export const bench: Bench = {
  about: 'how soon the judge takes back a destination that fails too often, at α = 0.1 % and φ = 1',
  options: {
    runs: { about: 'runs of each case', otherwise: 1500 },
    seed: { about: 'seed of the first run; the next ones follow', otherwise: 1 },
  },
  cases: detections.map(({ name }) => name),
  run: async (asked, say) => {
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const one of detections.filter(({ name }) => asked.cases.includes(name))) {
      const { row, goal } = await measure(one, asked);
      rows.push(row);
      if (goal !== null) goals.push(goal);
    }
    say(
      table(['case', 'requests/s', 'share', 'baseline', 'ratio', 'R0', 'clean before', 'median', 'p95', 'runs'], rows),
    );
    return goals;
  },
};

async function measure(one: Detection, asked: Asked): Promise<{ row: string[]; goal: Goal | null }> {
  const { name, rps, share, rate, ratio, tolerate, cleanSeconds, medianSecondsMax } = one;
  const runs = asked.number('runs');
  const ended = await runAll({ subject: 'detection', name, firstSeed: asked.number('seed'), runs, seconds: 0 });
  const missed = ended.filter(({ second }) => second === null).length;
  const { median, p95 } = spreadOf(ended.map(({ second }) => second ?? Number.POSITIVE_INFINITY));
  const row = [
    name,
    `${rps}`,
    percent(share, 1),
    percent(rate),
    `${ratio}`,
    `${tolerate}`,
    duration(cleanSeconds),
    duration(median),
    duration(p95),
    missed === 0 ? `${runs}` : `${runs}, ${missed} without`,
  ];
  if (medianSecondsMax === null) return { row, goal: null };
  const met = median <= medianSecondsMax;
  return { row, goal: { promised: `${name}: median ≤ ${medianSecondsMax} s`, found: duration(median), met } };
}
