import type { Asked, Bench } from './frame/bench.ts';
import type { Goal } from './frame/goals.ts';
import { lowerLimit, upperLimit } from './frame/limits.ts';
import { spreadOf } from './frame/spread.ts';
import { duration, percent, table } from './frame/table.ts';
import { type Promotion, promotions } from './judge/promotions.ts';
import { runAll } from './judge/runs.ts';

/** How often the product's judge promotes a destination that is exactly too bad, over 20 attempts, and how soon one that is good. */
export const bench: Bench = {
  about:
    'how often a destination that is exactly too bad is promoted over 20 attempts, at β = 1 %; how soon a good one is',
  options: {
    runs: { about: 'runs of each promised case', otherwise: 20_000 },
    'reported-runs': { about: 'runs of each other case', otherwise: 2000 },
    seed: { about: 'seed of the first run; the next ones follow', otherwise: 1 },
  },
  cases: promotions.map(({ name }) => name),
  run: async (asked, say) => {
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const one of promotions.filter(({ name }) => asked.cases.includes(name))) {
      const { row, goal } = await measure(one, asked);
      rows.push(row);
      if (goal !== null) goals.push(goal);
    }
    say(table(['case', 'what', 'attempts', 'runs', 'promoted', '99 % limits', 'median', 'p95'], rows));
    return goals;
  },
};

async function measure(one: Promotion, asked: Asked): Promise<{ row: string[]; goal: Goal | null }> {
  const { name, about, attempts, attemptSeconds, rateMax, promised } = one;
  const runs = asked.number(promised ? 'runs' : 'reported-runs');
  const ended = await runAll({ subject: 'promotion', name, firstSeed: asked.number('seed'), runs, seconds: 0 });
  const seconds = ended.flatMap(({ second }) => (second === null ? [] : [second]));
  const [low, high] = [lowerLimit(seconds.length, runs), upperLimit(seconds.length, runs)];
  const times = seconds.length === 0 ? null : spreadOf(seconds);
  const row = [
    name,
    about,
    `${attempts} of ${duration(attemptSeconds)}`,
    `${runs}`,
    `${seconds.length}`,
    `${percent(low)} to ${percent(high)}`,
    times === null ? '' : duration(times.median),
    times === null ? '' : duration(times.p95),
  ];
  if (!promised || rateMax === null) return { row, goal: null };
  const found = `${seconds.length} of ${runs}, ${percent(low)}`;
  return {
    row,
    goal: { promised: `${name}: lower limit of the rate ≤ β = ${percent(rateMax, 0)}`, found, met: low <= rateMax },
  };
}
