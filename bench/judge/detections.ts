import { type Rules, startJudge } from '../../src/core/judge/judge.ts';
import { Random } from '../../src/sim/random.ts';
import { secondsToRollBack } from './runs.ts';
import { evenHosts, independent, steady } from './worlds.ts';

/** A destination that fails too often from a moment on. `medianSecondsMax`: what was promised; null: reported only. */
export type Detection = {
  readonly name: string;
  readonly rps: number;
  readonly share: number;
  readonly rate: number;
  readonly ratio: number;
  readonly tolerate: number;
  /** Clean seconds at this share before it begins. */
  readonly cleanSeconds: number;
  readonly split: 'turns' | 'dice';
  /** Seconds for which the judge saw the origin's hosts before the step up, with the default φ = 3 until it is measured; null: φ = 1. */
  readonly watchedSeconds: number | null;
  readonly medianSecondsMax: number | null;
};

/** 10 of 110 nodes at 1000 rps and 0.1 %, from the first request on. */
const usual: Omit<Detection, 'name' | 'medianSecondsMax'> = {
  rps: 1000,
  share: 10 / 110,
  rate: 0.001,
  ratio: 10,
  tolerate: 2,
  cleanSeconds: 0,
  split: 'turns',
  watchedSeconds: null,
};

const late = { cleanSeconds: 3600 };

export const detections: readonly Detection[] = [
  { ...usual, name: '10x-r0-2', medianSecondsMax: 18 },
  { ...usual, name: '10x-r0-1', tolerate: 1, medianSecondsMax: 10 },
  { ...usual, name: '10x-late-r0-2', ...late, medianSecondsMax: 25 },
  { ...usual, name: '10x-late-r0-1', ...late, tolerate: 1, medianSecondsMax: 25 },
  ...(
    [
      ['10x-dice-r0-2', { split: 'dice' }],
      ['10x-dice-r0-1', { split: 'dice', tolerate: 1 }],
      ['10x-late-dice-r0-2', { ...late, split: 'dice' }],
      ['10x-default', { watchedSeconds: 60 }],
      ['10x-default-watched', { watchedSeconds: 3600 }],
      ['3x-r0-2', { ratio: 3 }],
      ['3x-r0-1', { ratio: 3, tolerate: 1 }],
      ['5x-r0-2', { ratio: 5 }],
      ['50x-r0-2', { ratio: 50 }],
      ['10x-17pc-r0-2', { share: 1 / 6 }],
      ['10x-1pc-r0-2', { share: 0.01 }],
      ['10x-100rps-r0-2', { rps: 100 }],
      ['10x-100rps-late-r0-2', { rps: 100, ...late }],
      ['10x-100rps-0.01pc-r0-2', { rps: 100, rate: 0.0001 }],
      ['10x-20rps-17pc-r0-2', { rps: 20, share: 1 / 6 }],
    ] as const
  ).map(([name, changes]) => ({ ...usual, ...changes, name, medianSecondsMax: null })),
];

/** Before the step up all is at the origin, for as long as an attempt can last and as long again. */
const beforeStepUp = 60;

/** A process of the judge starts each minute: a late onset has no favourite second in it. */
function withinMinute(seed: number): number {
  return Math.floor(60 * new Random(seed).fork('onset').unit());
}

/** Seconds from the onset until `roll back`; null: not within three hours, or before the onset. */
export function runDetection(detection: Detection, seed: number): number | null {
  const { rps, share, rate, ratio, tolerate, cleanSeconds, split, watchedSeconds } = detection;
  const rules: Rules = { alpha: 0.001, beta: 0.01, tolerate, bad: 3, dispersion: 1, objective: null };
  if (watchedSeconds !== null) {
    const history = evenHosts(
      { rps, originHosts: 100, destinationHosts: 10, rate },
      watchedSeconds,
      ratio,
    )(new Random(seed));
    const second = secondsToRollBack(startJudge({ ...rules, dispersion: 3 }, 1), history, watchedSeconds + 3 * 3600);
    return second === null || second <= watchedSeconds ? null : second - watchedSeconds;
  }
  const onset = beforeStepUp + (cleanSeconds === 0 ? 0 : cleanSeconds + withinMinute(seed));
  const world = independent({
    rps,
    share: from(beforeStepUp, 0, share),
    originRate: steady(rate),
    destinationRate: from(onset, rate, ratio * rate),
    split,
  });
  const second = secondsToRollBack(startJudge(rules, 1), world(new Random(seed)), onset + 3 * 3600);
  return second === null || second <= onset ? null : second - onset;
}

function from(onset: number, before: number, after: number): (second: number) => number {
  return (second) => (second < onset ? before : after);
}
