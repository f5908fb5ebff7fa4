import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JudgeState, type Verdict, verdict } from '../../src/core/judge/judge.ts';
import type { BackendReading, ServerReading } from '../../src/core/observed/backend.ts';
import { known, type Reading, unknown } from '../../src/core/observed/reading.ts';
import { checkpointOf } from '../../src/core/rollout/checkpoint.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import { fold, type RolloutState } from '../../src/core/rollout/state.ts';
import { tripped } from '../../src/core/rollout/tripwires.ts';
import { startWatch, type Watch, watch } from '../../src/core/rollout/watch.ts';
import { madePlan } from '../made/plan.ts';
import { madeReading, madeServer, untoldTraits } from '../made/readings.ts';

const plan: RolloutPlan = {
  ...madePlan,
  backends: [
    { id: 'a', origin: 'o*', destination: 'd*' },
    { id: 'b', origin: 'o*', destination: 'd*' },
  ],
  steps: [
    { kind: 'weight', share: 0.1, instances: null, bakeMs: 120_000 },
    { kind: 'weight', share: 0.5, instances: null, bakeMs: 120_000 },
  ],
  policy: { ...madePlan.policy, judge: { ...madePlan.policy.judge, dispersion: 1 }, attemptMsMax: 5000 },
};
const builds = { origin: 'v1', destination: 'v2' };

/** A rollout whose journal and balancers this test writes: attempts and failures per second and backend, at both groups. */
class Rollout {
  state: RolloutState;
  watch: Watch;
  nowMs = 1_700_000_000_000;
  process = '1@1';
  abortOnClose: Reading<boolean> = known(false);
  readonly unreadable = new Set<string>();
  /** How long before the end of the pass a backend's answer was complete, and streams open at each group. */
  readonly earlierMs: Record<string, number> = {};
  open: readonly [number, number] = [0, 0];
  readonly #counters = { attempts: [0, 0], failures: [0, 0] };

  constructor(earlierAttempts: Readonly<Record<string, number>> = {}, rolloutPlan: RolloutPlan = plan) {
    const asFound = { backends: {}, origin: null, destination: null };
    const started = { plan: rolloutPlan, planHash: '', asFound, builds, earlierAttempts, reason: null };
    this.state = fold(null, this.#entry(1, { kind: 'started', ...started }));
    this.watch = startWatch(this.state);
  }

  append(event: RolloutEvent): void {
    this.state = fold(this.state, this.#entry(this.state.seq + 1, event));
  }

  judging(step: number, attempt: number): void {
    this.append({ kind: 'stage-entered', stage: { kind: 'judging', step }, attempt });
  }

  /** The controller dies and comes back: it has the journal and nothing else. */
  restart(): void {
    this.state = JSON.parse(JSON.stringify(this.state));
    this.watch = startWatch(this.state);
  }

  /** Seconds of traffic: attempts and failures of [origin, destination] at each backend, one pass each. */
  run(seconds: number, attempts: readonly [number, number], failures: readonly [number, number]): void {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      for (const side of [0, 1] as const) {
        this.#counters.attempts[side] = (this.#counters.attempts[side] ?? 0) + attempts[side];
        this.#counters.failures[side] = (this.#counters.failures[side] ?? 0) + failures[side];
      }
      this.watch = watch(this.watch, this.state, this.observation());
    }
  }

  get verdict(): Verdict {
    return verdict(this.watch.judge);
  }

  get judge(): JudgeState {
    return this.watch.judge;
  }

  #entry(seq: number, body: RolloutEvent) {
    return { operation: 'web', seq, previous: '', hash: '', rules: 1, atMs: this.nowMs, actor: 'drover', body };
  }

