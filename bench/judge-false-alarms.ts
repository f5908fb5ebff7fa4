import type { Asked, Bench, Say } from './frame/bench.ts';
import type { Goal } from './frame/goals.ts';
import { lowerLimit, upperLimit } from './frame/limits.ts';
import { duration, percent, table } from './frame/table.ts';
import { type Case, cases } from './judge/cases.ts';
import { runAll } from './judge/runs.ts';

const alpha = 0.001;

/**
 * How often the product's judge takes back a destination that is good enough. That α bounds it is contradicted where the
 * one-sided 99 % lower limit of the rate is above α; how far from it one may still be is what the upper limit says.
 */
export const bench: Bench = {
  about: 'how often the judge takes back a destination that is good enough, over 4 hours at α = 0.1 %',
  options: {
    runs: { about: 'runs of each promised case', otherwise: 20_000 },
    'reported-runs': { about: 'runs of each other case', otherwise: 4000 },
    hours: { about: 'simulated hours of a run', otherwise: 4 },
    seed: { about: 'seed of the first run; the next ones follow', otherwise: 1 },
  },
  cases: cases.map(({ name }) => name),
  run: async (asked, say) => {
    const chosen = cases.filter(({ name }) => asked.cases.includes(name));
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const one of chosen) {
      const { row, goal } = await measure(one, asked, say);
      rows.push(row);
      if (goal !== null) goals.push(goal);
    }
    say('');
    say(table(['case', 'what', 'runs', 'alarms', 'rate', '99 % limits', 'alarms after', 'took'], rows));
    return goals;
  },
};

async function measure(one: Case, asked: Asked, say: Say): Promise<{ row: string[]; goal: Goal | null }> {
  const runs = asked.number(one.promised ? 'runs' : 'reported-runs');
  const startedAt = performance.now();
  const ended = await runAll({
    subject: 'false alarms',
    name: one.name,
    firstSeed: asked.number('seed'),
    runs,
    seconds: asked.number('hours') * 3600,
  });
  const alarms = ended.flatMap(({ seed, second }) => (second === null ? [] : [{ seed, second }]));
  const took = duration((performance.now() - startedAt) / 1000);
  alarms.sort((a, b) => a.second - b.second);
  const [low, high] = [lowerLimit(alarms.length, runs), upperLimit(alarms.length, runs)];
  const limits = `${percent(low, 3)} to ${percent(high, 3)}`;
  const seeds = alarms.slice(0, 5).map(({ seed, second }) => `${seed} after ${second} s`);
  say(`${one.name}: ${alarms.length} of ${runs} in ${took}${seeds.length === 0 ? '' : `; seeds ${seeds.join(', ')}`}`);
  const when = alarms.length === 0 ? '' : duration(alarms[Math.floor(alarms.length / 2)]?.second ?? 0);
  const row = [
    one.name,
    one.about,
    `${runs}`,
    `${alarms.length}`,
    percent(alarms.length / runs, 3),
    limits,
    when,
    took,
  ];
  if (!one.promised) return { row, goal: null };
  const found = `${alarms.length} of ${runs}, ${percent(low, 3)}`;
  return { row, goal: { promised: `${one.name}: lower limit of the rate ≤ 0.1 %`, found, met: low <= alpha } };
}
