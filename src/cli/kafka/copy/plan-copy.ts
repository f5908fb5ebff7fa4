import type { ClusterReference, CopyPlan, PlannedPartition, PlannedTopic } from '../../../core/move/operation/plan.ts';
import type { HeldPartition, Settings, TargetTopic, TopicFacts } from '../../../core/move/topic-facts.ts';
import { leversWhileBehind } from '../../../core/move/topic-levers.ts';
import {
  changesOf,
  type Difference,
  planTopics,
  type Refusal,
  settingsOncePlanned,
  type TopicPlan,
} from '../../../core/move/topics.ts';
import { known } from '../../../core/observed/reading.ts';
import { CliError, type Context } from '../../context.ts';
import type { PartitionBounds, SideName } from '../side.ts';
import type { CopyOptions } from './options.ts';
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

/** Throws CliError where a topic cannot be copied, with every reason. */
export async function planCopy(
  context: Context,
  sides: PlanningSides,
  references: References,
  options: CopyOptions,
  stateDirectory: string,
): Promise<Planned> {
  const chosen = (await sides.source.topics(null)).filter(({ name }) => options.isChosen(name));
  if (chosen.length === 0)
    throw new CliError(
      `the source has no topic whose name is ${options.topics} from its beginning to its end`,
      'a user sees only topics that it may describe: kafka-acls --add --operation Describe --topic … if it should be there',
    );
  const facts = chosen.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const there = await sides.target.topics(facts.map(({ name }) => name));
  const bounds = await boundsOf(sides.source, facts, options);
  const targetBounds = await sides.target.bounds(there);
  const keyOf = (topic: TopicFacts, target: TopicFacts, partition: number): PartitionKey => ({
    sourceCluster: references.source.clusterId,
    sourceTopicId: topic.topicId ?? topic.name,
    targetCluster: references.target.clusterId,
    targetTopicId: target.topicId ?? target.name,
    partition,
  });
  const ledgers = new Map<string, LedgerLook>();
  for (const target of there) {
    const source = facts.find(({ name }) => name === target.name);
    for (let partition = 0; source !== undefined && partition < source.partitions; partition += 1) {
      const found = context.world.lookAtLedger(stateDirectory, target.name, keyOf(source, target, partition));
      if (found !== null) ledgers.set(`${target.name}-${partition}`, found);
    }
  }
  const targets = there.map((target) => targetTopic(target, targetBounds, ledgers));
  const targetDefaults = await sides.target.newTopicSettings(facts[0]?.name ?? '');
  const { replicationFactor } = options;
  const plans = planTopics({ source: facts, target: targets, targetDefaults, replicationFactor });
  refuse(plans);
  const topics = plans.map((plan): PlannedTopic => {
    const source = factsNamed(facts, plan.topic);
    const target = there.find(({ name }) => name === plan.topic);
    const own = bounds.filter(({ topic }) => topic === plan.topic);
    const partitions = own.map((one) => plannedPartition(one, targetBounds, ledgers, options));
    const make = plan.kind === 'make' ? made(plan) : null;
    const targetId = target === undefined ? null : (target.topicId ?? target.name);
    return {
      name: plan.topic,
      sourceId: source.topicId ?? source.name,
      targetId,
      make,
      changes: changesOf(plan),
      partitions,
    };
  });
  const levers = plans.flatMap((plan) => {
    const target = there.find(({ name }) => name === plan.topic);
    const now = target?.settings ?? targetDefaults;
    const largest = largestBatchBytes(factsNamed(facts, plan.topic));
    return now.known ? leversWhileBehind(plan.topic, settingsOncePlanned(plan, now.value), largest) : [];
  });
  const { topics: pattern, exclude, fromWords: from, follow } = options;
  const plan = { ...references, asked: { topics: pattern, exclude, from, follow }, topics, levers };
  return { plan, topics: plans.map((one) => viewOf(one, topics, bounds, ledgers)) };
}

type Bounds = PartitionBounds & { readonly from: number };

async function boundsOf(source: CopySide, topics: readonly TopicFacts[], { from }: CopyOptions): Promise<Bounds[]> {
  const bounds = await source.bounds(topics);
  const first = from.kind === 'time' ? await source.offsetsAt(bounds, from.atMs) : [];
  return bounds.map((one, index) => {
    const begin = { earliest: one.logStart, latest: one.highWatermark, time: first[index] ?? one.highWatermark };
    return { ...one, from: begin[from.kind] };
  });
}

