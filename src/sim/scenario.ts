import type { Step } from '../core/fleet/config.ts';
import type { AdminState } from '../core/observed/backend.ts';
import type { RolloutPlan } from '../core/rollout/plan.ts';
import type { TakenBack } from '../core/rollout/taken-back.ts';
import type { Timing } from '../engine/operation-ports.ts';
import { type Death, drawDeaths } from './crashes.ts';
import { drawFaults, type FaultName, type FaultRates, type OperatorAct } from './faults.ts';
import { Random } from './random.ts';
import { serverName } from './world/fleet.ts';

/** Everything that a seed decides before a world begins. Plain data: a kept failure is a seed and what was left out of it. */
export type Scenario = {
  readonly seed: number;
  readonly origin: FleetScenario;
  readonly destination: FleetScenario;
  readonly balancers: readonly BalancerScenario[];
  readonly load: LoadScenario;
  /** Failed fraction of attempts at the origin's build. */
  readonly baseline: number;
  readonly silentFailures: number;
  /** Failure rate of the destination's first build over the baseline. */
  readonly ratio: number;
  /** Builds that an earlier rollout took back, by its name: they come in by a deployment, if at all. */
  readonly takenBack?: TakenBack;
  readonly plan: RolloutPlan;
  readonly timing: Timing;
  readonly faults: FaultRates;
  /** Of controllers, beside those that the fault `crash` brings at any time. */
  readonly deaths: readonly Death[];
  /** From here on nothing bad happens any more, and operators resume what is held. */
  readonly healAtMs: number;
  /** Operators lose patience with what neither ends nor can end by itself. */
  readonly patienceMs: number;
};

export type FleetScenario = {
  readonly size: { readonly min: number; readonly max: number; readonly desired: number };
  /** What one instance truly carries. */
  readonly capacityRps: number;
  readonly resizable: boolean;
  readonly startMs: readonly [number, number];
};
export type BalancerScenario = {
  readonly id: string;
  /** Its part of the load. */
  readonly portion: number;
  readonly originWeights: readonly number[];
  readonly putAside: Readonly<Record<number, AdminState>>;
  /** Server lines that its configuration has not got at the beginning: a reload may bring them (`server-lines`). */
  readonly missing?: readonly string[];
  readonly others: number;
  /** Its server lines of the destination have no check: it sends them what their weights say, whatever state they are in. */
  readonly unchecked?: true;
};
export type LoadScenario = {
  readonly baseRps: number;
  readonly amplitude: number;
  readonly periodMs: number;
  readonly phase: number;
};

export type Narrowing = { readonly without?: readonly (FaultName | OperatorAct)[]; readonly healAtMs?: number };

/** The scenario of a seed; `narrowing` takes faults out of it or ends them earlier without disturbing what is left. */
export function drawScenario(seed: number, narrowing: Narrowing = {}): Scenario {
  const random = new Random(seed);
  const load = drawLoad(random.fork('load'));
  const fleets = drawFleets(random.fork('fleets'), load);
  const faults = { ...drawFaults(random.fork('faults')) };
  for (const name of narrowing.without ?? []) delete faults[name];
  const drawn = drawBalancers(random.fork('balancers'), fleets.origin.size.max);
  const balancers =
    faults['server-lines'] === undefined ? drawn : withoutSomeLines(drawn, random.fork('missing lines'), fleets);
  const failures = drawFailures(random.fork('failures'));
  return {
    seed,
    ...fleets,
    balancers,
    load,
    ...failures,
    takenBack: drawTakenBack(random.fork('taken back')),
    plan: drawPlan(random.fork('plan'), fleets, balancers, failures.objective),
    timing: drawTiming(random.fork('timing')),
    faults,
    deaths: faults.crash === undefined ? [] : drawDeaths(random.fork('deaths')),
    healAtMs: Math.min(narrowing.healAtMs ?? Number.POSITIVE_INFINITY, random.fork('heal').integer(30, 60) * minuteMs),
    patienceMs: hourMs,
  };
}

/**
 * Whether nothing is to go wrong here: no faults, a build as good as the origin's, and an origin whose capacity is declared
 * and whose size can be pinned, so that the reserve can stand.
 */
export function isEasy({ faults, ratio, plan, origin }: Scenario): boolean {
  return Object.keys(faults).length === 0 && ratio <= 1 && plan.origin.capacityRps !== null && origin.resizable;
}

/** Of the builds that deployments bring to the destination, by their names. */
function drawTakenBack(random: Random): TakenBack {
  if (!random.chance(0.25)) return {};
  const builds = [2, 3, 4, 5].map((number) => `destination-${number}`);
  return Object.fromEntries(builds.filter(() => random.chance(0.5)).map((build) => [build, 'rollout-web-0']));
}

/** The highest load over the base that waves and spikes can add up to. */
const loadMax = 1.35;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

function drawLoad(random: Random): LoadScenario {
  return {
    baseRps: Math.round(random.spread(60, 600)),
    amplitude: random.between(0, 0.15),
    periodMs: random.between(20, 120) * minuteMs,
    phase: random.between(0, 2 * Math.PI),
  };
}

