import type { PlannedTopic } from '../operation/plan.ts';
import { partitionName } from '../operation/plan.ts';
import type { Settings, TopicFacts } from '../topic-facts.ts';
import { restoring, type TopicLever } from '../topic-levers.ts';
import { type Difference, planTopics } from '../topics.ts';
import type { Verdict } from './finding.ts';

/** How a topic of the target is configured, beside that of the source. */
export type Parity = {
  readonly verdict: Verdict;
  readonly differences: readonly ParityDifference[];
  readonly levers: readonly LeverState[];
  /** Sentences for a person. */
  readonly notes: readonly string[];
};

export type ParityDifference = {
  readonly what: string;
  readonly source: string;
  readonly target: string;
  /**
   * `set aside`: by a lever of ours, as long as the copy is not over. `accepted`: it cannot be otherwise, and was shown before the copy began.
   * `changed`: somebody has changed a setting that was to be restored. `differs`: nobody has agreed to it.
   */
  readonly why: 'set aside' | 'accepted' | 'changed' | 'differs';
};

export type LeverState = {
  readonly key: string;
  /** Null: not set at the topic. */
  readonly before: string | null;
  readonly whileCopying: string;
  readonly now: string | null;
  /** `left`: the copy is over, and it still is as it was while copying. `changed`: somebody has given it another value. */
  readonly state: 'set aside' | 'restored' | 'left' | 'changed';
};

export type ParityQuestion = {
  readonly planned: PlannedTopic;
  /** With what stood there when they were set. */
  readonly levers: readonly TopicLever[];
  /** As they were planned: with what stood there when the copy was agreed on. */
  readonly agreed: readonly TopicLever[];
  /** Nothing is set aside any more. */
  readonly isOver: boolean;
  readonly source: TopicFacts | null;
  /** Why the source does not tell; null: it does. */
  readonly sourceWhy: string | null;
  readonly target: TopicFacts;
};

export function parityOf(question: ParityQuestion): Parity {
  const { planned, levers, agreed, isOver, source, sourceWhy, target } = question;
  const own = levers.filter(({ topic }) => topic === planned.name);
  if (!target.settings.known) return unknownParity(`settings of the target: ${target.settings.why}`);
  const states = own.map((lever) => leverState(lever, target.settings.known ? target.settings.value : {}, isOver));
  const left = states.some(({ state }) => state === 'left');
  if (source === null || !source.settings.known) {
    const why = source === null ? (sourceWhy ?? 'the source has no such topic any more') : 'its settings are not told';
    const notes = [`nothing to compare it with: ${why}`];
    return { verdict: left ? 'wrong' : 'unprovable', differences: [], levers: states, notes };
  }
  const factor = planned.make?.replicationFactor ?? target.replicationFactor;
  const there = { ...target, isOurs: true, held: { known: true, value: [] } } as const;
  const none = { known: false, why: 'no topic is made' } as const;
  const [plan] = planTopics({ source: [source], target: [there], targetDefaults: none, replicationFactor: factor });
  if (plan === undefined || plan.kind === 'refused' || plan.kind === 'make')
    return { ...unknownParity('the two cannot be compared'), levers: states };
  const isAsAgreed = ({ key, before }: LeverState) =>
    agreed.some((one) => one.topic === planned.name && one.key === key && one.before === before);
  const differences = plan.kind === 'differs' ? plan.differences.map((one) => weighed(one, states, isAsAgreed)) : [];
  const isWrong = left || differences.some(({ why }) => why === 'differs');
  return { verdict: isWrong ? 'wrong' : 'proven', differences, levers: states, notes: plan.notes };
}

function unknownParity(note: string): Parity {
  return { verdict: 'unprovable', differences: [], levers: [], notes: [note] };
}

function leverState(lever: TopicLever, settings: Settings, isOver: boolean): LeverState {
  const { key, before, whileCopying } = lever;
  const found = restoring(lever, settings);
  const setting = settings[key];
  const now = setting?.level === 'topic' ? setting.value : null;
  const state = { nothing: 'restored', change: isOver ? 'left' : 'set aside', left: 'changed' } as const;
  return { key, before, whileCopying, now, state: state[found.kind] };
}

function weighed(
  { what, source, target, remedy }: Difference,
  levers: readonly LeverState[],
  isAsAgreed: (lever: LeverState) => boolean,
): ParityDifference {
  const keys = remedy.kind === 'set' ? [what, ...remedy.changes.map(({ key }) => key)] : [what];
  const lever = levers.find(({ key }) => keys.includes(key));
  const told = { what, source, target };
  if (remedy.kind === 'none') return { ...told, why: 'accepted' };
  if (lever?.state === 'set aside') return { ...told, why: 'set aside' };
  // Before it was set aside, or after.
  const isChanged = lever !== undefined && (lever.state === 'changed' || !isAsAgreed(lever));
  return { ...told, why: isChanged ? 'changed' : 'differs' };
}

/** Partitions that the source has and the plan does not: nobody has copied them. */
export function unplannedPartitions({ name, partitions }: PlannedTopic, source: TopicFacts | null): string[] {
  const planned = new Set(partitions.map(({ partition }) => partition));
  return [...Array(source?.partitions ?? 0).keys()]
    .filter((partition) => !planned.has(partition))
    .map((partition) => partitionName({ topic: name, partition }));
}
