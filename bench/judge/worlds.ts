import type { Count, HostCount, Window } from '../../src/core/judge/counting.ts';
import type { Random } from '../../src/sim/random.ts';
import { Delay } from './delay.ts';
import { Arrivals, type FailureModel, Failures, geometric } from './draws.ts';

/** What every balancer showed in one second. The objects are filled anew for each: the judge keeps none of them. */
export type Second = Readonly<Record<string, Window>>;

/** One history of a simulated service: what the balancers show in second 0, 1, 2 … */
export type History = (second: number) => Second;

/** Draws a history. Everything in it comes from `random`. */
export type World = (random: Random) => History;

/** One backend under constant load. Rates are failed fractions of attempts. */
export type Traffic = {
  readonly rps: number;
  readonly share: (second: number) => number;
  /** For the second of the attempt. */
  readonly originRate: (second: number) => number;
  readonly destinationRate: (second: number) => number;
  readonly model?: FailureModel;
  /** How long after its attempt a failure is seen. */
  readonly failsAfterSeconds?: number;
  /** `turns` (round robin), or `dice`: each attempt is given to a group by chance. */
  readonly split?: 'turns' | 'dice';
};

export function steady(share: number): (second: number) => number {
  return () => share;
}

/** Independent failures. Hosts are not told, so that nothing is known of their dispersion. */
export function independent(traffic: Traffic): World {
  return (random) => {
    const one = backend(traffic, random);
    return (second) => ({ only: one(second) });
  };
}

/** Several balancers, each with a share and rates of its own. */
export function balancers(all: Readonly<Record<string, Traffic>>): World {
  return (random) => {
    const each = Object.entries(all).map(([name, traffic]) => [name, backend(traffic, random.fork(name))] as const);
    return (second) => Object.fromEntries(each.map(([name, one]) => [name, one(second)]));
  };
}

/** Shared by all runs of a worker: their tables are the same. */
const samplers = new Map<string, Failures>();

function sampler(model: FailureModel, rate: number): Failures {
  const key = `${model} ${rate}`;
  const known = samplers.get(key) ?? new Failures(model, rate);
  samplers.set(key, known);
  return known;
}

function backend(traffic: Traffic, random: Random): (second: number) => Window {
  const { rps, share, originRate, destinationRate, model = 'poisson', failsAfterSeconds = 0 } = traffic;
  const dice = traffic.split === 'dice' ? changing('bernoulli', share) : null;
  const window = emptyWindow();
  const origin = changing(model, originRate);
  const destination = changing(model, destinationRate);
  const late = { origin: new Delay(failsAfterSeconds), destination: new Delay(failsAfterSeconds) };
  let owed = random.unit();
  return (second) => {
    owed += rps * share(second);
    const turns = Math.floor(owed);
    owed -= turns;
    const attempts = dice === null ? turns : dice(second).draw(rps, random);
    at(window, second);
    window.origin.attempts = rps - attempts;
    window.destination.attempts = attempts;
    window.origin.failures = late.origin.pass(origin(second).draw(rps - attempts, random));
    window.destination.failures = late.destination.pass(destination(second).draw(attempts, random));
    return window;
  };
}

/** The failures at the rate of a second. */
function changing(model: FailureModel, rate: (second: number) => number): (second: number) => Failures {
  let [now, failures] = [rate(0), sampler(model, rate(0))];
  return (second) => {
    const next = rate(second);
    if (next !== now) [now, failures] = [next, sampler(model, next)];
    return failures;
  };
}

type Hosts = {
  readonly rps: number;
  readonly originHosts: number;
  readonly destinationHosts: number;
  readonly rate: number;
};

/** Independent failures, as many at each host of the origin; from `stepUp` on the destination has its part, and fails `ratio` times as often. */
export function evenHosts(hosts: Hosts, stepUp: number, ratio: number): World {
  return (random) => {
    const [origin, destination] = [sampler('poisson', hosts.rate), sampler('poisson', ratio * hosts.rate)];
    const history = groups(hosts, (group, attempts) => (group === 2 ? destination : origin).draw(attempts, random));
    return (second) => {
      const shown = history(second);
      const { only } = shown;
      return only === undefined || second >= stepUp ? shown : { only: { ...only, destination: nothing } };
    };
  };
}

