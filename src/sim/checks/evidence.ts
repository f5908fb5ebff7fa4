import type { RolloutEvent } from '../../core/rollout/events.ts';
import type { Balancer, Counts } from '../world/balancer.ts';
import type { World } from '../world/world.ts';
import { knowledgeMs } from './vantage.ts';
import type { Report } from './violation.ts';

/** What truly happened at one balancer in one stretch of time, and the true share of the stretches that an attempt can span. */
type Stretch = {
  readonly endMs: number;
  readonly counts: Counts;
  readonly share: number;
};

/**
 * Recomputes from the world's own books how much evidence there can have been, and compares every verdict in the journal with
 * it. It has the true counts and the true share, counts no dispersion and starts where that is best for the evidence, so an
 * honest judge always says less. More than that was made of another share, another pair of builds, or nothing.
 */
export class EvidenceChecks {
  readonly #world: World;
  readonly #report: Report;
  readonly #seen = new Map<string, Counts>();
  readonly #stretches = new Map<string, Stretch[]>();
  readonly #backPeaks: BackPeaks;
  #builds: string;
  #pairs: { readonly fromMs: number }[] = [{ fromMs: 0 }];
  #judgingSinceMs = 0;

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
    this.#builds = this.#buildsNow();
    this.#backPeaks = new BackPeaks(world.scenario.plan.objective ?? 0, losesCounts(world));
  }

  /** After each change of the world: closes a stretch every ten seconds and at each change of builds. */
  look(atTick: boolean): void {
    const builds = this.#buildsNow();
    const changed = builds !== this.#builds;
    if (!atTick && !changed) return;
    for (const balancer of this.#world.balancers.values()) this.#close(balancer);
    if (!changed) return;
    this.#builds = builds;
    this.#pairs.push({ fromMs: this.#world.schedule.nowMs });
  }

  onEvent(event: RolloutEvent): void {
    const { nowMs } = this.#world.schedule;
    if (event.kind === 'stage-entered' && event.stage.kind === 'judging') this.#judgingSinceMs = nowMs;
    if (event.kind === 'promoted') this.#promoted(event.step, event.verdict.promote.logEvidence, nowMs);
    if (event.kind === 'back-performed' && event.cause.kind === 'judge' && event.verdict !== null) {
      this.#rolledBack(event.verdict.rollBack.logEvidence);
    }
  }

  #promoted(step: number, claimed: number, nowMs: number): void {
    this.look(true);
    const noticedMs = nowMs - knowledgeMs(this.#world);
    const pair = this.#pairs.findLast((one) => one.fromMs <= noticedMs) ?? { fromMs: 0 };
    const fromMs = Math.max(this.#judgingSinceMs, pair.fromMs) - 1000;
    const most = promotionAtMost(
      this.#stretches.values(),
      { fromMs, noticedMs },
      this.#world.scenario.plan.objective ?? 0,
      losesCounts(this.#world),
    );
    if (claimed <= most * slack + 2) return;
    this.#report(
      'evidence from observed traffic',
      `step ${step} is promoted with evidence ${claimed.toFixed(1)}; the traffic since it began and since the builds changed gives at most ${most.toFixed(1)}`,
    );
  }

  #rolledBack(claimed: number): void {
    this.look(true);
    const most = this.#backPeaks.most();
    if (claimed <= most * slack + 2) return;
    this.#report(
      'evidence from observed traffic',
      `the way back is taken with evidence ${claimed.toFixed(1)}; the traffic gives at most ${most.toFixed(1)}`,
    );
  }

  #close(balancer: Balancer): void {
    const before = this.#seen.get(balancer.id) ?? {
      originAttempts: 0,
      originFailures: 0,
      destinationAttempts: 0,
      destinationFailures: 0,
    };
    const now = { ...balancer.counts };
    this.#seen.set(balancer.id, now);
    const counts = difference(now, before);
    if (counts.originAttempts + counts.destinationAttempts + counts.originFailures + counts.destinationFailures === 0)
      return;
    const list = this.#stretches.get(balancer.id) ?? [];
    this.#stretches.set(balancer.id, list);
    const endMs = this.#world.schedule.nowMs;
    const share = pooledShare(list, counts, endMs - this.#world.scenario.plan.policy.attemptMsMax - 10_000);
    const stretch = { endMs, counts, share };
    list.push(stretch);
    this.#backPeaks.add(stretch);
  }

  #buildsNow(): string {
    return `${this.#world.origin.buildsRunning()} ${this.#world.destination.buildsRunning()}`;
  }
}

const slack = 1.2;

/** Worlds in which counts go missing may lose what speaks against a verdict; there only what speaks for it is added up. */
function losesCounts(world: World): boolean {
  const { faults } = world.scenario;
  return (
    ['balancer-reload', 'counters-cleared', 'counters-late', 'hung-requests'].some((name) => name in faults) ||
    'crash' in faults
  );
}

