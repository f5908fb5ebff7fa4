import { type Rules, startJudge } from '../../src/core/judge/judge.ts';
import { Random } from '../../src/sim/random.ts';
import { secondsToRollBack } from './runs.ts';
import { balancers, bursts, independent, steady, unevenHosts, type World } from './worlds.ts';

/** A destination that must not be taken back, and the rules that it is judged by. */
export type Case = {
  readonly name: string;
  readonly about: string;
  readonly rules: Rules;
  readonly world: World;
  /** Time before the 4 hours in which the destination gets nothing, and the dispersion of the origin is learned. */
  readonly watchedSeconds?: number;
  /** Whether α is promised for it. The others are reported: they show what an assumption is worth. */
  readonly promised: boolean;
};

/** α = 0.1 % for an operation; φ = 1 unless it is measured, which is the strictest. */
const bare: Rules = { alpha: 0.001, beta: 0.01, tolerate: 1, bad: 3, dispersion: 1, objective: null };
const tolerant: Rules = { ...bare, tolerate: 2 };
/** What a configuration that says nothing gets: φ = 3 until the origin's hosts have told it. */
const defaults: Rules = { ...tolerant, dispersion: 3 };

/** 10 of 110 nodes. */
const tenth = 10 / 110;
const hosts = { rps: 1000, originHosts: 100, destinationHosts: 10, rate: 0.001 };

/** From nothing to one half in a minute, a pause, down again, and a pause without any traffic at the destination. */
function ramps(second: number): number {
  const at = second % 320;
  if (at < 60) return at / 120;
  if (at < 160) return 0.5;
  return Math.max(0, 0.5 - (at - 160) / 120);
}

function atTolerated(rules: Rules, rps: number, share: number, originRate: number): World {
  return independent({
    rps,
    share: steady(share),
    originRate: steady(originRate),
    destinationRate: steady(rules.tolerate * originRate),
    model: 'poisson',
  });
}

function bernoulli(rules: Rules, originRate: number): World {
  return independent({
    rps: 1000,
    share: steady(tenth),
    originRate: steady(originRate),
    destinationRate: steady(rules.tolerate * originRate),
    model: 'bernoulli',
  });
}

function ramped(ratio: number): World {
  const rate = 0.002;
  return independent({
    rps: 500,
    share: ramps,
    originRate: steady(rate),
    destinationRate: steady(ratio * rate),
    failsAfterSeconds: 30,
  });
}

/** The largest share where failures are rarest: pooled, the destination would look better or worse than it is. */
function threeBalancers(ratio: number): World {
  const one = (rps: number, share: number, rate: number) => ({
    rps,
    share: steady(share),
    originRate: steady(rate),
    destinationRate: steady(ratio * rate),
  });
  return balancers({ a: one(500, 0.02, 0.0005), b: one(300, 0.2, 0.002), c: one(100, 0.5, 0.01) });
}

const promised: readonly Omit<Case, 'promised'>[] = [
  {
    name: 'poisson-r0-1',
    about: 'ρ = R0 = 1; 1000 rps, 9.1 %, 0.1 %',
    rules: bare,
    world: atTolerated(bare, 1000, tenth, 0.001),
  },
  {
    name: 'poisson-r0-2',
    about: 'ρ = R0 = 2; 1000 rps, 9.1 %, 0.1 %',
    rules: tolerant,
    world: atTolerated(tolerant, 1000, tenth, 0.001),
  },
  {
    name: 'bernoulli-r0-1',
    about: 'ρ = R0 = 1; 1000 rps, 9.1 %, 1 %',
    rules: bare,
    world: bernoulli(bare, 0.01),
  },
  {
    name: 'bernoulli-r0-2',
    about: 'ρ = R0 = 2; 1000 rps, 9.1 %, 1 %',
    rules: tolerant,
    world: bernoulli(tolerant, 0.01),
  },
  ...burstsOf('bursts', 3600),
  ...[0.2, 0.5].map((deviation) => ({
    name: `hosts-${deviation}`,
    about: `ρ = 1, R0 = 2; rates of hosts lognormal, sd ${deviation}; φ from the origin`,
    rules: defaults,
    world: unevenHosts(hosts, deviation),
  })),
  {
    name: 'balancers',
    about: 'ρ = 1, R0 = 2; three balancers: 2, 20, 50 % at 0.05, 0.2, 1 %',
    rules: tolerant,
    world: threeBalancers(1),
  },
  {
    name: 'ramps-late',
    about: 'ρ = 1, R0 = 2; 500 rps, share 0 to 50 % and back each 320 s, failures 30 s late',
    rules: tolerant,
    world: ramped(1),
  },
];

