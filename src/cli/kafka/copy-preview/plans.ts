import type { TargetTopic, TopicFacts } from '../../../core/move/topic-facts.ts';
import { type SetAside, withoutSetAside } from '../../../core/move/topic-levers.ts';
import { changesOf, planTopics, type Refusal, type TopicPlan } from '../../../core/move/topics.ts';
import { known, unknown } from '../../../core/observed/reading.ts';
import { PortError } from '../../../engine/ports.ts';
import type { Checked, PreviewSide } from './preview-side.ts';

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
  /** By copies that have not ended. */
  readonly setAside: readonly SetAside[];
};

/** What has to be done with each topic; where it would make or change one, the target has been asked whether it would. */
export async function planOf(source: PreviewSide, target: PreviewSide, options: PlanOptions): Promise<Planned> {
  const { topics, replicationFactor, isOurs, setAside } = options;
  const there = await source.topics(topics);
  const found: TargetTopic[] = [];
  for (const facts of await target.topics(topics)) {
    const ours = isOurs(facts);
    const settings = facts.settings.known
      ? known(withoutSetAside(setAside, facts.topicId ?? facts.name, facts.settings.value))
      : facts.settings;
    found.push({ ...facts, settings, isOurs: ours, held: ours ? known([]) : await target.held(facts) });
  }
  const absent = there.find(({ name }) => !name.startsWith('__') && !found.some((one) => one.name === name));
  const nothingAsked = unknown('no topic has to be made');
  const targetDefaults = absent === undefined ? nothingAsked : await target.newTopicSettings(absent.name);
  const plans = planTopics({ source: there, target: found, targetDefaults, replicationFactor });
  return { plans: await checked(target, plans), source: there, target: found, targetDefaults };
}

async function checked(target: PreviewSide, plans: readonly TopicPlan[]): Promise<TopicPlan[]> {
  const made = plans.flatMap((plan) => (plan.kind === 'make' ? [plan] : []));
  const refusals = new Map([
    ...(await refusalsOf(made, () => target.checkNewTopics(made))),
    ...(await refusalsOf(plans.flatMap(changesOf), () => target.checkSettings(plans.flatMap(changesOf)))),
  ]);
  return plans.map((plan): TopicPlan => {
    const refusal = refusals.get(plan.topic);
    const { topic, notes } = plan;
    return refusal === undefined ? plan : { kind: 'refused', topic, notes, refusals: [refusal] };
  });
}

/** Where the target cannot be asked, that is why none of them can be begun. */
async function refusalsOf(
  asked: readonly { readonly topic: string }[],
  ask: () => Promise<readonly Checked[]>,
): Promise<(readonly [topic: string, refusal: Refusal])[]> {
  try {
    return (await ask()).flatMap(({ topic, refused }) =>
      refused === null ? [] : [[topic, { kind: 'refused-by-target', error: refused.error, why: refused.why }] as const],
    );
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    const refusal = { kind: 'unknown', what: 'whether the target would take it', why: error.message } as const;
    return asked.map(({ topic }) => [topic, refusal] as const);
  }
}
