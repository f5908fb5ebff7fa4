import { Delay } from '../../bench/judge/delay.ts';
import type { Window } from '../../src/core/judge/counting.ts';
import type { JudgePass, JudgeState } from '../../src/core/judge/judge.ts';
import { judgeWindows } from '../../src/core/judge/judge.ts';
import { poisson, randomFrom } from './random.ts';

/** One backend under constant load. Times in seconds; rates are failed fractions of attempts. */
export type Scene = {
  readonly seed: number;
  readonly seconds: number;
  /** 1 where it is not said. */
  readonly pollSeconds?: number;
  readonly rps: number;
  readonly share: (second: number) => number;
  readonly originRate: (second: number) => number;
  readonly destinationRate: (second: number) => number;
  /** How long after its attempt a failure is seen; at most the lag. */
  readonly failsAfter?: number;
  readonly destinationFailsAfter?: number;
  /** `smooth`: the balancer takes turns (round robin). `random`: each attempt is a throw of the dice. */
  readonly split?: 'smooth' | 'random';
};

export const lagMs = 30_000;
export const pass: JudgePass = { attemptMsMax: lagMs, baked: true, unguarded: [] };

/** The windows of a scene, one after the other. */
export function* windowsOf(scene: Scene): Generator<Window> {
  const random = randomFrom(scene.seed);
  const poll = scene.pollSeconds ?? 1;
  const atOnce = scene.failsAfter ?? 0;
  const origin = new Delay(atOnce / poll);
  const destination = new Delay((scene.destinationFailsAfter ?? atOnce) / poll);
  let owed = 0.5;
  for (let second = 0; second < scene.seconds; second += poll) {
    const [attempts, share] = [scene.rps * poll, scene.share(second)];
    owed += attempts * share;
    const smooth = Math.floor(owed);
    owed -= smooth;
    const isRandom = scene.split === 'random';
    const atDestination = isRandom ? poisson(random, attempts * share) : smooth;
    const atOrigin = isRandom ? poisson(random, attempts * (1 - share)) : attempts - smooth;
    const failedOrigin = poisson(random, atOrigin * scene.originRate(second));
    const failedDestination = poisson(random, atDestination * scene.destinationRate(second));
    yield {
      fromMs: second * 1000,
      toMs: (second + poll) * 1000,
      origin: { attempts: atOrigin, failures: origin.pass(failedOrigin) },
      destination: { attempts: atDestination, failures: destination.pass(failedDestination) },
      destinationOpen: 0,
      originHosts: [],
    };
  }
}

export type Outcome = {
  readonly state: JudgeState /** When it was decided; null: never. */;
  readonly second: number | null;
};

/** Judges a scene until a verdict is reached, or its end. */
export function judgeScene(start: JudgeState, scene: Scene, how: JudgePass = pass): Outcome {
  let state = start;
  for (const window of windowsOf(scene)) {
    state = judgeWindows(state, { only: window }, how);
    if (state.decided !== null) return { state, second: window.toMs / 1000 };
  }
  return { state, second: null };
}