  observation(): Observation {
    const at = <T>(reading: Reading<T>) => ({ atMs: this.nowMs, reading });
    const one = (id: string) => ({
      atMs: this.nowMs - (this.earlierMs[id] ?? 0),
      reading: this.unreadable.has(id) ? unknown('gone') : known(this.#reading()),
    });
    return {
      nowMs: this.nowMs,
      leased: true,
      backends: { a: one('a'), b: one('b') },
      origin: at(unknown('nobody asked')),
      destination: at(unknown('nobody asked')),
      marker: known(null),
      requests: [],
      drill: null,
    };
  }

  #reading(): BackendReading {
    const traits = { ...untoldTraits, abortOnClose: this.abortOnClose };
    return madeReading([this.#server('o1', 0), this.#server('d1', 1)], { process: this.process, traits });
  }

  #server(name: string, side: 0 | 1): ServerReading {
    const scur = this.open[side];
    const [attempts = 0, rsp5xx = 0] = [this.#counters.attempts[side], this.#counters.failures[side]];
    return madeServer(name, { counters: { attempts, rsp5xx, rsp2xx: attempts - rsp5xx - scur, scur } });
  }
}

describe('evidence of a live rollout', () => {
  test('the attempt at the step that the journal counts, earlier operations included, has its part of β', () => {
    const rollout = new Rollout();
    rollout.judging(1, 3);
    rollout.run(1, [90, 10], [0, 0]);
    expect(rollout.verdict.promote.threshold).toBeCloseTo(Math.log((2 * 3 * 4) / 0.01), 9);
    rollout.judging(1, 4);
    rollout.run(1, [90, 10], [0, 0]);
    expect(rollout.verdict.promote.threshold).toBeCloseTo(Math.log((2 * 4 * 5) / 0.01), 9);
  });

  test('no promotion before the bake time of the step has passed, counted from when the step was entered', () => {
    const rollout = new Rollout();
    rollout.run(60, [500, 500], [1, 1]);
    rollout.judging(1, 1);
    rollout.run(119, [500, 500], [1, 1]);
    expect(rollout.verdict.promote.logEvidence).toBeGreaterThan(rollout.verdict.promote.threshold);
    expect(rollout.verdict.verdict).toBe('not enough evidence');
    rollout.run(1, [500, 500], [1, 1]);
    expect(rollout.verdict.verdict).toBe('promote');
  });

  test('going on to the next step begins the evidence to promote anew, and keeps the evidence to roll back', () => {
    const rollout = new Rollout();
    rollout.judging(1, 1);
    rollout.run(130, [500, 500], [1, 1]);
    expect(rollout.verdict.verdict).toBe('promote');
    const { comparison } = rollout.judge;
    rollout.append({ kind: 'stage-entered', stage: { kind: 'growing', step: 2 }, attempt: 0 });
    rollout.run(1, [500, 500], [1, 1]);
    expect(rollout.verdict.verdict).toBe('promote');
    rollout.judging(2, 1);
    rollout.run(1, [500, 500], [0, 0]);
    expect(rollout.verdict).toMatchObject({ verdict: 'not enough evidence', promote: { logEvidence: 0 } });
    expect(rollout.judge.comparison.next).toBe(comparison.next);
    expect(rollout.judge.comparison.sums).not.toEqual(comparison.sums.map(() => -Math.LN2));
  });

  test('other builds: all of it begins anew with the next part of α, also for a controller that starts then', () => {
    const rollout = new Rollout();
    rollout.judging(1, 1);
    rollout.run(60, [500, 500], [1, 2]);
    rollout.append({ kind: 'builds-changed', builds: { origin: 'v1', destination: 'v3' }, pair: 2 });
    const threshold = Math.log((2 * 2 * 3) / 0.001);
    const anew = { logEvidence: expect.closeTo(-Math.LN2, 9), threshold: expect.closeTo(threshold, 9) };
    const copy = new Rollout();
    copy.state = rollout.state;
    copy.nowMs = rollout.nowMs;
    copy.restart();
    for (const one of [rollout, copy]) {
      one.run(1, [0, 0], [0, 0]);
      expect(one.verdict.rollBack).toMatchObject(anew);
    }
  });

  test('impatient clients look like failures where requests are aborted on close: the objective says nothing there', () => {
    for (const aborts of [true, false]) {
      const rollout = new Rollout();
      rollout.abortOnClose = known(aborts);
      rollout.run(30, [500, 500], [50, 50]);
      expect(rollout.verdict.verdict).toBe(aborts ? 'not enough evidence' : 'roll back');
    }
  });

  test('how long an attempt can last is what the plan says', () => {
    const lagOf = (attemptMsMax: number) => {
      const rollout = new Rollout({}, { ...plan, policy: { ...plan.policy, attemptMsMax } });
      let second = 0;
      while (rollout.verdict.verdict !== 'roll back' && second++ < 60) rollout.run(1, [99_900, 100], [2, 1]);
      return second;
    };
    expect(lagOf(20_000) - lagOf(5000)).toBe(15);
  });

  test('a balancer that cannot be read adds nothing and keeps nobody from being judged', () => {
    const rollout = new Rollout();
    rollout.run(20, [500, 500], [1, 1]);
    rollout.unreadable.add('a');
    const before = rollout.judge.backends;
    rollout.run(30, [500, 500], [1, 100]);
    expect(rollout.judge.backends['a']).toEqual(before['a']);
    expect(rollout.verdict).toMatchObject({ verdict: 'roll back' });
  });

  test('a process that starts anew is no failure of the destination', () => {
    const rollout = new Rollout();
    rollout.run(20, [500, 500], [1, 1]);
    const before = rollout.verdict.rollBack;
    rollout.process = '2@2';
    rollout.run(1, [100_000, 100_000], [0, 90_000]);
    expect(rollout.verdict.rollBack).toEqual(before);
  });

  test('each balancer has its own times: those at which its answers were complete', () => {
    const rollout = new Rollout();
    rollout.earlierMs['a'] = 400;
    rollout.run(1, [500, 500], [0, 0]);
    rollout.earlierMs['a'] = 100;
    rollout.run(1, [500, 500], [0, 0]);
    const { a, b } = rollout.watch.windows;
    expect([a, b].map((window) => (window === undefined ? null : window.toMs - window.fromMs))).toEqual([1300, 1000]);
    expect(a?.toMs).toBe(rollout.nowMs - 100);
  });

  test('requests that hang at a destination that carries traffic are a tripwire, unless the origin has as many', () => {
    const hung = (open: readonly [number, number]) => {
      const rollout = new Rollout();
      const traffic = { a: { d1: { weight: 1, admin: 'ready' as const } } };
      const target = { requestedShare: 0.5, traffic, origin: null, destination: null };
      rollout.append({ kind: 'intended', target, why: 'a test' });
      rollout.open = open;
      rollout.run(12, [10, 10], [0, 0]);
      return tripped(rollout.state, rollout.watch, rollout.observation());
    };
    expect(hung([0, 111])).toMatchObject({ kind: 'tripwire', wire: 'hung requests' });
    expect(hung([0, 109])).toBeNull();
    expect(hung([111, 111])).toBeNull();
  });
});

describe('a controller that dies', () => {
  test('at any moment: roll back stays what it was, and nothing is judged twice or made up', () => {
    const phase = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(20), fc.nat(20));
    fc.assert(
      fc.property(fc.array(phase, { minLength: 1, maxLength: 8 }), fc.nat(7), (phases, dies) => {
        const [through, dying] = [new Rollout(), new Rollout()];
        for (const one of [through, dying]) one.judging(1, 1);
        phases.forEach(([seconds, origin, destination], index) => {
          through.run(seconds, [500, 500], [origin, destination]);
          dying.run(seconds, [500, 500], [origin, destination]);
          if (index !== dies) return;
          const before = dying.verdict;
          dying.append(checkpointOf(dying.state, dying.watch, dying.nowMs));
          dying.restart();
          expect(dying.verdict).toEqual(before);
          // Its first reading is a first one: no window, so nothing changes.
          dying.run(1, [500, 500], [500, 500]);
          through.nowMs += 1000;
          expect(dying.verdict.rollBack).toEqual(before.rollBack);
          if (before.verdict === 'roll back') expect(dying.verdict).toEqual(before);
        });
        // The comparison had to wait for one lag again, so the evidence is another one; the errors allowed are the same.
        expect(dying.verdict.rollBack.threshold).toBe(through.verdict.rollBack.threshold);
        expect(dying.verdict.promote.threshold).toBe(through.verdict.promote.threshold);
      }),
      { numRuns: 100 },
    );
  });

  test('without a checkpoint since the step or the builds: what the journal says holds all the same', () => {
    const rollout = new Rollout();
    rollout.judging(1, 1);
    rollout.run(130, [500, 500], [1, 1]);
    rollout.append(checkpointOf(rollout.state, rollout.watch, rollout.nowMs));
    expect(rollout.verdict.verdict).toBe('promote');
    rollout.judging(2, 2);
    rollout.restart();
    expect(rollout.verdict).toMatchObject({
      verdict: 'not enough evidence',
      promote: { logEvidence: expect.closeTo(0, 12), threshold: expect.closeTo(Math.log((2 * 2 * 3) / 0.01), 9) },
    });
  });
});
