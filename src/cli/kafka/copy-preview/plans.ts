import type { TargetTopic, TopicFacts } from '../../../core/move/topic-facts.ts';
import { changesOf, planTopics, type TopicPlan } from '../../../core/move/topics.ts';
import { known, unknown } from '../../../core/observed/reading.ts';
import type { PreviewSide } from './preview-side.ts';

export type Planned = {
  readonly plans: readonly TopicPlan[];
  readonly source: readonly TopicFacts[];
  readonly target: readonly TargetTopic[];
  /** What a topic of the target would have that is made without settings. */
  readonly targetDefaults: Awaited<ReturnType<PreviewSide['newTopicSettings']>>;
};

export type PlanOptions = {
  readonly topics: readonly string[];
  readonly replicationFactor: number | null;
  /** Whether a ledger of ours is about this topic of the target. */
  readonly isOurs: (target: TopicFacts) => boolean;
};

/** What has to be done with each topic; where it would make or change one, the target has been asked whether it would. */
export async function planOf(source: PreviewSide, target: PreviewSide, options: PlanOptions): Promise<Planned> {
  const { topics, replicationFactor, isOurs } = options;
  const there = await source.topics(topics);
  const found: TargetTopic[] = [];
  for (const facts of await target.topics(topics)) {
    const ours = isOurs(facts);
    found.push({ ...facts, isOurs: ours, held: ours ? known([]) : await target.held(facts) });
  }
  const absent = there.find(({ name }) => !name.startsWith('__') && !found.some((one) => one.name === name));
  const nothingAsked = unknown('no topic has to be made');
  const targetDefaults = absent === undefined ? nothingAsked : await target.newTopicSettings(absent.name);
  const plans = planTopics({ source: there, target: found, targetDefaults, replicationFactor });
  return { plans: await checked(target, plans), source: there, target: found, targetDefaults };
}

async function checked(target: PreviewSide, plans: readonly TopicPlan[]): Promise<TopicPlan[]> {
  const made = await target.checkNewTopics(plans.flatMap((plan) => (plan.kind === 'make' ? [plan] : [])));
  const changed = await target.checkSettings(plans.flatMap(changesOf));
  const refused = new Map(
    [...made, ...changed].flatMap((one) => (one.refused === null ? [] : [[one.topic, one.refused]])),
  );
  return plans.map((plan): TopicPlan => {
    const refusal = refused.get(plan.topic);
    if (refusal === undefined) return plan;
    const { topic, notes } = plan;
    const { error, why } = refusal;
    return { kind: 'refused', topic, notes, refusals: [{ kind: 'refused-by-target', error, why }] };
  });
}
