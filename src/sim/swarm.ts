import type { Violation } from './checks/violation.ts';
import { addCoverage, type Coverage, newCoverage, stateLabels } from './coverage.ts';
import { worldsCounted } from './crashes.ts';
import type { Mutation } from './engine.ts';
import { faultNames, operatorActs } from './faults.ts';
import { firstCaught } from './first-caught.ts';
import { worldsByPair } from './pairs.ts';
import { type Outcome, simulate } from './run.ts';
import { drawScenario, isEasy, type Scenario } from './scenario.ts';

/** What is kept of one run of many: plain data, so that it can cross from one process to another. */
export type Summary = {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly end: Outcome['end'];
  readonly cause: string | null;
  readonly simulatedMs: number;
  readonly entries: number;
  readonly coverage: Coverage;
  readonly nature: Nature;
};

/** What the world held: `easy`: nothing could go wrong. `bad`: the build stayed ten times worse. `fair`: nothing made it worse than tolerated. */
export type Nature = { readonly easy: boolean; readonly bad: boolean; readonly fair: boolean };

export async function summarize(seed: number): Promise<Summary> {
  const scenario = drawScenario(seed);
  const { violation, end, cause, simulatedMs, entries, coverage } = await simulate(scenario);
  return { seed, violation, end, cause, simulatedMs, entries, coverage, nature: natureOf(scenario) };
}

/** A seed in which a check that is meant to catches the mutation; null: there is none. */
export function firstCatch(mutation: Mutation, first: number, last: number): Promise<Outcome | null> {
  return firstCaught(mutation, { first, last }, drawScenario, simulate);
}

/** Many runs together. */
export type Tally = {
  readonly summaries: Summary[];
  readonly coverage: Coverage;
};

export function newTally(): Tally {
  return { summaries: [], coverage: newCoverage() };
}

export function addSummary(tally: Tally, summary: Summary): void {
  tally.summaries.push(summary);
  addCoverage(tally.coverage, summary.coverage);
}

/** Runs of which fewer than this say nothing about how often something happens. */
export const seedsForCoverage = 5000;
const timesAtLeast = 20;
/** A pair that fewer of the worlds come through is planned, and not counted on. */
const pairPart = 0.02;
/** So that the list cannot shrink unnoticed. */
const pairsMin = 160;

export type Assertion = { readonly name: string; readonly holds: boolean; readonly found: string };

/** What has to be true of 5,000 runs for them to be worth something, and of their ends taken together. */
export function assertionsOver(tally: Tally): Assertion[] {
  const { summaries, coverage } = tally;
  const minutes = median(summaries.map((one) => one.simulatedMs / 60_000));
  const entries = median(summaries.map((one) => one.entries));
  return [
    { name: 'median simulated minutes ≥ 30', holds: minutes >= 30, found: minutes.toFixed(1) },
    { name: 'median journal entries ≥ 50', holds: entries >= 50, found: String(entries) },
    reached('every fault', [...faultNames, ...operatorActs], coverage.faults),
    reached('every state', stateLabels, coverage.states),
    ...pairsStruck(coverage, summaries.length),
    ...endsTogether(summaries),
  ];
}

/**
 * Which pairs of a state and a crash point there are, the engine says: each that two worlds in a hundred came through before it was
 * healed has to be struck. `worldsByPair`, by which deaths are planned, must not be from another engine.
 */
function pairsStruck({ pairs, crashes }: Coverage, worlds: number): Assertion[] {
  const common = Object.keys(pairs).filter((key) => (pairs[key] ?? 0) >= worlds * pairPart);
  const known = new Set([...Object.keys(worldsByPair), ...common]);
  const differ = [...known].filter((key) => {
    const counted = (worldsByPair[key] ?? 0) / worldsCounted;
    const met = (pairs[key] ?? 0) / worlds;
    return Math.max(counted, met) >= pairPart && Math.max(counted, met) > 2 * Math.min(counted, met);
  });
  return [
    reached(`every pair of state and crash point of ${100 * pairPart} % of the worlds`, common, crashes),
    {
      name: `such pairs ≥ ${pairsMin}`,
      holds: common.length >= pairsMin,
      found: `${common.length}, and ${Object.keys(pairs).length - common.length} of fewer worlds`,
    },
    {
      name: 'src/sim/pairs.ts is of this engine (else: npm run sim -- --seeds 5000 --pairs)',
      holds: differ.length === 0,
      found:
        differ.length === 0
          ? `${known.size} pairs, none is twice or half as frequent`
          : differ.map((key) => `${key}: ${worldsByPair[key] ?? 0}, now ${pairs[key] ?? 0}`).join(', '),
    },
  ];
}

/** The judge's own promises hold over many runs, not in one. */
function endsTogether(summaries: readonly Summary[]): Assertion[] {
  const easy = summaries.filter((one) => one.nature.easy && !one.nature.bad);
  const unfinished = easy.filter((one) => one.end !== 'completed');
  const bad = summaries.filter((one) => one.nature.bad && one.end === 'completed');
  const fair = summaries.filter((one) => one.nature.fair);
  const accused = fair.filter((one) => one.cause === 'judge');
  const expected = fair.length * 0.001;
  const atMost = expected + 3 * Math.sqrt(expected) + 1;
  return [
    {
      name: 'builds ten times worse never complete',
      holds: bad.length === 0,
      found: `${bad.length} of ${summaries.filter((one) => one.nature.bad).length}${seedsOf(bad)}`,
    },
    {
      name: 'good builds with an easy life complete (but for false alarms)',
      holds: unfinished.length <= 1 + easy.length * 0.01,
      found: `${easy.length - unfinished.length} of ${easy.length}${seedsOf(unfinished)}`,
    },
    {
      name: `false alarms of the judge ≤ ${atMost.toFixed(1)}`,
      holds: accused.length <= atMost,
      found: `${accused.length} of ${fair.length}${seedsOf(accused)}`,
    },
  ];
}

function reached(what: string, names: readonly string[], table: Readonly<Record<string, number>>): Assertion {
  const rare = names.filter((name) => (table[name] ?? 0) < timesAtLeast);
  const least = Math.min(...names.map((name) => table[name] ?? 0));
  const list = rare.map((name) => `${name} ${table[name] ?? 0}`).join(', ');
  return {
    name: `${what} reached at least ${timesAtLeast} times`,
    holds: rare.length === 0,
    found:
      rare.length === 0
        ? `${names.length}, the rarest ${least} times`
        : `${rare.length} of ${names.length} are not: ${list}`,
  };
}

function natureOf(scenario: Scenario): Nature {
  const has = (...names: string[]): boolean => names.some((name) => name in scenario.faults);
  return {
    easy: isEasy(scenario),
    bad: scenario.ratio >= 10 && !has('deployment', 'bad-deployment'),
    fair: scenario.ratio <= 2 && !has(...harmful),
  };
}

/** Faults after which requests truly fail more often at the destination, so that going back is no false alarm. */
const harmful = [
  'bad-deployment',
  'deployment',
  'instance-dies',
  'origin-dies',
  'instance-flaps',
  'scale-in-by-others',
  'partial-capacity',
  'hung-requests',
  'share-drifts',
  'weights-by-hand',
  'load-spike',
  'balancer-reload',
];

function seedsOf(summaries: readonly Summary[]): string {
  return summaries.length === 0
    ? ''
    : ` (seeds ${summaries
        .slice(0, 10)
        .map((one) => one.seed)
        .join(', ')})`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
