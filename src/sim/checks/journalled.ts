import { attemptKey, type Builds, type ForwardStage, type RolloutEvent } from '../../core/rollout/events.ts';
import type { RolloutPlan } from '../../core/rollout/plan.ts';
import type { Scenario } from '../scenario.ts';
import type { Report } from './violation.ts';

/**
 * What the journal itself shows to be wrong, whatever the world was like: it is counted here how often a step was entered with a
 * pair of builds, how long it was judged and how long a drill took, and compared with what was made of it.
 */
export class JournalledChecks {
  readonly #plan: RolloutPlan;
  /** The journal's times are the world's: no clock was set, and no disk kept an entry waiting. */
  readonly #isTimely: boolean;
  readonly #report: Report;
  /** How often each step was entered for each pair of builds. */
  readonly #attempts = new Map<string, number>();
  #builds: Builds = { origin: '', destination: '' };
  /** What is wrong with the drill; null: nothing, or there was none. */
  #failedDrill: string | null = null;
  #stage: ForwardStage['kind'] = 'preparing';
  /** Builds that were taken back and nobody has given a reason for. */
  readonly #blamed: Set<string>;
  /** Since when the traffic of this step is judged. */
  #judging: { readonly step: number; readonly since: When } | null = null;

  constructor({ plan, faults, takenBack = {} }: Scenario, report: Report) {
    this.#plan = plan;
    this.#blamed = new Set(Object.keys(takenBack));
    this.#isTimely = !('clock-steps' in faults || 'journal-stalls' in faults || 'disk-full' in faults);
    this.#report = report;
  }

  onEvent(event: RolloutEvent, at: When): void {
    if (event.kind === 'started' || event.kind === 'builds-changed') this.#builds = event.builds;
    if (event.kind === 'resumed' && event.reason !== null)
      for (const build of this.#buildsAtDestination()) this.#blamed.delete(build);
    this.#unexplained(event);
    if (event.kind === 'drill-measured') {
      const tookMs = event.measure.acknowledgedMs + event.measure.lastAttemptMs;
      const { boundMs } = this.#plan.policy.drill;
      if (tookMs > boundMs) this.#failedDrill = `its drill took ${Math.round(tookMs)} ms, its bound is ${boundMs} ms`;
    }
    if (event.kind === 'stage-entered') {
      if (this.#failedDrill !== null)
        this.#report('no way on from a failed drill', `it goes on to ${event.stage.kind}, but ${this.#failedDrill}`);
      if (event.stage.kind === 'finishing') this.#baked(this.#plan.steps.length + 1, at);
      this.#judging = event.stage.kind === 'judging' ? { step: event.stage.step, since: at } : null;
      if (event.stage.kind === 'judging') this.#entered(event.stage.step);
    }
    if (event.kind === 'promoted') {
      this.#baked(event.step, at);
      this.#promoted(event.step, event.verdict.promote.logEvidence);
    }
  }

  #buildsAtDestination(): readonly string[] {
    return this.#builds.destination.split(' + ');
  }

  /** What goes on to more traffic, or ends with all of it. Where it stands it may be begun anew. */
  #unexplained(event: RolloutEvent): void {
    const entered = event.kind === 'stage-entered' ? event.stage.kind : null;
    const goesOn = entered !== null && forward.includes(entered) && entered !== this.#stage;
    if (entered !== null) this.#stage = entered;
    if (!goesOn && event.kind !== 'promoted' && event.kind !== 'completed') return;
    const build = this.#buildsAtDestination().find((one) => this.#blamed.has(one));
    if (build !== undefined)
      this.#report(
        'a build that was taken back needs a reason',
        `it goes on (${event.kind}) with ${build}, which was taken back before, and nobody has said why`,
      );
  }

  /**
   * However much evidence there is: what shows late has had its time. Whoever takes over has only the journal's times to go by,
   * and cannot tell a clock that was set forward from a time in which nobody ran.
   */
  #baked(step: number, at: When): void {
    const bakeMs = this.#plan.steps[step - 1]?.bakeMs ?? this.#plan.policy.finalBakeMs;
    const since = this.#judging?.step === step ? this.#judging.since : at;
    const byJournalMs = at.entryMs - since.entryMs;
    const byWorldMs = this.#isTimely ? at.durableMs - since.durableMs + appendMs : byJournalMs;
    if (Math.min(byJournalMs, byWorldMs) >= bakeMs) return;
    const what = step > this.#plan.steps.length ? 'the whole share' : `step ${step}`;
    this.#report(
      'no way on before the bake time',
      `${what} is left after ${Math.round(byJournalMs / 1000)} s, its bake time is ${bakeMs / 1000} s`,
    );
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

/** Stages that give the destination more than the ones before. */
const forward: readonly ForwardStage['kind'][] = ['drill-shifting', 'growing', 'finishing'];

/** When an entry was written by its own word, and when it became durable in the world's time. */
type When = { readonly entryMs: number; readonly durableMs: number };

/** From the moment by which an entry counts to the one at which it stands on the disk. */
const appendMs = 1000;
