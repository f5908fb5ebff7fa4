import { attemptKey, type Builds, type RolloutEvent } from '../../core/rollout/events.ts';
import type { RolloutPlan } from '../../core/rollout/plan.ts';
import type { Report } from './violation.ts';

/**
 * What the journal itself shows to be wrong, whatever the world was like: it is counted here how often a step was entered with a
 * pair of builds and how long a drill took, and compared with what was made of it.
 */
export class JournalledChecks {
  readonly #plan: RolloutPlan;
  readonly #report: Report;
  /** How often each step was entered for each pair of builds. */
  readonly #attempts = new Map<string, number>();
  #builds: Builds = { origin: '', destination: '' };
  /** What is wrong with the drill; null: nothing, or there was none. */
  #failedDrill: string | null = null;

  constructor(plan: RolloutPlan, report: Report) {
    this.#plan = plan;
    this.#report = report;
  }

  onEvent(event: RolloutEvent): void {
    if (event.kind === 'started' || event.kind === 'builds-changed') this.#builds = event.builds;
    if (event.kind === 'drill-measured') {
      const tookMs = event.measure.acknowledgedMs + event.measure.lastAttemptMs;
      const { boundMs } = this.#plan.policy.drill;
      if (tookMs > boundMs) this.#failedDrill = `its drill took ${Math.round(tookMs)} ms, its bound is ${boundMs} ms`;
    }
    if (event.kind === 'stage-entered') {
      if (this.#failedDrill !== null)
        this.#report('no way on from a failed drill', `it goes on to ${event.stage.kind}, but ${this.#failedDrill}`);
      if (event.stage.kind === 'judging') this.#entered(event.stage.step);
    }
    if (event.kind === 'promoted') this.#promoted(event.step, event.verdict.promote.logEvidence);
  }

  #entered(step: number): void {
    const key = attemptKey(step, this.#builds);
    this.#attempts.set(key, (this.#attempts.get(key) ?? 0) + 1);
  }

  /** Attempt j has β/(j(j+1)), of which comparison and objective have a half each (ROLLOUT.md §3). */
  #promoted(step: number, claimed: number): void {
    const attempt = this.#attempts.get(attemptKey(step, this.#builds)) ?? 1;
    const needed = Math.log((2 * attempt * (attempt + 1)) / this.#plan.policy.judge.beta);
    if (claimed >= needed - 1e-9) return;
    this.#report(
      'less β for every attempt',
      `step ${step} is promoted with evidence ${claimed.toFixed(2)} at its attempt ${attempt}, which needs ${needed.toFixed(2)}`,
    );
  }
}
