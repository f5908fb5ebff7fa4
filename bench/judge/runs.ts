import { type JudgePass, type JudgeState, judgeWindows } from '../../src/core/judge/judge.ts';
import { inWorkers } from '../frame/pool.ts';
import type { Ended, Task } from './worker.ts';
import type { History } from './worlds.ts';

/** The lag: an attempt can last 30 s. Nothing is promoted, as in a step that is still baking. */
const pass: JudgePass = { attemptMsMax: 30_000, baked: false, unguarded: [] };

/** Until `roll back`, by the product's own judge, one poll a second; null: it was not said within this time. */
export function secondsToRollBack(start: JudgeState, history: History, seconds: number): number | null {
  let state = start;
  for (let second = 0; second < seconds; second++) {
    state = judgeWindows(state, history(second), pass);
    if (state.decided !== null) return second + 1;
  }
  return null;
}

/** All runs of a case, in worker threads, in the order of their seeds. */
export async function runAll(task: Task): Promise<Ended[]> {
  const all: Ended[] = [];
  const tasks: Task[] = [];
  const runsAtOnce = 25;
  for (let done = 0; done < task.runs; done += runsAtOnce) {
    tasks.push({ ...task, firstSeed: task.firstSeed + done, runs: Math.min(runsAtOnce, task.runs - done) });
  }
  await inWorkers<Task, Ended[]>(new URL('./worker.ts', import.meta.url), tasks, (ended) => all.push(...ended));
  return all.sort((a, b) => a.seed - b.seed);
}