function drawFleets(random: Random, load: LoadScenario): Pick<Scenario, 'origin' | 'destination'> {
  const instances = random.pick([2, 2, 3, 3, 4, 5]);
  const declared = Math.ceil(load.baseRps / instances);
  const most = Math.ceil((load.baseRps * loadMax * 1.2) / declared) + 1;
  const startMs = [random.between(5, 20) * 1000, random.between(20, 90) * 1000] as const;
  const capacityRps = declared * random.between(1.1, 1.5);
  const desired = Math.ceil((load.baseRps * 1.25) / declared);
  const destinationMin = random.integer(0, 2);
  return {
    origin: {
      size: { min: random.integer(1, desired), max: most, desired },
      capacityRps,
      resizable: random.chance(0.9),
      startMs,
    },
    destination: {
      size: { min: destinationMin, max: most, desired: destinationMin + random.integer(0, 1) },
      capacityRps: capacityRps * random.between(0.95, 1.3),
      resizable: true,
      startMs,
    },
  };
}

function drawBalancers(random: Random, slots: number): BalancerScenario[] {
  const count = random.pick([1, 1, 1, 1, 2, 2, 3]);
  const shares = Array.from({ length: count }, () => random.between(0.5, 1.5));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const strongest = random.pick([100, 100, 100, 64, 256, 10]);
  const uneven = random.chance(0.3);
  const weights = Array.from({ length: slots }, () =>
    uneven ? Math.ceil(strongest * random.between(0.3, 1)) : strongest,
  );
  const aside: Record<number, AdminState> = {};
  if (random.chance(0.2)) aside[slots - 1] = random.pick(['maint', 'drain']);
  const unchecked = random.fork('unchecked').chance(0.2) ? { unchecked: true as const } : {};
  return shares.map((share, index) => ({
    ...unchecked,
    id: `edge-${index + 1}`,
    portion: share / total,
    originWeights: weights,
    putAside: aside,
    others: random.chance(0.3) ? 1 : 0,
  }));
}

/** Lines that come later: one of the origin's that carry, and the last of the destination's, which is the least needed. */
function withoutSomeLines(
  balancers: readonly BalancerScenario[],
  random: Random,
  { origin, destination }: Pick<Scenario, 'origin' | 'destination'>,
): BalancerScenario[] {
  const { desired } = origin.size;
  const old = serverName('origin', random.integer(0, desired - 1));
  const young = serverName('destination', destination.size.max - 1);
  const isOldMissing = desired > 2 && random.chance(0.8);
  const isYoungMissing = random.chance(0.4);
  return balancers.map((balancer) => ({
    ...balancer,
    missing: [
      ...(isOldMissing && random.chance(0.8) ? [old] : []),
      ...(isYoungMissing && random.chance(0.8) ? [young] : []),
    ],
  }));
}

/** A fifth of the builds is bad; one between the tolerated and the forbidden ratio may stay undecided for ever. */
function drawFailures(random: Random): Pick<Scenario, 'baseline' | 'silentFailures' | 'ratio'> & { objective: number } {
  const objective = random.spread(0.004, 0.03);
  return {
    objective,
    baseline: objective * random.between(0.08, 0.4),
    silentFailures: random.chance(0.5) ? 0 : random.between(0.1, 0.9),
    ratio: random.chance(0.2)
      ? random.pick([3, 5, 10, 10, 15, 30])
      : random.pick([0.3, 0.5, 0.8, 1, 1, 1, 1, 1, 1.2, 1.5]),
  };
}

function drawPlan(
  random: Random,
  fleets: Pick<Scenario, 'origin' | 'destination'>,
  balancers: readonly BalancerScenario[],
  objective: number,
): RolloutPlan {
  const declares = random.chance(0.8);
  const slack = random.between(1.02, 1.1);
  return {
    service: 'query',
    owner: 'search',
    origin: groupPlan('classic', fleets.origin, declares ? slack : null),
    destination: groupPlan('vpc', fleets.destination, declares ? slack : null),
    backends: balancers.map(({ id }) => ({ id, origin: 'old-*', destination: 'new-*' })),
    steps: drawSteps(random, fleets.destination.size.max),
    objective,
    policy: {
      judge: { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: random.pick([1, 1, 2, 3]) },
      reserve: 0.2,
      settleMsMax: random.integer(1, 5) * minuteMs,
      capacityMsMax: random.integer(5, 15) * minuteMs,
      drainMsMax: random.integer(1, 5) * minuteMs,
      drill: { requests: 20, ms: 60_000, boundMs: 1000 },
      attemptMsMax: 30_000,
      finalBakeMs: random.integer(2, 6) * minuteMs,
    },
  };
}

function groupPlan(environment: string, fleet: FleetScenario, slack: number | null): RolloutPlan['origin'] {
  const capacityRps = slack === null ? null : fleet.capacityRps / slack;
  return { environment, size: fleet.resizable ? { min: fleet.size.min, max: fleet.size.max } : null, capacityRps };
}

function drawSteps(random: Random, instancesMax: number): Step[] {
  const steps: Step[] = [];
  const bakeMs = (): number => random.integer(4, 8) * minuteMs;
  if (random.chance(0.5)) {
    for (let instances = 1; instances < instancesMax && steps.length < 2; instances += random.integer(1, 2)) {
      if (random.chance(0.7)) steps.push({ kind: 'capacity', instances, bakeMs: bakeMs() });
    }
  }
  for (const share of [0.05, 0.1, 0.25, 0.5]) {
    if (random.chance(0.5)) steps.push({ kind: 'weight', share, instances: null, bakeMs: bakeMs() });
  }
  steps.push({ kind: 'weight', share: 0.95, instances: null, bakeMs: bakeMs() });
  return steps;
}

function drawTiming(random: Random): Timing {
  const callMs = random.integer(2, 5) * 1000;
  const pollSeconds = random.chance(0.04) ? random.integer(1, 4) : random.chance(0.3) ? random.integer(5, 9) : 10;
  return { pollMs: pollSeconds * 1000, callMs, leaseMs: callMs * 3 + random.integer(5, 20) * 1000 };
}
