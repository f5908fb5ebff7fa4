import type { TopicAcl } from '../../core/move/acl-facts.ts';
import type { Timing } from '../../engine/operation-ports.ts';
import { Random } from '../random.ts';
import { type CopyPoint, copyPoints, type Label, labels } from './points.ts';

/** Everything bad that can happen to a copy's loop. Each seed draws which of them exist, and how often. */
export const faultNames = [
  'call-lost',
  'call-unanswered',
  'call-late',
  'call-throttled',
  'acknowledged-late',
  'read-late',
  'target-refuses',
  'target-away',
  'settings-by-hand',
  'acl-made-by-hand',
  'acl-taken-by-hand',
  'topic-made-by-others',
  'topic-remade',
  'topic-deleted',
  'source-grows',
  'group-commits',
  'foreign-write',
  'mover-dies',
  'mover-stands-still',
  'mover-cannot-start',
  'late-words',
  'partition-stops',
  'unproven',
  'crash',
  'pause',
  'second-controller',
  'disk-full',
  'journal-stalls',
  'clock-steps',
] as const;
export type CopyFault = (typeof faultNames)[number];

/**
 * What people do at random times; nobody's fault. `regret`: back within the first seconds; `stop`: they end its controller in the
 * ordinary way.
 */
export const acts = ['hold', 'resume', 'rate', 'abort', 'back', 'regret', 'stop', 'rebuild'] as const;
export type Act = (typeof acts)[number];

export const strikeNames = [...faultNames, ...acts] as const;
export type Strike = CopyFault | Act;

/** Strength by name; absent: this world does not have it. Chances for calls and movers, per hour for what just happens. */
export type Rates = Readonly<Partial<Record<Strike, number>>>;

export type CopyScenario = {
  readonly seed: number;
  readonly faults: Rates;
  readonly healAtMs: number;
  /** So long after that people wait for an end before they ask for one. */
  readonly patienceMs: number;
  readonly timing: Timing;
  readonly topics: readonly DrawnTopic[];
  /** Missing in worlds that were kept before there were any. */
  readonly acls?: DrawnAcls;
  readonly isFollowed: boolean;
  /** One batch of a partition takes so long where no rate is set. */
  readonly batchMs: number;
  readonly batchOffsetsMax: number;
  /** A broker that is asked may be behind what another one has answered by so much. */
  readonly lagMsMax: number;
  /** People have its topics removed though it was copied, or aborted. */
  readonly isRemovedAfterwards: boolean;
  readonly deaths: readonly Death[];
  /** A controller dies right before or after that append, counted over all of them from 1. */
  readonly killed: { readonly append: number; readonly when: 'before' | 'after' } | null;
};

/** A controller dies when controllers come through this for the `visit`-th time. */
export type Death = { readonly label: Label; readonly point: CopyPoint; readonly visit: number };

export type DrawnTopic = {
  readonly name: string;
  /** Set at the topic of the source. */
  readonly source: Readonly<Record<string, string>>;
  /** Of the source's partitions. */
  readonly ends: readonly number[];
  /** Null: the target does not have it. */
  readonly there: { readonly partitions: number; readonly own: Readonly<Record<string, string>> } | null;
};

/** `meanwhile`: what somebody makes on the target after it was planned, and before anything is done. */
export type DrawnAcls = Readonly<Record<'source' | 'target' | 'meanwhile', readonly TopicAcl[]>>;

export type Narrowing = { readonly without?: readonly Strike[]; readonly healAtMs?: number };

/** A world: all of it depends on the seed; without a fault the rest of it is the same. */
export function drawScenario(seed: number, { without = [], healAtMs }: Narrowing = {}): CopyScenario {
  const random = new Random(seed).fork('copy');
  const drawnHealAtMs = Math.round(random.spread(20_000, 20 * 60_000));
  const callMs = random.pick([3000, 10_000]);
  const isOrdinary = random.chance(0.5);
  const scenario = {
    seed,
    faults: drawRates(seed, new Random(seed).fork('faults'), without),
    patienceMs: 20 * 60_000,
    timing: isOrdinary
      ? { pollMs: 1000, callMs: 10_000, leaseMs: 15_000 }
      : { pollMs: random.integer(200, 2000), callMs, leaseMs: callMs + 5000 },
    topics: Array.from({ length: random.integer(1, 3) }, (_, number) =>
      drawTopic(random.fork(`topic ${number}`), `topic-${number}`),
    ),
    acls: noAcls,
    isFollowed: random.chance(0.25),
    batchMs: Math.round(random.spread(20, 3000)),
    batchOffsetsMax: random.integer(1, 60),
    lagMsMax: random.pick([0, 100, 2500]),
    isRemovedAfterwards: random.chance(0.3),
    deaths: drawDeaths(random.fork('deaths')),
    killed: null,
  };
  const acls = drawAcls(new Random(seed).fork('acls'), scenario.topics);
  const healed = healAtMs ?? drawnHealAtMs;
  const deaths = without.includes('crash') || !('crash' in scenario.faults) ? [] : scenario.deaths;
  return { ...scenario, acls, deaths, healAtMs: Math.min(drawnHealAtMs, healed) };
}

