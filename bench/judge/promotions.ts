import { enterStep, type JudgePass, judgeWindows, type Rules, startJudge } from '../../src/core/judge/judge.ts';
import { Random } from '../../src/sim/random.ts';
import { independent, steady } from './worlds.ts';

/** A destination this many times as bad as the origin, at 1000 rps, 10 of 110 nodes and 0.1 %, over attempts at one step. */
export type Promotion = {
  readonly name: string;
  readonly about: string;
  readonly ratio: number;
  readonly rules: Rules;
  readonly attempts: number;
  readonly attemptSeconds: number;
  /** How often it may be promoted; null: it is as good as the origin, and the median time is told. */
  readonly rateMax: number | null;
  readonly promised: boolean;
};

const rate = 0.001;
const usual: Rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 1, objective: null };
/** Evidence to roll back would keep most of them from being promoted: here the evidence to promote stands alone. */
const alone: Rules = { ...usual, alpha: 1e-300, tolerate: 2.99 };
const twenty = { ratio: 3, attempts: 20, attemptSeconds: 600, rateMax: 0.01 };
const good = { ratio: 1, attempts: 1, attemptSeconds: 7200, rateMax: null, promised: false };

export const promotions: readonly Promotion[] = [
  { name: 'bad-alone', about: 'ρ = R_bad = 3, comparison alone', rules: alone, ...twenty, promised: true },
  {
    name: 'bad-objective',
    about: 'ρ = R_bad = 3 and at the objective, both ways alone',
    rules: { ...alone, objective: 3 * rate },
    ...twenty,
    promised: true,
  },
  {
    name: 'bad-usual',
    about: 'ρ = R_bad = 3, with the evidence to roll back',
    rules: usual,
    ...twenty,
    promised: false,
  },
  { name: 'good-3', about: 'ρ = 1, R_bad = 3', rules: usual, ...good },
  { name: 'good-10', about: 'ρ = 1, R_bad = 10', rules: { ...usual, bad: 10 }, ...good },
  {
    name: 'good-objective',
    about: 'ρ = 1, R_bad = 3, objective 0.5 %',
    rules: { ...usual, objective: 0.005 },
    ...good,
  },
];

const pass: JudgePass = { attemptMsMax: 30_000, baked: true, unguarded: [] };
const beforeStepUp = 60;

/** Seconds from the first step up until `promote`; null: never in all attempts, or taken back. */
export function runPromotion({ ratio, rules, attempts, attemptSeconds }: Promotion, seed: number): number | null {
  const history = independent({
    rps: 1000,
    share: (second) => (second < beforeStepUp ? 0 : 10 / 110),
    originRate: steady(rate),
    destinationRate: steady(ratio * rate),
  })(new Random(seed));
  let state = startJudge(rules, 1);
  for (let second = 0; second < beforeStepUp + attempts * attemptSeconds; second++) {
    const since = second - beforeStepUp;
    if (since >= 0 && since % attemptSeconds === 0) state = enterStep(state, 1 + since / attemptSeconds, second * 1000);
    state = judgeWindows(state, history(second), pass);
    if (state.decided !== null) return state.decided === 'promote' ? since + 1 : null;
  }
  return null;
}
