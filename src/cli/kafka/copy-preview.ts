import type { ClusterFacts, DiskFacts } from '../../core/move/cluster-facts.ts';
import { copyTime, slowMs } from '../../core/move/copy-time.ts';
import { diskRoom } from '../../core/move/disk-room.ts';
import { hasPart } from '../../core/move/setting-names.ts';
import type { TopicFacts } from '../../core/move/topic-facts.ts';
import { leversWhileBehind, type SetAside } from '../../core/move/topic-levers.ts';
import { settingsOncePlanned, type TopicPlan } from '../../core/move/topics.ts';
import { known, type Reading, unknown } from '../../core/observed/reading.ts';
import { accessOf } from './copy-preview/access.ts';
import { aclPreview, withoutRight } from './copy-preview/acls.ts';
import { obstaclesOf } from './copy-preview/obstacles.ts';
import { dueMsOf, type Measured, measured, raceOf, timedPartition } from './copy-preview/partition-previews.ts';
import { type Planned, planOf } from './copy-preview/plans.ts';
import type { CopyPreview, OneInFlight, TopicPreview } from './copy-preview/preview.ts';
import type { CopyFrom, PreviewSide } from './copy-preview/preview-side.ts';
import { batchSizes, type Samples, takeSamples } from './copy-preview/samples.ts';
import type { SideName } from './side.ts';

export type PreviewOptions = {
  /** By name, chosen already. */
  readonly topics: readonly string[];
  readonly from: CopyFrom;
  /** Null: as the source's. */
  readonly replicationFactor: number | null;
  /** Bytes per second from and to each broker; null: no limit. */
  readonly rate: number | null;
  /** Whether a ledger of ours is about this topic of the target. */
  readonly isOurs: (target: TopicFacts) => boolean;
  /** By copies that have not ended. */
  readonly setAside: readonly SetAside[];
  /** Whether ACLs of these topics are to be made on the target. */
  readonly copiesAcls: boolean;
  /** What kafka-acls needs to reach each side: `--bootstrap-server … --command-config …`. */
  readonly reach: Readonly<Record<SideName, string>>;
  readonly clock: { now(): number; monotonic(): number; sleep(ms: number): Promise<void> };
  /** Between two readings of the log ends, which tell the rate of appends. */
  readonly readingsApartMs: number;
};

/** All that can be known before a byte moves. Changes nothing on either side. Throws PortError where a side does not answer at all. */
export async function previewCopy(
  sides: Readonly<Record<SideName, PreviewSide>>,
  options: PreviewOptions,
): Promise<CopyPreview> {
  const { source, target } = sides;
  const { clock, rate, reach } = options;
  const [sourceCluster, targetCluster] = await Promise.all([source.cluster(), target.cluster()]);
  const clusters = { source: sourceCluster, target: targetCluster };
  const planned = await planOf(source, target, options);
  const names = planned.plans.filter((plan) => !isInternal(plan)).map(({ topic }) => topic);
  const { partitions, samples } = await measure(source, names, options);
  const targetDisks = await target.disks(partitions);
  const memoryMs = await target.producerMemoryMs();
  const roundTripMs = shortestTrip(targetCluster);
  const rememberedFromMs = memoryMs.known ? clock.now() - memoryMs.value : null;
  const timed = partitions.map((partition) => timedPartition(partition, rememberedFromMs));
  const tripMs = roundTripMs.known ? roundTripMs.value : 0;
  const time = rate === null ? null : copyTime(timed, rate, targetCluster.brokers.length, tripMs);
  const topics = planned.plans.map((plan) => topicPreview(plan, planned, samples));
  const [sourceAcls, targetAcls] = await Promise.all([source.topicAcls(), target.topicAcls()]);
  const makeable = planned.plans.filter(({ kind }) => kind === 'make').map(({ topic }) => topic);
  const growing = planned.plans.filter(isGrowing).map(({ topic }) => topic);
  const acls = aclPreview(sourceAcls, targetAcls, {
    ...{ topics: names, principal: target.principal, isWanted: options.copiesAcls, reach: reach.target },
  });
  const asked = { topics: names, growing, makeable, makesAcls: acls.known && acls.value.make.length > 0 };
  const access = {
    source: await accessOf(source, { ...asked, name: 'source', acls: sourceAcls, reach: reach.source }),
    target: await accessOf(target, { ...asked, name: 'target', acls: targetAcls, reach: reach.target }),
  };
  const mayNotMake = access.target.rights.some(
    ({ operation, on, allowed }) => operation === 'Alter' && on.kind === 'cluster' && allowed.known && !allowed.value,
  );
  const told = {
    atMs: clock.now(),
    clusters,
    topics,
    partitions: partitions.map((partition) => {
      const { batchBytes: _, ...facts } = partition;
      const topic = topicOf(planned, partition.topic);
      const dueMs = dueMsOf(partition, topic);
      return { ...facts, dueMs, race: raceOf(partition, topic, time?.ms ?? null, clock.now()) };
    }),
    bytes: timed.reduce((sum, { bytes }) => sum + bytes, 0),
    rate,
    time,
    oneInFlight: oneInFlight(partitions, memoryMs, roundTripMs, clock.now()),
    disks: diskRoom(targetDisks, arriving(planned, partitions, targetDisks)),
    access,
    acls: mayNotMake ? withoutRight(acls) : acls,
    transactions: await source.openTransactions(heldBack(partitions)),
    notCopied: await source.leftBehind(),
  };
  return { ...told, obstacles: obstaclesOf(told, options.topics) };
}

