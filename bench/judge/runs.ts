import { type JudgePass, type JudgeState, judgeWindows, startJudge } from '../../src/core/judge/judge.ts';
import { Random } from '../../src/sim/random.ts';
import type { Case } from './cases.ts';
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

export function runCase({ rules, world }: Case, seed: number, seconds: number): number | null {
  return secondsToRollBack(startJudge(rules, 1), world(new Random(seed)), seconds);
}
