import { enterStep, type JudgePass, judgeWindows, type Rules, startJudge } from '../../src/core/judge/judge.ts';
import { Random } from '../../src/sim/random.ts';
import { kayenta } from './others/kayenta.ts';
import type { OtherRule } from './others/rule.ts';
import { argo, flagger } from './others/thresholds.ts';
import { type History, independent, steady } from './worlds.ts';

/** Before the destination gets traffic; Drover looks on, the others begin with the traffic. */
const beforeStepUp = 60;
const rate = 0.001;
const hours = 4;

export const traffics = [
  { name: '1000 rps', rps: 1000, share: 10 / 110 },
  { name: '20 rps', rps: 20, share: 10 / 110 },
  { name: 'none', rps: 1000, share: 0 },
] as const;
export const ratios = [1, 3, 5, 10] as const;

const drover: Rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 1, objective: null };

/** `rules`: the product's own judge. All are shown the same seconds. */
export type Contender = Omit<OtherRule, 'start'> & ({ readonly rules: Rules } | { readonly start: OtherRule['start'] });

export const contenders: readonly Contender[] = [
  {
    name: 'Drover',
    about: 'each second, α = 0.1 %, twice the origin tolerated, φ = 1',
    source: 'docs/internals/judge.md',
    otherwise: 'waits',
    rules: drover,
  },
  {
    name: 'Drover, tolerate 1',
    about: 'each second, α = 0.1 %, nothing tolerated, φ = 1',
    source: 'docs/internals/judge.md',
    otherwise: 'waits',
    rules: { ...drover, tolerate: 1 },
  },
  flagger('Flagger', { intervalSeconds: 60, successMin: 0.99, threshold: 5 }),
  flagger('Flagger, tightened', { intervalSeconds: 10, successMin: 0.995, threshold: 3 }),
  argo('Argo Rollouts', { intervalSeconds: 300, scrapeSeconds: 60, successMin: 0.95, failures: 3, errorsMax: 4 }),
  argo('Argo Rollouts, tightened', {
    intervalSeconds: 15,
    scrapeSeconds: 15,
    successMin: 0.995,
    failures: 3,
    errorsMax: 4,
  }),
  kayenta,
];

export type Contest = { readonly contender: string; readonly traffic: string; readonly ratio: number };

/** Seconds from the first traffic at the destination until it is taken back; null: not within four hours. */
export function runContest({ contender, traffic, ratio }: Contest, seed: number): number | null {
  const entered = contenders.find(({ name }) => name === contender);
  const where = traffics.find(({ name }) => name === traffic);
  if (entered === undefined || where === undefined) throw new Error(`no contest of ${contender} at ${traffic}`);
  const history = independent({
    rps: where.rps,
    share: (second) => (second < beforeStepUp ? 0 : where.share),
    originRate: steady(rate),
    destinationRate: steady(ratio * rate),
  })(new Random(seed));
  return 'rules' in entered ? byDrover(entered.rules, history) : byOther(entered.start(seed), history);
}

/** Ready to promote whenever there is evidence for it; what has been promoted is still watched. */
const pass: JudgePass = { attemptMsMax: 30_000, baked: true, unguarded: [] };

function byDrover(rules: Rules, history: History): number | null {
  let state = startJudge(rules, 1);
  for (let second = 0; second < beforeStepUp + hours * 3600; second++) {
    if (second === beforeStepUp) state = enterStep(state, 1, second * 1000);
    state = judgeWindows(state, history(second), pass);
    if (state.decided === 'roll back') return second + 1 - beforeStepUp;
  }
  return null;
}

function byOther(judging: ReturnType<OtherRule['start']>, history: History): number | null {
  for (let second = 0; second < beforeStepUp + hours * 3600; second++) {
    const { only } = history(second);
    if (only === undefined || second < beforeStepUp) continue;
    if (judging(second - beforeStepUp, only)) return second + 1 - beforeStepUp;
  }
  return null;
}