function isInternal(plan: TopicPlan): boolean {
  return plan.kind === 'refused' && plan.refusals.some(({ kind }) => kind === 'internal');
}

function isGrowing(plan: TopicPlan): boolean {
  return plan.kind === 'differs' && plan.differences.some(({ remedy }) => remedy.kind === 'make-partitions');
}

function topicOf({ source }: Planned, topic: string): TopicFacts | undefined {
  return source.find(({ name }) => name === topic);
}

async function measure(source: PreviewSide, topics: readonly string[], options: PreviewOptions) {
  const { from, clock, readingsApartMs } = options;
  const startedMs = clock.monotonic();
  const first = await source.partitions(topics, from);
  const samples = await takeSamples(source, first);
  const disks = await source.disks(first);
  await clock.sleep(Math.max(0, readingsApartMs - (clock.monotonic() - startedMs)));
  const second = await source.partitions(topics, from);
  const apartMs = clock.monotonic() - startedMs;
  return { partitions: measured({ first, second, apartMs }, samples, disks), samples };
}

function topicPreview(plan: TopicPlan, planned: Planned, samples: readonly Samples[]): TopicPreview {
  const own = samples.filter(({ topic }) => topic === plan.topic).flatMap(({ batches }) => batches);
  const batches = batchSizes(own);
  const there = planned.target.find(({ name }) => name === plan.topic)?.settings ?? planned.targetDefaults;
  const levers =
    plan.kind === 'refused' || !there.known
      ? []
      : leversWhileBehind(plan.topic, settingsOncePlanned(plan, there.value), batches?.largestBytes ?? 0);
  const settings = topicOf(planned, plan.topic)?.settings;
  const costs: string[] = [];
  if (settings?.known && settings.value['message.timestamp.type']?.value === 'LogAppendTime')
    costs.push('every batch is made anew, because its records have the times of their appends');
  if (settings?.known && hasPart(settings.value['cleanup.policy']?.value ?? '', 'compact'))
    costs.push('batches in which compaction has left holes are made anew');
  if (own.some(({ isLegacy }) => isLegacy)) costs.push('messages of before v2 are made anew');
  return { plan, levers, batches, costs };
}

function shortestTrip({ brokers }: ClusterFacts): Reading<number> {
  const told = brokers.flatMap(({ roundTripMs }) => (roundTripMs.known ? [roundTripMs.value] : []));
  return told.length === 0 ? unknown('no broker answers') : known(Math.max(...told));
}

function oneInFlight(
  partitions: readonly Measured[],
  memoryMs: Reading<number>,
  roundTripMs: Reading<number>,
  nowMs: number,
): OneInFlight {
  const slow = partitions
    .map((partition) => timedPartition(partition, memoryMs.known ? nowMs - memoryMs.value : null))
    .filter(({ slowBytes }) => slowBytes > 0);
  const bytes = slow.reduce((sum, { slowBytes }) => sum + slowBytes, 0);
  const tripMs = roundTripMs.known ? roundTripMs.value : null;
  const ms = tripMs === null ? 0 : slow.reduce((sum, partition) => sum + slowMs(partition, tripMs), 0);
  const oldestMs = Math.min(...partitions.flatMap(({ oldestMs: one }) => (one === null ? [] : [one])));
  const wantedMs = nowMs - oldestMs + spareMs;
  return {
    memoryMs,
    roundTripMs,
    partitions: slow.length,
    bytes: Math.round(bytes),
    partitionRate: ms > 0 ? Math.round((bytes / ms) * 1000) : null,
    memoryWantedMs: slow.length > 0 && wantedMs <= memoryMsMax ? Math.ceil(wantedMs) : null,
  };
}

/** A broker keeps it as a number of 32 bits. */
const memoryMsMax = 2_147_483_647;
/** A day, so that it lasts for the copy too. */
const spareMs = 86_400_000;

/** What a copy that is resumed has brought over already lies on the target's disks. */
function arriving({ plans, target }: Planned, partitions: readonly Measured[], disks: readonly DiskFacts[]) {
  const replicas = disks.flatMap(({ told }) => (told.known ? told.value.replicas : []));
  return partitions.flatMap(({ topic, partition, bytes }) => {
    const plan = plans.find((one) => one.topic === topic);
    const there = target.find(({ name }) => name === topic);
    if (plan === undefined || plan.kind === 'refused' || !bytes.known) return [];
    const own = replicas.filter((one) => one.topic === topic && one.partition === partition);
    const copied = Math.max(0, ...own.map((replica) => replica.bytes));
    const replicationFactor = plan.kind === 'make' ? plan.replicationFactor : (there?.replicationFactor ?? 1);
    return [{ bytes: Math.max(0, bytes.value.bytes - copied), replicationFactor }];
  });
}

function heldBack(partitions: readonly Measured[]) {
  return partitions.flatMap(({ topic, partition, leader, bounds }) =>
    leader !== null && bounds.known && bounds.value.lastStable < bounds.value.highWatermark
      ? [{ topic, partition, leader }]
      : [],
  );
}