const reported: readonly Omit<Case, 'promised'>[] = [
  ...(
    [
      [1000, 1 / 6, 0.001],
      [1000, 0.01, 0.001],
      [100, 1 / 6, 0.001],
      [100, tenth, 0.0001],
      [20, 1 / 6, 0.001],
    ] as const
  ).map(([rps, share, rate]) => ({
    name: `traffic-${rps}rps-${(100 * share).toFixed(0)}pc`,
    about: `ρ = R0 = 1; ${rps} rps, ${(100 * share).toFixed(1)} %, ${100 * rate} %`,
    rules: bare,
    world: atTolerated(bare, rps, share, rate),
  })),
  {
    name: 'steps-1-to-50pc',
    about: 'ρ = R0 = 1; 1000 rps, 0.1 %; 1, 5, 10, 25, 50 % for 48 min each',
    rules: bare,
    world: independent({
      rps: 1000,
      share: (second) => [0.01, 0.05, 0.1, 0.25, 0.5][Math.floor(second / 2880)] ?? 0.5,
      originRate: steady(0.001),
      destinationRate: steady(0.001),
    }),
  },
  {
    name: 'edge-balancers',
    about: 'ρ = R0 = 2; the three balancers',
    rules: tolerant,
    world: threeBalancers(2),
  },
  {
    name: 'edge-ramps-late',
    about: 'ρ = R0 = 2; the ramps, failures 30 s late',
    rules: tolerant,
    world: ramped(2),
  },
  {
    name: 'bernoulli-20pc',
    about: 'ρ = R0 = 2; 1000 rps, 9.1 %, 20 % against 40 %',
    rules: tolerant,
    world: bernoulli(tolerant, 0.2),
  },
  {
    name: 'shared-outage',
    about: 'ρ = R0 = 1; 1000 rps, 9.1 %; both at 10 % for 2 min of each hour',
    rules: bare,
    world: sharedOutage(),
  },
  ...[1, 1.5, 2].flatMap((tolerate) =>
    [2, 5].map((mean) => ({
      name: `raw-bursts-${mean}-r0-${tolerate}`,
      about: `ρ = 1, R0 = ${tolerate}; clusters of ${mean} in one second; φ = 1 believed`,
      rules: { ...bare, tolerate },
      world: withoutHosts(bursts(hosts, mean, 1)),
    })),
  ),
  ...[1, 1.5, 2].flatMap((tolerate) =>
    [0.2, 0.5, 1].map((deviation) => ({
      name: `raw-hosts-${deviation}-r0-${tolerate}`,
      about: `ρ = 1, R0 = ${tolerate}; rates of hosts lognormal, sd ${deviation}; φ = 1 believed`,
      rules: { ...bare, tolerate },
      world: withoutHosts(unevenHosts(hosts, deviation)),
    })),
  ),
  ...burstsOf('unwatched-bursts', 0),
  {
    name: 'hosts-1',
    about: 'ρ = 1, R0 = 2; rates of hosts lognormal, sd 1; φ from the origin',
    rules: defaults,
    world: unevenHosts(hosts, 1),
  },
];

export const cases: readonly Case[] = [
  ...promised.map((one) => ({ ...one, promised: true })),
  ...reported.map((one) => ({ ...one, promised: false })),
];

/** When the judge takes the destination back, in seconds since it got traffic; null: not within this time. */
export function runCase({ rules, world, watchedSeconds = 0 }: Case, seed: number, seconds: number): number | null {
  const second = secondsToRollBack(startJudge(rules, 1), world(new Random(seed)), watchedSeconds + seconds);
  return second === null ? null : second - watchedSeconds;
}

/** By the default configuration: φ is measured between the origin's hosts, and 3 until it is. */
function burstsOf(name: string, watchedSeconds: number): Omit<Case, 'promised'>[] {
  const seen = watchedSeconds === 0 ? 'φ = 3 until it is measured' : 'φ measured for an hour before';
  return [2, 5, 20].flatMap((mean) =>
    [1, 30].map((seconds) => ({
      name: `${name}-${mean}-${seconds === 1 ? 'at-once' : 'over-30s'}`,
      about: `ρ = 1, R0 = 2; clusters of ${mean} ${seconds === 1 ? 'in one second' : 'over 30 s'}; ${seen}`,
      rules: defaults,
      world: stepUpAfter(watchedSeconds, bursts(hosts, mean, seconds)),
      watchedSeconds,
    })),
  );
}

/** The destination has no attempts before. */
function stepUpAfter(watchedSeconds: number, world: World): World {
  const nothing = { attempts: 0, failures: 0 };
  return (random) => {
    const history = world(random);
    return (second) => {
      const shown = history(second);
      const { only } = shown;
      return only === undefined || second >= watchedSeconds ? shown : { only: { ...only, destination: nothing } };
    };
  };
}

function sharedOutage(): World {
  const rate = (second: number) => (second % 3600 >= 1800 && second % 3600 < 1920 ? 0.1 : 0.001);
  return independent({
    rps: 1000,
    share: steady(tenth),
    originRate: rate,
    destinationRate: rate,
  });
}

/** The judge is not told of hosts, and believes the dispersion of its rules. */
function withoutHosts(world: World): World {
  return (random) => {
    const history = world(random);
    return (second) => {
      const { only } = history(second);
      return only === undefined ? {} : { only: { ...only, destinationOpen: 0, originHosts: [] } };
    };
  };
}
