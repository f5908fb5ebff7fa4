import type { Random } from './random.ts';

/** Everything bad that a world can do to a rollout. Each seed draws which of them exist in it, and how often (swarm testing). */
export const faultNames = [
  'call-lost',
  'call-unanswered',
  'call-late',
  'call-duplicated',
  'call-throttled',
  'acknowledged-late',
  'stale-read',
  'instance-never-healthy',
  'instance-flaps',
  'instance-crash-loops',
  'instance-dies',
  'origin-dies',
  'origin-short',
  'partial-capacity',
  'scale-in-by-others',
  'crash',
  'pause',
  'second-controller',
  'counters-cleared',
  'counters-late',
  'counters-twice',
  'reading-missing',
  'balancer-reload',
  'server-lines',
  'balancer-unreachable',
  'weights-by-hand',
  'server-out',
  'deployment',
  'bad-deployment',
  'disk-full',
  'journal-stalls',
  'clock-steps',
  'load-spike',
  'hung-requests',
  'share-drifts',
] as const;
export type FaultName = (typeof faultNames)[number];

/** What operators do at random times; part of a world, but nobody's fault. */
export const operatorActs = ['hold', 'resume', 'back', 'back-all', 'offline-back'] as const;
export type OperatorAct = (typeof operatorActs)[number];

/** Strength by name; absent: this world does not have it. Per call for calls and instances, per hour for what just happens. */
export type FaultRates = Readonly<Partial<Record<FaultName | OperatorAct, number>>>;

type Range = readonly [low: number, high: number];
const perCall: Readonly<Partial<Record<FaultName, Range>>> = {
  'call-lost': [0.002, 0.1],
  'call-unanswered': [0.002, 0.1],
  'call-late': [0.002, 0.1],
  'call-duplicated': [0.005, 0.2],
  'call-throttled': [0.005, 0.2],
  'acknowledged-late': [0.05, 0.5],
  'stale-read': [0.002, 0.1],
  'reading-missing': [0.002, 0.1],
  'counters-late': [0.002, 0.1],
  'counters-twice': [0.002, 0.1],
  'instance-never-healthy': [0.03, 0.3],
  'instance-flaps': [0.02, 0.15],
  'instance-crash-loops': [0.03, 0.3],
};
const perHour: Readonly<Partial<Record<FaultName | OperatorAct, Range>>> = {
  'instance-dies': [0.5, 4],
  'origin-dies': [0.5, 3],
  'origin-short': [0.5, 3],
  'partial-capacity': [0.5, 2],
  'scale-in-by-others': [0.5, 3],
  crash: [2, 30],
  pause: [0.5, 4],
  'counters-cleared': [0.5, 6],
  'balancer-reload': [0.5, 4],
  'server-lines': [2, 10],
  'balancer-unreachable': [0.5, 4],
  'weights-by-hand': [0.3, 3],
  'server-out': [0.3, 3],
  deployment: [0.5, 3],
  'bad-deployment': [0.3, 1],
  'disk-full': [0.5, 4],
  'journal-stalls': [0.5, 6],
  'clock-steps': [0.5, 4],
  'load-spike': [0.5, 2],
  'hung-requests': [0.3, 1],
  'share-drifts': [1, 6],
  hold: [0.5, 4],
  resume: [0.5, 3],
  back: [0.3, 2],
  'back-all': [0.2, 1],
  'offline-back': [0.2, 1],
};

/** What ends most operations is rarer than the rest, so that the rest has time to happen. */
const final: readonly (FaultName | OperatorAct)[] = [
  'acknowledged-late',
  'instance-flaps',
  'instance-crash-loops',
  'instance-dies',
  'origin-dies',
  'origin-short',
  'bad-deployment',
  'hung-requests',
  'back',
  'back-all',
  'offline-back',
];

/** One world in eight has an easy life; in the others each fault exists with a probability of its own. */
export function drawFaults(random: Random): FaultRates {
  if (random.chance(0.125)) return {};
  const density = random.between(0.1, 0.5);
  const rates: Partial<Record<FaultName | OperatorAct, number>> = {};
  for (const name of [...faultNames, ...operatorActs]) {
    const own = random.fork(name);
    const chance =
      name === 'crash' ? 0.8 : density * (final.includes(name) ? 0.35 : name === 'second-controller' ? 0.6 : 1);
    if (!own.chance(chance)) continue;
    const range = perCall[name as FaultName] ?? perHour[name] ?? [1, 1];
    rates[name] = own.spread(range[0], range[1]);
  }
  return rates;
}
