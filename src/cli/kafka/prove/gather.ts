import type { Position } from '../../../core/move/ledger-lines.ts';
import { type PlannedPartition, type PlannedTopic, partitionName } from '../../../core/move/operation/plan.ts';
import { hasMoveEnded, type MoveState } from '../../../core/move/operation/state.ts';
import { hasPart } from '../../../core/move/setting-names.ts';
import type { TopicFacts } from '../../../core/move/topic-facts.ts';
import { PortError } from '../../../engine/ports.ts';
import { CliError, type Context } from '../../context.ts';
import { copiesOf, type PastCopy } from '../copy/copies.ts';
import { copyController } from '../copy/sockets.ts';
import { partitionKey } from '../copy/world.ts';
import type { PartitionBounds } from '../side.ts';
import { requireCluster } from './options.ts';
import type { PartitionToProve } from './partition.ts';
import type { ProofSide } from './world.ts';

/** The copy that is meant, and who goes on writing what it has written. */
export type Found = PastCopy & {
  /** Where its partitions stand by the controller, by name; empty: none answers. */
  readonly settledNow: ReadonlyMap<string, Position>;
  /** A controller lives, or listens and does not answer; or another copy of these topics has one. */
  readonly isWritten: boolean;
};

type Journal = Parameters<typeof copiesOf>[1];

/** Without a name: the last one. Throws CliError. */
export async function findCopy(
  context: Context,
  journal: Journal,
  stateDirectory: string,
  name: string | undefined,
): Promise<Found> {
  const copies = await copiesOf(context.world, journal);
  const found = copies.findLast(({ state }) => name === undefined || state.operation === name);
  if (found === undefined)
    throw new CliError(
      name === undefined ? 'no copy was begun here yet' : `there is no copy ${name}`,
      '`drover kafka status` shows those that there are',
    );
  const { state } = found;
  if (state.stage.kind === 'removing' || state.stage.kind === 'removed')
    throw new CliError(`what ${state.operation} has copied was removed from the target: nothing is left to be proven`);
  if (state.stage.kind === 'preparing' || state.stage.kind === 'rebuilding')
    throw new CliError(`${state.operation} has not begun to copy: nothing is there to be proven yet`);
  const own = await copyController(context, stateDirectory, state.operation);
  const partitions = own === null || own === 'silent' ? [] : (own.status?.partitions ?? []);
  const names = new Set(state.plan.topics.map(({ name: topic }) => topic));
  const others = copies.filter((one) => {
    const { plan } = one.state;
    const isSameTarget = plan.target.clusterId === state.plan.target.clusterId;
    return (
      one !== found && !hasMoveEnded(one.state) && isSameTarget && plan.topics.some((topic) => names.has(topic.name))
    );
  });
  return {
    ...found,
    settledNow: new Map(partitions.map((one) => [partitionName(one), { source: one.source, target: one.target }])),
    isWritten: (own !== null && !hasMoveEnded(state)) || others.length > 0,
  };
}

/** One cluster as far as it answers. */
export type Asked = {
  readonly side: ProofSide;
  readonly topics: readonly TopicFacts[];
  readonly bounds: readonly PartitionBounds[];
};

/** Throws PortError, and CliError where it is another cluster. */
export async function ask(side: ProofSide, which: 'source' | 'target', { plan, targetIds }: MoveState): Promise<Asked> {
  requireCluster(which, plan[which], await side.clusterId());
  const topics = await side.topics(plan.topics.map(({ name }) => name));
  // Where a name stands for another topic, nothing of that is looked at.
  const meant = topics.filter(({ name, topicId }) => {
    const expected = which === 'source' ? plan.topics.find((one) => one.name === name)?.sourceId : targetIds[name];
    return (topicId ?? name) === expected;
  });
  return { side, topics: meant, bounds: await side.bounds(meant) };
}

/** The source may be gone by now, and that is no error. */
export async function askOrTell(
  side: () => ProofSide,
  state: MoveState,
): Promise<Asked | { readonly trouble: string }> {
  try {
    return await ask(side(), 'source', state);
  } catch (error) {
    if (error instanceof PortError) return { trouble: error.message };
    throw error;
  }
}

/** What was settled is below the high watermark, but the one who tells it may be some moments behind. Throws PortError. */
export async function untilVisible(context: Context, asked: Asked, to: ReadonlyMap<string, number>): Promise<Asked> {
  const giveUpMs = context.clock.monotonic() + visibleMsMax;
  let now = asked;
  for (;;) {
    const isBehind = now.bounds.some((one) => one.highWatermark < (to.get(partitionName(one)) ?? 0));
    if (!isBehind || context.clock.monotonic() > giveUpMs) return now;
    await context.clock.sleep(200, new AbortController().signal);
    now = { ...now, bounds: await now.side.bounds(now.topics) };
  }
}

const visibleMsMax = 10_000;

export type Gathered = {
  readonly found: Found;
  readonly stateDirectory: string;
  readonly source: Asked | { readonly trouble: string };
  readonly target: Asked;
};

/** Null: the target has no such partition any more. */
export function partitionToProve(
  context: Context,
  { found, stateDirectory, source, target }: Gathered,
  { name: topic }: PlannedTopic,
  planned: PlannedPartition,
): PartitionToProve | null {
  const { state, isWritten } = found;
  const { partition } = planned;
  const place = partitionName({ topic, partition });
  const isCopied = state.stage.kind === 'copied';
  const key = partitionKey(state.plan, topic, partition, state.targetIds[topic] ?? '');
  const isThere = (one: PartitionBounds) => one.topic === topic && one.partition === partition;
  const bounds = target.bounds.find(isThere);
  if (key === null || bounds === undefined) return null;
  const sourceBounds = 'trouble' in source ? undefined : source.bounds.find(isThere);
  const trail = context.world.openTrail(stateDirectory, topic, key);
  const facts = target.topics.find(({ name }) => name === topic);
  const policy = facts?.settings.known ? (facts.settings.value['cleanup.policy']?.value ?? '') : '';
  return {
    ...{ topic, planned, key, trail, isWritten },
    settled: settledOf(found, place) ?? planned.begin,
    // What was lost since is copied again, and the source may have been cleaned meanwhile.
    mark: isCopied || !state.lost.some((one) => partitionName(one) === place) ? (state.marks[place] ?? null) : null,
    isOver: isCopied || state.stage.kind === 'aborted',
    isCopied,
    isCompacted: hasPart(policy, 'compact'),
    target: { side: target.side, bounds },
    source: 'trouble' in source || sourceBounds === undefined ? null : { side: source.side, bounds: sourceBounds },
    sourceWhy: 'trouble' in source ? source.trouble : 'the source has no such topic any more, by its id',
    ledgerEnd: trail?.end ?? planned.begin,
    stopped: state.stopped[place]?.why ?? null,
  };
}

/** By whoever knows more; null: nothing was settled yet. */
export function settledOf({ state, settledNow }: Found, place: string): Position | null {
  const now = settledNow.get(place);
  const marked = state.marks[place]?.settled;
  if (now === undefined || marked === undefined) return now ?? marked ?? null;
  return now.source > marked.source ? now : marked;
}