const nothing: Count = { attempts: 0, failures: 0 };

/**
 * Hosts that fail more or less often than others, for good: rates are lognormal with this deviation, and the destination's
 * come from the same distribution as the origin's. Every other origin host is put together with its likes, as the judge does it.
 */
export function unevenHosts(hosts: Hosts, deviation: number): World {
  return (random) => {
    const factor = () => Math.exp(deviation * random.normal() - deviation ** 2 / 2);
    const half = hosts.originHosts / 2;
    const rates = [half, half, hosts.destinationHosts].map((count) => hosts.rate * meanOf(count, factor));
    const draw = rates.map((rate) => new Failures('poisson', rate));
    return groups(hosts, (group, attempts) => draw[group]?.draw(attempts, random) ?? 0);
  };
}

/**
 * Failures that come in clusters of geometric size, each on one host: within one second, or scattered over `spreadSeconds`.
 * Both groups have equally many, so the destination is as good as the origin.
 */
export function bursts(hosts: Hosts, mean: number, spreadSeconds: number): World {
  return (random) => {
    const all = hosts.originHosts + hosts.destinationHosts;
    const counts = [hosts.originHosts / 2, hosts.originHosts / 2, hosts.destinationHosts];
    const clusters = counts.map((count) => new Arrivals((hosts.rate * hosts.rps * count) / all / mean));
    const rings = counts.map(() => new Array<number>(spreadSeconds).fill(0));
    return groups(hosts, (group, _attempts, second) => {
      const ring = rings[group] ?? [];
      for (let left = clusters[group]?.draw(random) ?? 0; left > 0; left--) {
        for (let size = geometric(random, mean); size > 0; size--) {
          const when = spreadSeconds === 1 ? second : second + random.integer(0, spreadSeconds - 1);
          ring[when % spreadSeconds] = (ring[when % spreadSeconds] ?? 0) + 1;
        }
      }
      const due = ring[second % spreadSeconds] ?? 0;
      ring[second % spreadSeconds] = 0;
      return due;
    });
  };
}

/** Two halves of the origin and the destination, by turns over all hosts. `failures` is asked once for each group and second. */
function groups(hosts: Hosts, failures: (group: 0 | 1 | 2, attempts: number, second: number) => number): History {
  const window = emptyWindow();
  const one = { server: 'one half', attempts: 0, failures: 0 };
  const other = { server: 'other half', attempts: 0, failures: 0 };
  window.originHosts = [one, other];
  const share = hosts.destinationHosts / (hosts.originHosts + hosts.destinationHosts);
  let [owed, odd] = [0.5, 0];
  return (second) => {
    owed += hosts.rps * share;
    const attempts = Math.floor(owed);
    owed -= attempts;
    const origin = hosts.rps - attempts;
    at(window, second);
    // The odd one of an odd number goes to each half in turn.
    one.attempts = Math.floor((origin + odd) / 2);
    other.attempts = origin - one.attempts;
    odd = 1 - odd;
    one.failures = failures(0, one.attempts, second);
    other.failures = failures(1, other.attempts, second);
    window.origin.attempts = origin;
    window.origin.failures = one.failures + other.failures;
    window.destination.attempts = attempts;
    window.destination.failures = failures(2, attempts, second);
    return { only: window };
  };
}

function meanOf(count: number, draw: () => number): number {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += draw();
  return sum / count;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type OpenWindow = {
  fromMs: number;
  toMs: number;
  readonly origin: Writable<Count>;
  readonly destination: Writable<Count>;
  readonly destinationOpen: 0;
  originHosts: readonly HostCount[];
};

function emptyWindow(): OpenWindow {
  const none = () => ({ attempts: 0, failures: 0 });
  return { fromMs: 0, toMs: 0, origin: none(), destination: none(), destinationOpen: 0, originHosts: [] };
}

function at(window: OpenWindow, second: number): void {
  window.fromMs = second * 1000;
  window.toMs = window.fromMs + 1000;
}