function targetTopic(
  target: TopicFacts,
  bounds: readonly PartitionBounds[],
  ledgers: ReadonlyMap<string, LedgerLook>,
): TargetTopic {
  const own = bounds.filter(({ topic }) => topic === target.name);
  const held = own
    .filter(({ logStart, highWatermark }) => highWatermark > logStart)
    .map(
      ({ partition, logStart, highWatermark }): HeldPartition => ({
        partition,
        logStart,
        end: highWatermark,
        first: null,
        last: null,
      }),
    );
  // One that holds records and has no ledger is nobody's of ours, whatever the others are.
  const isOurs = held.every(({ partition }) => ledgers.has(`${target.name}-${partition}`)) && ledgers.size > 0;
  return {
    ...target,
    isOurs: isOurs && own.some(({ topic, partition }) => ledgers.has(`${topic}-${partition}`)),
    held: known(held),
  };
}

function plannedPartition(
  { topic, partition, from, logStart, highWatermark }: Bounds,
  targetBounds: readonly PartitionBounds[],
  ledgers: ReadonlyMap<string, LedgerLook>,
  { follow }: CopyOptions,
): PlannedPartition {
  const end = follow ? null : highWatermark;
  const ledger = ledgers.get(`${topic}-${partition}`);
  if (ledger !== undefined) return { partition, begin: ledger.begin, logStart, end };
  const target = targetBounds.find((one) => one.topic === topic && one.partition === partition)?.highWatermark ?? 0;
  return { partition, begin: { source: from, target }, logStart, end };
}

function made({ partitions, replicationFactor, settings }: Extract<TopicPlan, { kind: 'make' }>) {
  return { partitions, replicationFactor, settings };
}

/** No batch that the source has taken as it is configured now is larger. */
function largestBatchBytes({ settings }: TopicFacts): number {
  const value = settings.known ? Number((settings.value as Settings)['max.message.bytes']?.value ?? 0) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}

function viewOf(
  plan: TopicPlan,
  topics: readonly PlannedTopic[],
  bounds: readonly Bounds[],
  ledgers: ReadonlyMap<string, LedgerLook>,
): PlannedView {
  const partitions = topics.find(({ name }) => name === plan.topic)?.partitions ?? [];
  const named = partitions.map(({ partition }) => ledgers.get(`${plan.topic}-${partition}`));
  const offsets = bounds
    .filter(({ topic }) => topic === plan.topic)
    .map(({ topic, partition, from, highWatermark }) => {
      return Math.max(0, highWatermark - (ledgers.get(`${topic}-${partition}`)?.end.source ?? from));
    });
  return {
    topic: plan.topic,
    kind: plan.kind === 'refused' ? 'differs' : plan.kind,
    partitions: partitions.length,
    offsets: offsets.reduce((sum, count) => sum + count, 0),
    isContinued: named.some((one) => one !== undefined),
    differences: plan.kind === 'differs' ? plan.differences : [],
    notes: plan.notes,
  };
}

function factsNamed(facts: readonly TopicFacts[], name: string): TopicFacts {
  const found = facts.find((one) => one.name === name);
  if (found === undefined) throw new Error(`a plan speaks of ${name}, which nobody has asked for`);
  return found;
}

function refuse(plans: readonly TopicPlan[]): void {
  const lines = plans.flatMap((plan) => {
    if (plan.kind === 'refused') return plan.refusals.map((refusal) => `${plan.topic}: ${refusalWords(refusal)}`);
    // Partitions are made where nothing is written yet; a topic that is there gets none.
    const lacking =
      plan.kind === 'differs' ? plan.differences.find(({ remedy }) => remedy.kind === 'make-partitions') : null;
    if (lacking == null) return [];
    const { source, target } = lacking;
    return [
      `${plan.topic}: it has ${source} partitions on the source and ${target} on the target: kafka-topics --alter --topic ${plan.topic} --partitions ${source} adds them there`,
    ];
  });
  if (lines.length > 0)
    throw new CliError(
      `nothing was copied, because not everything can be:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    );
}

function refusalWords(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'internal':
      return "it is Kafka's own";
    case 'unknown':
      return `${refusal.what}: ${refusal.why}`;
    case 'holds-data':
      return `the topic on the target holds what no ledger here knows: ${refusal.partitions.map(heldWords).join('; ')}`;
    case 'fewer-partitions':
      return `it has ${refusal.source} partitions on the source and ${refusal.target} on the target: kafka-topics --alter --partitions ${refusal.source} adds them there`;
    case 'old-format':
      return `the topic on the target has message.format.version ${refusal.version}, which has no room for what is copied`;
    case 'refused-by-target':
      return `the target would not make it: ${refusal.error}: ${refusal.why}`;
  }
}

function heldWords({ partition, logStart, end, first, last }: HeldPartition): string {
  const batches = [first, last].flatMap((batch) =>
    batch === null
      ? []
      : [`a batch at ${batch.baseOffset} to ${batch.lastOffset} of producer ${batch.producerId ?? 'none'}`],
  );
  return `partition ${partition} has offsets ${logStart} to ${end - 1}${batches.length === 0 ? '' : ` (${[...new Set(batches)].join(', ')})`}`;
}
