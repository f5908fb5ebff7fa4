import type { RolloutEvent } from '../../core/rollout/events.ts';
import type { FaultName } from '../faults.ts';
import type { Balancer } from '../world/balancer.ts';
import type { World } from '../world/world.ts';
import type { Chain } from './chain.ts';
import { type Actor, answeredWithinMs, type PromptnessChecks, stoodBy } from './promptness.ts';
import type { Report } from './violation.ts';

/**
 * A build that fails so much that no honest judge can wait is left: never too late, as `EvidenceChecks` says never too early.
 * From the world's own books at the moments at which one controller read them: the evidence of the objective alone (ROLLOUT.md
 * §2), divided by more than the dispersion of these worlds, with all taken off that mixtures and late attempts can cost. Once that
 * is over the threshold the controller knows; it has the rest of its reading, one call to the balancers and an entry. Only in
 * worlds in which nothing keeps counts from it, and nothing makes the origin's failures scatter.
 */
export class BadBuildChecks {
  readonly #world: World;
  readonly #chain: Chain;
  readonly #promptness: PromptnessChecks;
  readonly #report: Report;
  /** Since when one controller has counted one pair of builds, and what it has read of each balancer. */
  #counted: Counted = { by: null, sinceMs: 0, balancers: new Map() };
  #pair = 1;
  #builds = '';

  constructor(world: World, chain: Chain, promptness: PromptnessChecks, report: Report) {
    this.#world = world;
    this.#chain = chain;
    this.#promptness = promptness;
    this.#report = report;
  }

  onEvent(event: RolloutEvent): void {
    if (event.kind !== 'builds-changed') return;
    this.#pair = event.pair;
    this.#restart(null);
  }

  onBackendRead(by: Actor, leased: boolean, balancer: Balancer): void {
    const { scenario, schedule, origin, destination } = this.#world;
    if (blurring.some((fault) => fault in scenario.faults)) return;
    const builds = `${origin.buildsRunning()} ${destination.buildsRunning()}`;
    if (by.holder !== this.#counted.by || builds !== this.#builds) this.#restart(by.holder);
    this.#builds = builds;
    this.#count(balancer);
    if (!leased || this.#chain.back !== null || this.#chain.end !== null) return;
    const [evidence, threshold] = [this.#evidence(), this.#threshold()];
    if (evidence === null || evidence < threshold) return;
    const sinceMs = schedule.nowMs;
    const withinMs = answeredWithinMs(this.#world);
    const why = `${by.holder} could know ${withinMs} ms ago that the destination fails beyond its objective, with evidence of at least ${evidence.toFixed(1)} where ${threshold.toFixed(1)} is enough`;
    schedule.after(withinMs, () => {
      if (stoodBy(by, sinceMs) && this.#chain.back === null && this.#chain.end === null)
        this.#report('a bad build is left', `${why}, and has not gone back`);
    });
    this.#promptness.expectCut(by, false, withinMs, why);
  }

  #restart(by: string | null): void {
    this.#counted = { by, sinceMs: this.#world.schedule.nowMs, balancers: new Map() };
  }

  /** Failures count a while later than attempts: not those of attempts before, nor those that a start time leaves out. */
  #count(balancer: Balancer): void {
    const { scenario, schedule } = this.#world;
    const { destinationAttempts: attempts, destinationFailures: failures } = balancer.counts;
    const lagMs = scenario.plan.policy.attemptMsMax + startEveryMs + scenario.timing.pollMs + scenario.timing.callMs;
    const before = this.#counted.balancers.get(balancer);
    const isEarly = schedule.nowMs < this.#counted.sinceMs + lagMs;
    this.#counted.balancers.set(balancer, {
      atMs: schedule.nowMs,
      attemptsFirst: before?.attemptsFirst ?? attempts,
      failuresFirst: before === undefined || isEarly ? failures : before.failuresFirst,
      attempts,
      failures,
    });
  }

  /** ln of the best alternative's likelihood ratio; null: not every balancer has been read in this pass. */
  #evidence(): number | null {
    const { scenario, balancers, schedule, loadRps } = this.#world;
    // Requests under way at a first reading hide as many silent failures.
    let failures = -requestSeconds * loadRps;
    let attempts = 0;
    for (const balancer of balancers.values()) {
      const row = this.#counted.balancers.get(balancer);
      if (row === undefined || row.atMs < schedule.nowMs - passMs) return null;
      failures += row.failures - row.failuresFirst;
      attempts += row.attempts - row.attemptsFirst;
    }
    const expected = (scenario.plan.objective ?? 1) * attempts * attemptsMost;
    const ratios = alternatives.map((ratio) => failures * Math.log(ratio) - (ratio - 1) * expected);
    return Math.max(...ratios) / Math.max(dispersionMost, scenario.plan.policy.judge.dispersion);
  }

  /** ln(2/α) of this pair of builds, the one of five alternatives, and the start time. */
  #threshold(): number {
    const { alpha } = this.#world.scenario.plan.policy.judge;
    const starts = Math.ceil(this.#world.schedule.nowMs / startEveryMs) + 2;
    const part = this.#pair * (this.#pair + 1) * starts * (starts + 1) * alternatives.length;
    return Math.log((2 / alpha) * part) + 1;
  }
}

type Counted = {
  readonly by: string | null;
  readonly sinceMs: number;
  readonly balancers: Map<Balancer, Row>;
};
type Row = {
  readonly atMs: number;
  readonly attemptsFirst: number;
  readonly failuresFirst: number;
  readonly attempts: number;
  readonly failures: number;
};

const alternatives = [2, 3, 5, 10, 30];
const startEveryMs = 60_000;
/** The guard takes the largest rate of attempts within a lag for the present one; counts scatter, and steps only go up here. */
const attemptsMost = 1.5;
const dispersionMost = 3;
const requestSeconds = 0.05;
/** The answers to one pass come within this. */
const passMs = 50;

/** What keeps counts from a controller, makes it forget them, or makes the origin's failures scatter. */
const blurring: readonly FaultName[] = [
  'call-lost',
  'call-unanswered',
  'call-late',
  'call-throttled',
  'reading-missing',
  'counters-cleared',
  'counters-late',
  'counters-twice',
  'balancer-reload',
  'balancer-unreachable',
  'second-controller',
  'clock-steps',
  'disk-full',
  'journal-stalls',
  'share-drifts',
  'weights-by-hand',
  'origin-dies',
  'instance-dies',
  'instance-flaps',
  'scale-in-by-others',
  'partial-capacity',
  'load-spike',
];