/**
 * Evidence against R_bad (ROLLOUT.md §3 without dispersion), by comparison or by the objective, whichever is more. What came
 * after `noticedMs` may not have been read yet, at each balancer since another moment: there the best moment counts.
 */
function promotionAtMost(
  lists: Iterable<readonly Stretch[]>,
  { fromMs, noticedMs }: { readonly fromMs: number; readonly noticedMs: number },
  objective: number,
  lossy: boolean,
): number {
  const sums = [0, 0, 0, 0];
  for (const list of lists) {
    const reached = [0, 0, 0, 0];
    let best: readonly number[] | null = null;
    for (const stretch of list) {
      if (stretch.endMs <= fromMs) continue;
      if (stretch.endMs > noticedMs) best = higher(best, reached);
      for (const [index, term] of promotionTerms(stretch, objective).entries())
        reached[index] = (reached[index] ?? 0) + (lossy ? Math.max(0, term) : term);
    }
    for (const [index, most] of higher(best, reached).entries()) sums[index] = (sums[index] ?? 0) + most;
  }
  return Math.max(...sums);
}

function promotionTerms({ counts, share }: Stretch, objective: number): number[] {
  const { originFailures, destinationFailures, destinationAttempts } = counts;
  const comparison = (originFailures + destinationFailures) * Math.log1p(2 * share) - destinationFailures * Math.log(3);
  const guards = [0.1, 0.25, 0.5].map(
    (r) => destinationFailures * Math.log(r) + (1 - r) * objective * destinationAttempts,
  );
  return [comparison, ...guards];
}

function higher(one: readonly number[] | null, other: readonly number[]): number[] {
  return other.map((value, index) => Math.max(one?.[index] ?? Number.NEGATIVE_INFINITY, value));
}

const backRatios = [3, 5, 10, 30, 100];
const guardRatios = [2, 3, 5, 10, 30];

/**
 * The most that each ratio's evidence to roll back can be, whenever it began to count and was looked at. Both may be in the
 * middle of a stretch: then all of its failures may lie on one side of that moment and its other attempts on the other.
 */
class BackPeaks {
  readonly #comparison = backRatios.map(() => 0);
  readonly #guard = guardRatios.map(() => 0);
  readonly #objective: number;
  readonly #lossy: boolean;
  #peak = 0;

  constructor(objective: number, lossy: boolean) {
    this.#objective = objective;
    this.#lossy = lossy;
  }

  add({ counts, share }: Stretch): void {
    const failures = counts.originFailures + counts.destinationFailures;
    this.#peak *= 0.999;
    const floor = this.#lossy ? 0 : Number.NEGATIVE_INFINITY;
    for (const [index, ratio] of backRatios.entries()) {
      const each = Math.log1p(share) - Math.log1p((ratio - 1) * share);
      const term = counts.destinationFailures * Math.log(ratio / 2) + failures * each;
      const failuresAlone = counts.destinationFailures * (Math.log(ratio / 2) + each);
      this.#comparison[index] = this.#after(this.#comparison[index] ?? 0, Math.max(floor, term), failuresAlone);
    }
    for (const [index, ratio] of guardRatios.entries()) {
      const term =
        counts.destinationFailures * Math.log(ratio) - (ratio - 1) * this.#objective * counts.destinationAttempts;
      const failuresAlone = counts.destinationFailures * Math.log(ratio);
      this.#guard[index] = this.#after(this.#guard[index] ?? 0, Math.max(floor, term), failuresAlone);
    }
  }

  /** The sum after a stretch that gives `term` as a whole and `most` at its best moment. */
  #after(before: number, term: number, most: number): number {
    this.#peak = Math.max(this.#peak, before + most);
    return Math.max(before + term, most);
  }

  most(): number {
    return this.#peak;
  }
}

/** Share over everything that ended after `fromMs`, this stretch included. */
function pooledShare(list: readonly Stretch[], counts: Counts, fromMs: number): number {
  let origin = counts.originAttempts;
  let destination = counts.destinationAttempts;
  for (let index = list.length - 1; index >= 0; index--) {
    const stretch = list[index];
    if (stretch === undefined || stretch.endMs < fromMs) break;
    origin += stretch.counts.originAttempts;
    destination += stretch.counts.destinationAttempts;
  }
  return origin + destination === 0 ? 0 : destination / (origin + destination);
}

function difference(now: Counts, before: Counts): Counts {
  return {
    originAttempts: now.originAttempts - before.originAttempts,
    originFailures: now.originFailures - before.originFailures,
    destinationAttempts: now.destinationAttempts - before.destinationAttempts,
    destinationFailures: now.destinationFailures - before.destinationFailures,
  };
}
