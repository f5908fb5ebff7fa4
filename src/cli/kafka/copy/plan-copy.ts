import {
  type AdoptedPart,
  type ClusterReference,
  type CopyPlan,
  type PlannedPartition,
  type PlannedTopic,
  partitionName,
} from '../../../core/move/operation/plan.ts';
import type { TopicFacts } from '../../../core/move/topic-facts.ts';
import { leversWhileBehind, type SetAside } from '../../../core/move/topic-levers.ts';
import { changesOf, type Difference, settingsOncePlanned, type TopicPlan } from '../../../core/move/topics.ts';
import { CliError, type Context } from '../../context.ts';
import { refusalWords } from '../copy-preview/obstacles.ts';
import { planOf, type Planned as TopicPlans } from '../copy-preview/plans.ts';
import type { PartitionBounds, SideName } from '../side.ts';
import { askedBy, type CopyOptions } from './options.ts';
import type { CopySide, LedgerLook, PartitionKey } from './world.ts';

/** What a copy would do, and what has to be known to agree to it. */
export type Planned = {
  readonly plan: CopyPlan;
  readonly topics: readonly PlannedView[];
};

export type PlannedView = {
  readonly topic: string;
  readonly kind: 'make' | 'fits' | 'differs';
  readonly partitions: number;
  /** Offsets of the source that are still to be copied. */
  readonly offsets: number;
  /** Goes on where an earlier copy of it has ended. */
  readonly isContinued: boolean;
  readonly differences: readonly Difference[];
  readonly notes: readonly string[];
};

export type PlanningSides = Readonly<Record<SideName, CopySide>>;
export type References = Readonly<Record<SideName, ClusterReference>>;

/** Of what was asked for, the topics that the source has. Throws CliError where there is none. */
export async function chosenTopics(source: CopySide, options: CopyOptions): Promise<readonly TopicFacts[]> {
  const chosen = (await source.topics(null)).filter(({ name }) => options.isChosen(name));
  if (chosen.length > 0) return chosen.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  throw new CliError(
    `the source has no topic whose name is ${options.topics} from its beginning to its end`,
    'a user sees only topics that it may describe: kafka-acls --add --operation Describe --topic … if it should be there',
  );
}

/** The ledgers of these topics, as far as there are any: by the partition's name. */
export type Ledgers = {
  of(topic: string, partition: number): LedgerLook | null;
  /** Whether any partition of this topic of the target has one. */
  isOurs(target: TopicFacts): boolean;
};

/** Ledgers that were made of what stands on both sides, and are not in their places yet: by the partition's name. */
export type AdoptedLooks = ReadonlyMap<string, LedgerLook & Pick<AdoptedPart, 'batches' | 'records'>>;

export const noLooks: AdoptedLooks = new Map();

export function ledgersOf(
  context: Context,
  references: References,
  source: readonly TopicFacts[],
  target: readonly TopicFacts[],
  stateDirectory: string,
  adopted: AdoptedLooks,
): Ledgers {
  const found = new Map<string, LedgerLook>();
  for (const there of target) {
    const facts = source.find(({ name }) => name === there.name);
    for (let partition = 0; facts !== undefined && partition < facts.partitions; partition += 1) {
      const key = keyOf(references, facts, there, partition);
      const name = `${there.name}-${partition}`;
      const ledger = context.world.lookAtLedger(stateDirectory, there.name, key) ?? adopted.get(name) ?? null;
      if (ledger !== null) found.set(name, ledger);
    }
  }
  return {
    of: (topic, partition) => found.get(`${topic}-${partition}`) ?? null,
    isOurs: ({ name, partitions }) =>
      [...Array(partitions).keys()].some((partition) => found.has(`${name}-${partition}`)),
  };
}

export type CopyGiven = {
  readonly sides: PlanningSides;
  readonly references: References;
  readonly options: CopyOptions;
  readonly stateDirectory: string;
  readonly setAside: readonly SetAside[];
  readonly adopted: AdoptedLooks;
};

/** Throws CliError where a topic cannot be copied, with every reason. */
export async function planCopy(
  context: Context,
  { sides, references, options, stateDirectory, setAside, adopted }: CopyGiven,
): Promise<Planned> {
  const facts = await chosenTopics(sides.source, options);
  const names = facts.map(({ name }) => name);
  const there = await sides.target.topics(names);
  const bounds = await boundsOf(sides.source, facts, options);
  const targetBounds = await sides.target.bounds(there);
  const ledgers = ledgersOf(context, references, facts, there, stateDirectory, adopted);
  const { replicationFactor } = options;
  const planned = await planOf(sides.source, sides.target, {
    topics: names,
    replicationFactor,
    isOurs: ledgers.isOurs,
    setAside,
  });
  refuse(planned.plans, targetBounds, ledgers);
  const given = { options, bounds, targetBounds, ledgers, planned, adopted };
  const topics = planned.plans.map((plan) => plannedTopic(plan, given));
  const levers = planned.plans.flatMap((plan) => {
    const now = planned.target.find(({ name }) => name === plan.topic)?.settings ?? planned.targetDefaults;
    const largest = largestBatchBytes(planned.source.find(({ name }) => name === plan.topic));
    return now.known ? leversWhileBehind(plan.topic, settingsOncePlanned(plan, now.value), largest) : [];
  });
  const plan = { ...references, asked: askedBy(options), topics, levers };
  return { plan, topics: planned.plans.map((one) => viewOf(one, given)) };
}

