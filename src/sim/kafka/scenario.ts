import { type Codec, codecNames } from '../../io/kafka/bytes/codecs.ts';
import { Random } from '../random.ts';
import type { FeedPlan } from './feed.ts';
import type { ClusterPlan } from './world/cluster.ts';

/** Chances are of each request, or of each fetch; means are the time from one to the next. */
export const faultNames = [
  'cut-before',
  'cut-after',
  'late-answer',
  'stalled',
  'throttled',
  'bit-flip',
  'broker-crash',
  'broker-stands-still',
  'leader-moves',
  'follower-stops',
  'unclean-target',
  'unclean-source',
  'foreign-write',
  'too-large',
  'compaction',
  'retention',
  'mover-killed',
  'killed-at-a-write',
  'killed-at-a-send',
  'mover-stands-still',
  'power-cut',
  'hold',
  'rate-changes',
  'ledger-lost',
] as const;
export type FaultName = (typeof faultNames)[number];

export type KafkaScenario = {
  readonly seed: number;
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  readonly healAtMs: number;
  readonly source: ClusterPlan;
  readonly target: ClusterPlan;
  readonly feeds: readonly FeedPlan[];
  readonly batchesBefore: number;
  readonly feedMeanMs: number;
  /** Or copied up to the high watermark at the start. */
  readonly isFollowed: boolean;
  readonly checkMs: number;
  readonly inFlightMax: number;
  /** Missing in worlds that were kept before there was a choice. */
  readonly partitionsPerBroker?: number | null;
  readonly rate: number | null;
  readonly requestBytesMax: number;
  readonly partitionBytesMax: number;
  readonly heldBytesMax: number;
  readonly connectionsPerBroker: number;
  readonly segmentBytesMax: number;
  readonly leaseMs: number;
  readonly deadlineMs: number;
};

export type Narrowing = { readonly without?: readonly FaultName[]; readonly healAtMs?: number };

/** Simulated time begins here. */
export const startMs = 1_793_491_200_000;
export const dayMs = 86_400_000;

/** A world: all of it depends on the seed; without a fault the rest of it is the same. */
export function drawScenario(seed: number, { without = [], healAtMs }: Narrowing = {}): KafkaScenario {
  const random = new Random(seed).fork('scenario');
  const partitions = random.integer(1, 3);
  const isOld = random.chance(0.4);
  const clusters = { partitions, random, start: random.chance(0.3) ? random.integer(1, 5000) : 0 };
  const drawnHealAtMs = random.integer(10_000, 40_000);
  return {
    seed,
    faults: drawFaults(seed, new Random(seed).fork('faults'), without),
    healAtMs: Math.min(drawnHealAtMs, healAtMs ?? drawnHealAtMs),
    source: drawCluster('source', clusters),
    target: drawCluster('target', { ...clusters, start: 0 }),
    feeds: Array.from({ length: partitions }, () => drawFeed(random, isOld)),
    batchesBefore: random.integer(0, 40),
    feedMeanMs: random.spread(100, 2000),
    isFollowed: random.chance(0.6),
    checkMs: random.pick([50, 1000, 600_000]),
    inFlightMax: random.pick([1, 2, 5, 5]),
    rate: random.pick([null, 1000, 3000, 10_000]),
    requestBytesMax: random.pick([500, 4000, 1_000_000]),
    partitionBytesMax: random.pick([400, 2000, 100_000]),
    heldBytesMax: random.pick([2000, 1_000_000]),
    connectionsPerBroker: random.integer(1, 2),
    // Without a draw, so that the worlds of before stay as they are.
    partitionsPerBroker: seed % 4 === 0 ? 1 : null,
    segmentBytesMax: random.pick([500, 4000, 512 * 1024]),
    leaseMs: 8000,
    deadlineMs: 12_000,
  };
}

function drawFaults(seed: number, random: Random, without: readonly FaultName[]): KafkaScenario['faults'] {
  const isCalm = random.chance(0.1);
  const mean = random.between(0.1, 0.5);
  const drawn = faultNames.map((name) => {
    const of = random.fork(name);
    const often = name === 'bit-flip' ? 3 : 1;
    const value = isChance(name) ? often * of.spread(0.003, 0.1) : of.spread(2000, 30_000);
    const exists = !isCalm && of.chance(mean * (rarely[name] ?? 1));
    // Drawn from few worlds, so that the others stay as they are.
    return [name, value, exists && (name !== 'ledger-lost' || seed % 7 === 3)] as const;
  });
  const there = drawn.filter(([name, , exists]) => exists && !without.includes(name));
  return Object.fromEntries(there.map(([name, value]) => [name, value]));
}

/** What decides the end of a partition hides what else may go wrong there. */
const rarely: Partial<Record<FaultName, number>> = {
  'ledger-lost': 3,
  'foreign-write': 0.15,
  'unclean-target': 0.4,
  'unclean-source': 0.4,
};

export function isChance(name: FaultName): boolean {
  return chances.has(name);
}

const chances: ReadonlySet<FaultName> = new Set([
  'cut-before',
  'cut-after',
  'late-answer',
  'stalled',
  'throttled',
  'bit-flip',
  'killed-at-a-write',
  'killed-at-a-send',
]);

function drawCluster(
  name: 'source' | 'target',
  { partitions, random, start }: { partitions: number; random: Random; start: number },
): ClusterPlan {
  const nodeIds = Array.from({ length: random.integer(1, 3) }, (_, index) => index + 1);
  const expirationMs = dayMs;
  return {
    name,
    nodeIds,
    partitions: Array.from({ length: partitions }, (_, number) => ({
      topic: 'orders',
      number,
      nodeIds: nodeIds.map((_, index) => nodeIds[(index + number) % nodeIds.length] ?? 1),
      start,
      expirationMs,
      replicationMs: random.integer(1, 40),
    })),
    latencyMs: random.spread(1, 20),
    metadataLagMs: random.integer(0, 1500),
    sessionMs: 3000,
    deadlineMs: 12_000,
  };
}

function drawFeed(random: Random, isOld: boolean): FeedPlan {
  const codecs: readonly Codec[] = random.chance(0.6) ? ['none'] : codecNames.filter((name) => name !== 'lz4');
  const isMonotonous = random.chance(0.15);
  return {
    codecs,
    ageMs: isOld ? random.pick([23 * 3_600_000, 25 * 3_600_000, 30 * dayMs]) : 0,
    // Which of records that are all the same was committed nobody could tell after an election.
    isTransactional: random.chance(0.4) && !isMonotonous,
    hasAppendTime: !isMonotonous && random.chance(0.15),
    legacyMessages: random.chance(0.15) ? random.integer(1, 12) : 0,
    isMonotonous,
    recordsMax: random.integer(1, 12),
    valueBytesMax: random.pick([10, 100, 1500]),
  };
}
