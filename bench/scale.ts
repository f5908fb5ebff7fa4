import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Asked, Bench, Say } from './frame/bench.ts';
import type { Goal } from './frame/goals.ts';
import { describeSpread, spreadOf } from './frame/spread.ts';
import { table } from './frame/table.ts';
import { appendsPerSecond, backBesideHanging } from './scale/journal.ts';
import { passes } from './scale/passes.ts';

const passMsMax = 50;
const memoryMiBMax = 250;
const appendsMin = 1000;
/** By which factor the time per instance may grow over a factor of 100 in size and still be called a straight line. */
const slopeMax = 2;

const cases = ['passes', 'appends', 'hanging', 'slope'] as const;

/** Whether a controller can look after a large fleet: time, memory, the journal, and that one operation does not wait for another. */
export const bench: Bench = {
  about:
    '50 rollouts of 1,400 instances: a pass over all of them, memory; durable appends per second; a way back beside calls that hang; up to 100,000 instances',
  options: {
    passes: { about: 'passes over the 50 rollouts', otherwise: 1000 },
    appends: { about: 'entries that are appended, each durable before the next', otherwise: 5000 },
    seconds: { about: 'how long memory is watched', otherwise: 60 },
    times: { about: 'how often appends and ways back are measured', otherwise: 5 },
  },
  cases,
  run: async (asked, say) => {
    const goals: Goal[] = [];
    if (asked.cases.includes('passes')) goals.push(...(await overAll(asked, say)));
    if (asked.cases.includes('appends')) goals.push(await appends(asked, say));
    if (asked.cases.includes('hanging')) goals.push(await hanging(asked, say));
    if (asked.cases.includes('slope')) goals.push(await slope(say));
    return goals;
  },
};

async function overAll(asked: Asked, say: Say): Promise<Goal[]> {
  const took = spreadOf(await passes(50, 14, asked.number('passes')));
  say(
    `one pass over 50 rollouts, 1,400 instances: median ${took.median.toFixed(1)} ms, p99 ${took.p99.toFixed(1)} ms, longest ${took.largest.toFixed(1)} ms (${took.count} passes)`,
  );
  // A process of its own, at its own pace: a thousand passes without a pause are garbage that nobody has had time to collect.
  const seconds = asked.number('seconds');
  const child = [join(import.meta.dirname, 'scale', 'paced.ts'), '50', '14', `${seconds}`];
  const memoryMiB = Number((await promisify(execFile)(process.execPath, child)).stdout);
  say(`the same, a pass each second for ${seconds} s: at most ${memoryMiB.toFixed(0)} MiB resident`);
  return [
    {
      promised: `a pass over 1,400 instances ≤ ${passMsMax} ms, p99`,
      found: `${took.p99.toFixed(1)} ms`,
      met: took.p99 <= passMsMax,
    },
    {
      promised: `the process ≤ ${memoryMiBMax} MiB`,
      found: `${memoryMiB.toFixed(0)} MiB`,
      met: memoryMiB <= memoryMiBMax,
    },
  ];
}

async function appends(asked: Asked, say: Say): Promise<Goal> {
  const rates: number[] = [];
  for (let time = 0; time < asked.number('times'); time++) rates.push(await appendsPerSecond(asked.number('appends')));
  const rate = spreadOf(rates);
  say(`durable appends one by one: ${describeSpread(rate, 0)} per second`);
  return {
    promised: `durable appends one by one ≥ ${appendsMin} per second`,
    found: rate.median.toFixed(0),
    met: rate.median >= appendsMin,
  };
}

async function hanging(asked: Asked, say: Say): Promise<Goal> {
  const alone: number[] = [];
  const beside: number[] = [];
  for (let time = 0; time < asked.number('times'); time++) {
    alone.push(await backBesideHanging(false));
    beside.push(await backBesideHanging(true));
  }
  const [without, withIt] = [spreadOf(alone), spreadOf(beside)];
  say(
    `asked → taken at the balancer, ms: ${describeSpread(without)}; beside an operation whose every call hangs: ${describeSpread(withIt)}`,
  );
  // The deadline of the other's calls is 2 s: whoever waited for one would show it.
  return {
    promised: 'a way back does not wait for what hangs elsewhere (< 250 ms)',
    found: `${withIt.largest.toFixed(1)} ms`,
    met: withIt.largest < 250,
  };
}

async function slope(say: Say): Promise<Goal> {
  const rows: string[][] = [];
  const perInstance: number[] = [];
  for (const instances of [1000, 10_000, 100_000]) {
    const took = spreadOf(await passes(1, instances / 2, Math.max(5, 100_000 / instances)));
    perInstance.push((took.median * 1000) / instances);
    rows.push([`${instances}`, took.median.toFixed(1), ((took.median * 1000) / instances).toFixed(2)]);
  }
  say(table(['instances of one rollout', 'a pass, ms', 'per instance, µs'], rows));
  const factor = (perInstance.at(-1) ?? 0) / (perInstance[0] ?? 1);
  return {
    promised: `per instance at 100,000 no more than ${slopeMax} times that at 1,000`,
    found: `${factor.toFixed(2)} times`,
    met: factor <= slopeMax,
  };
}
