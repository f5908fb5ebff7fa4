import { emptyAccount } from '../../../core/move/account.ts';
import type { PlannedPartition, PlannedTopic } from '../../../core/move/operation/plan.ts';
import { partitionName } from '../../../core/move/operation/plan.ts';
import { hasMoveEnded, leversOf } from '../../../core/move/operation/state.ts';
import { type Verdict, weights, worstOf } from '../../../core/move/proof/finding.ts';
import { type Parity, parityOf, unplannedPartitions } from '../../../core/move/proof/parity.ts';
import type { TopicFacts } from '../../../core/move/topic-facts.ts';
import type { Context } from '../../context.ts';
import { Progress } from '../verify/progress.ts';
import { shownProgress } from '../verify/shown-progress.ts';
import { type Asked, type Gathered, partitionToProve, settledOf, untilVisible } from './gather.ts';
import { journalFacts } from './journal-facts.ts';
import { type PartitionToProve, provePartition } from './partition.ts';
import type { Proof, ProofPartition, ProofTopic } from './result.ts';

/** So many at once: what bounds the memory, and keeps brokers busy while we compute. */
const partitionsAtOnce = 8;

/** Reads the ledger of each partition and what stands on the target. Throws PortError, and the signal's reason. */
export async function prove(context: Context, gathered: Gathered, signal: AbortSignal): Promise<Proof> {
  const { plan } = gathered.found.state;
  const provedAtMs = context.clock.now();
  const settled = plan.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partition, begin }) => {
      const place = partitionName({ topic: name, partition });
      return [place, (settledOf(gathered.found, place) ?? begin).target] as const;
    }),
  );
  const target = await untilVisible(context, gathered.target, new Map(settled));
  const all = plan.topics.flatMap((topic) =>
    topic.partitions.map((planned) => ({
      ...{ topic, planned },
      given: partitionToProve(context, { ...gathered, target }, topic, planned),
    })),
  );
  const progress = new Progress(
    context.clock,
    all.reduce((sum, { given }) => sum + offsetsOf(given), 0),
    all.length,
  );
  const results = await proveAll(context, all, progress, signal);
  // A topic that was deleted meanwhile and made anew would have been read as if it were the one that is meant.
  const still = new Set((await target.side.topics(plan.topics.map(({ name }) => name))).map(identityOf));
  const topics = plan.topics.map((topic) => {
    const isThere = target.topics.some((facts) => facts.name === topic.name && still.has(identityOf(facts)));
    const own = results.get(topic.name) ?? [];
    return topicOf(gathered, topic, isThere ? own : topic.partitions.map(otherTopic));
  });
  return proofOf(context, gathered, topics, { provedAtMs, elapsedMs: progress.elapsedMs, bytes: progress.bytes });
}

type Work = {
  readonly topic: PlannedTopic;
  readonly planned: PlannedPartition;
  readonly given: PartitionToProve | null;
};

function offsetsOf(given: PartitionToProve | null): number {
  if (given === null) return 0;
  const { planned, target, ledgerEnd, isWritten, settled } = given;
  const end = Math.min(target.bounds.highWatermark, isWritten ? settled.target : ledgerEnd.target);
  return Math.max(0, end - Math.max(planned.begin.target, target.bounds.logStart));
}

async function proveAll(
  context: Context,
  all: readonly Work[],
  progress: Progress,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly ProofPartition[]>> {
  const live = shownProgress(context, progress);
  const results = new Map(all.map(({ topic }) => [topic.name, [] as ProofPartition[]]));
  const waiting = [...all];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { topic, planned, given } = next;
      const result =
        given === null ? otherTopic(planned) : await provePartition(given, (read) => progress.add(read), signal);
      results.get(topic.name)?.push(result);
      progress.partitionsDone += 1;
      const place = partitionName({ topic: topic.name, partition: planned.partition });
      if (result.verdict === 'wrong') live.note(`${place}: something is wrong`);
    }
  };
  try {
    await Promise.all(Array.from({ length: partitionsAtOnce }, work));
  } finally {
    // One that failed ends the others at their next batch.
    waiting.length = 0;
    live.close();
  }
  return results;
}