type Bounds = PartitionBounds & { readonly from: number };

type Given = {
  readonly options: CopyOptions;
  readonly bounds: readonly Bounds[];
  readonly targetBounds: readonly PartitionBounds[];
  readonly ledgers: Ledgers;
  readonly planned: TopicPlans;
  readonly adopted: AdoptedLooks;
};

async function boundsOf(source: CopySide, topics: readonly TopicFacts[], { from }: CopyOptions): Promise<Bounds[]> {
  const bounds = await source.bounds(topics);
  const first = from.kind === 'time' ? await source.offsetsAt(bounds, from.ms) : [];
  return bounds.map((one, index) => {
    const begin = { earliest: one.logStart, latest: one.highWatermark, time: first[index] ?? one.highWatermark };
    return { ...one, from: begin[from.kind] };
  });
}

function plannedTopic(plan: TopicPlan, given: Given): PlannedTopic {
  const { topic: name } = plan;
  const source = given.planned.source.find((one) => one.name === name);
  const target = given.planned.target.find((one) => one.name === name);
  if (source === undefined) throw new Error(`a plan speaks of ${name}, which nobody has asked for`);
  const own = given.bounds.filter(({ topic }) => topic === name);
  return {
    name,
    sourceId: idOf(source),
    targetId: target === undefined ? null : idOf(target),
    make: plan.kind === 'make' ? made(plan) : null,
    grow: growTo(plan),
    changes: changesOf(plan),
    partitions: own.map((one) => plannedPartition(one, given)),
  };
}

function plannedPartition(
  { topic, partition, from, logStart, highWatermark }: Bounds,
  { targetBounds, ledgers, options, adopted }: Given,
): PlannedPartition {
  const end = options.follow ? null : highWatermark;
  const ledger = ledgers.of(topic, partition);
  const made = adopted.get(partitionName({ topic, partition }));
  if (made !== undefined) {
    const { begin, batches, records } = made;
    return { partition, begin, logStart, end, adopted: { end: made.end, batches, records } };
  }
  if (ledger !== null) return { partition, begin: ledger.begin, logStart, end };
  const target = targetBounds.find((one) => one.topic === topic && one.partition === partition)?.highWatermark ?? 0;
  return { partition, begin: { source: from, target }, logStart, end };
}

function made({ partitions, replicationFactor, settings }: Extract<TopicPlan, { kind: 'make' }>) {
  return { partitions, replicationFactor, settings };
}

function growTo(plan: TopicPlan): number | null {
  if (plan.kind !== 'differs') return null;
  const remedies = plan.differences.map(({ remedy }) => (remedy.kind === 'make-partitions' ? remedy.partitions : null));
  return remedies.find((partitions) => partitions !== null) ?? null;
}

/** By what the ledger of a partition is found. */
export function keyOf(
  { source, target }: References,
  origin: TopicFacts,
  there: TopicFacts,
  partition: number,
): PartitionKey {
  return {
    sourceCluster: source.clusterId,
    sourceTopicId: idOf(origin),
    targetCluster: target.clusterId,
    targetTopicId: idOf(there),
    partition,
  };
}

/** A broker that has no ids has the name in its place. */
function idOf({ topicId, name }: TopicFacts): string {
  return topicId ?? name;
}

/** No batch that the source has taken as it is configured now is larger. */
function largestBatchBytes(topic: TopicFacts | undefined): number {
  const settings = topic?.settings;
  const value = settings?.known ? Number(settings.value['max.message.bytes']?.value ?? 0) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}

function viewOf(plan: TopicPlan, { bounds, ledgers }: Given): PlannedView {
  const own = bounds.filter(({ topic }) => topic === plan.topic);
  const offsets = own.map(({ topic, partition, from, highWatermark }) =>
    Math.max(0, highWatermark - (ledgers.of(topic, partition)?.end.source ?? from)),
  );
  return {
    topic: plan.topic,
    kind: plan.kind === 'refused' ? 'differs' : plan.kind,
    partitions: own.length,
    offsets: offsets.reduce((sum, count) => sum + count, 0),
    isContinued: own.some(({ topic, partition }) => ledgers.of(topic, partition) !== null),
    differences: plan.kind === 'differs' ? plan.differences : [],
    notes: plan.notes,
  };
}

function refuse(plans: readonly TopicPlan[], targetBounds: readonly PartitionBounds[], ledgers: Ledgers): void {
  const lines = plans.flatMap((plan) =>
    plan.kind === 'refused' ? plan.refusals.map((refusal) => `${plan.topic}: ${refusalWords(refusal)}`) : [],
  );
  const isOurs = (topic: string) =>
    targetBounds.some((one) => one.topic === topic && ledgers.of(topic, one.partition) !== null);
  // Of a topic that is ours, a partition without a ledger was never written by us.
  const foreign = targetBounds
    .filter(({ topic, partition, logStart, highWatermark }) => {
      return isOurs(topic) && highWatermark > logStart && ledgers.of(topic, partition) === null;
    })
    .map(({ topic, partition, logStart, highWatermark }) => {
      return `${topic}-${partition} on the target has offsets ${logStart} to ${highWatermark - 1}, which no copy of ours has written`;
    });
  if (lines.length + foreign.length > 0)
    throw new CliError(`nothing was copied:\n${[...lines, ...foreign].map((line) => `  ${line}`).join('\n')}`);
}