function drawTopic(random: Random, name: string): DrawnTopic {
  const partitions = random.integer(1, 3);
  const there = random.chance(0.5);
  return {
    name,
    source: drawSettings(random.fork('source')),
    // An empty one is copied in no time.
    ends: Array.from({ length: partitions }, () => (random.chance(0.2) ? 0 : random.integer(1, 2000))),
    there: there ? { partitions: random.integer(1, partitions), own: drawSettings(random.fork('target')) } : null,
  };
}

export const noAcls: DrawnAcls = { source: [], target: [], meanwhile: [] };

/** Half of the worlds have an authorizer on both sides. */
function drawAcls(random: Random, topics: readonly DrawnTopic[]): DrawnAcls {
  if (random.chance(0.5)) return noAcls;
  const names = topics.map(({ name }) => ({ name, pattern: 'literal' }) as const);
  const all = [...names, { name: 'topic-', pattern: 'prefixed' } as const, { name: '*', pattern: 'literal' } as const];
  const source = Array.from(
    { length: random.integer(1, 5) },
    (): TopicAcl => ({
      ...random.pick(all),
      principal: random.pick(['User:reader', 'User:writer', 'User:*']),
      host: '*',
      operation: random.pick([3, 4, 8]),
      permission: random.chance(0.3) ? 'deny' : 'allow',
    }),
  );
  const some = (chance: number) => source.filter(() => random.chance(chance));
  return { source, target: some(0.3), meanwhile: random.chance(0.3) ? some(0.4) : [] };
}

function drawSettings(random: Random): Record<string, string> {
  const choices: Readonly<Record<string, readonly string[]>> = {
    'retention.ms': ['60000', '86400000', '-1'],
    'retention.bytes': ['1000000', '-1'],
    'cleanup.policy': ['compact', 'delete'],
    'compression.type': ['zstd', 'producer'],
    'segment.bytes': ['1000000'],
  };
  const drawn = Object.entries(choices).filter(() => random.chance(0.4));
  return Object.fromEntries(drawn.map(([key, values]) => [key, random.pick(values)]));
}

function drawDeaths(random: Random): Death[] {
  return Array.from({ length: random.integer(0, 4) }, () => ({
    label: random.pick(labels),
    point: random.pick(copyPoints),
    visit: random.integer(1, 4),
  }));
}

type Range = readonly [low: number, high: number];

const often: Range = [0.005, 0.1];
const ranges: Readonly<Record<Strike, Range>> = {
  'call-lost': often,
  'call-unanswered': often,
  'call-late': often,
  'call-throttled': often,
  'acknowledged-late': [0.05, 0.5],
  'read-late': [0.05, 0.6],
  'target-refuses': [5, 40],
  'target-away': [5, 40],
  'settings-by-hand': [5, 200],
  'acl-made-by-hand': [5, 200],
  'acl-taken-by-hand': [2, 30],
  'topic-made-by-others': [10, 400],
  'topic-remade': [2, 15],
  'topic-deleted': [2, 15],
  'source-grows': [5, 60],
  'group-commits': [2, 30],
  'foreign-write': [1, 10],
  'mover-dies': [5, 100],
  'mover-stands-still': [5, 60],
  'mover-cannot-start': [0.05, 0.5],
  'late-words': [0.05, 0.6],
  'partition-stops': [0.0005, 0.02],
  unproven: [0.1, 0.6],
  crash: [10, 120],
  pause: [5, 40],
  'second-controller': [1, 1],
  'disk-full': [5, 40],
  'journal-stalls': [5, 60],
  'clock-steps': [5, 30],
  hold: [5, 60],
  resume: [2, 30],
  rate: [5, 60],
  abort: [1, 20],
  back: [1, 20],
  regret: [1, 1],
  stop: [3, 40],
  rebuild: [10, 100],
};

/** What ends or spoils most copies is rarer than the rest, so that the rest has time to happen. */
const final: readonly Strike[] = ['topic-remade', 'topic-deleted', 'foreign-write', 'abort', 'back', 'regret'];

function drawRates(seed: number, random: Random, without: readonly Strike[]): Rates {
  if (random.chance(0.1)) return {};
  const density = random.between(0.1, 0.5);
  const drawn = strikeNames.map((name) => {
    const own = random.fork(name);
    const chance = name === 'crash' ? 0.7 : density * (final.includes(name) ? 0.5 : 1);
    // Drawn from few worlds, so that the others stay as they are.
    const exists = own.chance(chance) && (name !== 'rebuild' || seed % 5 === 2);
    return { name, exists, rate: own.spread(...ranges[name]) };
  });
  const there = drawn.filter(({ name, exists }) => exists && !without.includes(name));
  return Object.fromEntries(there.map(({ name, rate }) => [name, rate]));
}