function identityOf({ name, topicId }: TopicFacts): string {
  return JSON.stringify([name, topicId]);
}

/** The topic that the copy has written is not there any more, or this partition is not. */
function otherTopic({ partition, begin, logStart, end }: PlannedPartition): ProofPartition {
  const detail = 'the topic that the copy has written is not on the target any more: it was deleted, or made anew';
  const finding = { kind: 'other-topic', source: null, target: null, count: 1, detail } as const;
  return {
    ...{ partition, verdict: 'wrong', end, ledger: null, records: 0, bytes: 0 },
    account: emptyAccount(begin.source),
    before: { gone: Math.min(begin.source, logStart), skipped: Math.max(0, begin.source - logStart) },
    target: { from: begin.target, to: begin.target, logStart: 0, logEnd: 0 },
    batches: { lines: 0, proven: 0, madeAnew: 0, compared: 0 },
    counts: { 'other-topic': 1 },
    findings: [{ ...finding, weight: weights['other-topic'] }],
  };
}

function topicOf(
  { found, source, target }: Gathered,
  topic: PlannedTopic,
  results: readonly ProofPartition[],
): ProofTopic {
  const partitions = results.toSorted((one, other) => one.partition - other.partition);
  const { state } = found;
  const configuration = configurationOf({ found, source, target }, topic);
  return {
    topic: topic.name,
    verdict: worstOf([...partitions.map(({ verdict }) => verdict), configuration.verdict]),
    sourceId: topic.sourceId,
    targetId: state.targetIds[topic.name] ?? null,
    configuration,
    partitions,
  };
}

function configurationOf({ found, source, target }: Omit<Gathered, 'stateDirectory'>, planned: PlannedTopic): Parity {
  const { state } = found;
  const facts = factsOf(target, planned);
  const from = 'trouble' in source ? null : factsOf(source, planned);
  if (facts === null)
    return {
      verdict: 'wrong',
      differences: [],
      levers: [],
      notes: ['the target has no such topic any more, by its id'],
    };
  const parity = parityOf({
    planned,
    levers: leversOf(state),
    agreed: state.plan.levers,
    isOver: hasMoveEnded(state),
    source: from,
    sourceWhy: 'trouble' in source ? source.trouble : null,
    target: facts,
  });
  const unplanned = unplannedPartitions(planned, from);
  const notes =
    unplanned.length === 0 ? [] : [`made on the source since, and not part of this copy: ${unplanned.join(', ')}`];
  return { ...parity, notes: [...parity.notes, ...notes] };
}

function factsOf({ topics }: Asked, { name }: PlannedTopic): TopicFacts | null {
  return topics.find((one) => one.name === name) ?? null;
}

type Figures = Pick<Proof, 'provedAtMs' | 'elapsedMs' | 'bytes'>;

function proofOf(context: Context, gathered: Gathered, topics: readonly ProofTopic[], figures: Figures): Proof {
  const { found, source } = gathered;
  const { state, entries } = found;
  const { plan } = state;
  const head = entries.at(-1);
  const data = worstOf(topics.flatMap(({ partitions }) => partitions.map((one): Verdict => one.verdict)));
  const configuration = worstOf(topics.map((one): Verdict => one.configuration.verdict));
  const cluster = (which: 'source' | 'target', trouble: string | null) => {
    const { clusterId, bootstrap } = plan[which];
    return { clusterId, bootstrap, trouble };
  };
  return {
    verdict: worstOf([data, configuration]),
    ...{ data, configuration },
    operation: state.operation,
    stage: state.stage.kind,
    by: state.by,
    startedAtMs: state.startedAtMs,
    provedBy: context.user,
    ...figures,
    elapsedMs: Math.round(figures.elapsedMs),
    source: cluster('source', 'trouble' in source ? source.trouble : null),
    target: cluster('target', null),
    chain: { seq: head?.seq ?? 0, hash: head?.hash ?? '' },
    journal: journalFacts(state, entries),
    topics,
  };
}
