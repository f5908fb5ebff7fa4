import { planAcls } from '../../core/move/acl-facts.ts';
import type { CopyPlan, PlannedTopic } from '../../core/move/operation/plan.ts';
import type { Settings, TargetTopic, TopicFacts } from '../../core/move/topic-facts.ts';
import { leversWhileBehind } from '../../core/move/topic-levers.ts';
import { changesOf, planTopics, settingsOncePlanned, type TopicPlan } from '../../core/move/topics.ts';
import { known } from '../../core/observed/reading.ts';
import { type CopyScenario, type DrawnTopic, noAcls } from './scenario.ts';
import { type SimTarget, settingsOf } from './target.ts';

/** What was agreed on: by the rules of the product, from what is there when the command is typed. */
export function planFor({ topics, acls = noAcls, isFollowed }: CopyScenario, target: SimTarget): CopyPlan {
  const targetDefaults = settingsOf(new Map());
  const plans = planTopics({
    source: topics.map(sourceFacts),
    target: topics.flatMap(({ name }) => targetFacts(name, target)),
    targetDefaults: known(targetDefaults),
    replicationFactor: null,
  });
  const now = ({ topic }: TopicPlan): Settings => {
    const there = target.topics.get(topic);
    return there === undefined ? targetDefaults : settingsOf(there.own);
  };
  const reference = (name: string) => ({ clusterId: name, bootstrap: `${name}:9092`, configFile: null });
  return {
    source: reference('old'),
    target: reference('new'),
    asked: { topics: 'topic-.*', exclude: null, from: 'earliest', follow: isFollowed },
    topics: plans.map((plan, number) => plannedTopic(plan, topics[number], target, isFollowed)),
    pace: { partitionsPerBroker: null, order: 'name', first: [] },
    acls: planAcls(
      acls.source,
      [...target.acls.standing.values()],
      topics.map(({ name }) => name),
      'User:drover',
    ).make,
    levers: plans.flatMap((plan) => leversWhileBehind(plan.topic, settingsOncePlanned(plan, now(plan)), 2_000_000)),
  };
}

function plannedTopic(
  plan: TopicPlan,
  drawn: DrawnTopic | undefined,
  target: SimTarget,
  isFollowed: boolean,
): PlannedTopic {
  if (drawn === undefined || plan.kind === 'refused') throw new Error(`${plan.topic} cannot be planned`);
  const { name, ends } = drawn;
  const there = target.topics.get(name);
  return {
    name,
    sourceId: `source of ${name}`,
    targetId: there?.id ?? null,
    make:
      plan.kind === 'make'
        ? { partitions: plan.partitions, replicationFactor: plan.replicationFactor, settings: plan.settings }
        : null,
    grow: there !== undefined && there.partitions.length < ends.length ? ends.length : null,
    changes: changesOf(plan),
    partitions: ends.map((end, partition) => ({
      partition,
      begin: { source: 0, target: 0 },
      logStart: 0,
      end: isFollowed ? null : end,
    })),
  };
}

function sourceFacts({ name, source, ends }: DrawnTopic): TopicFacts {
  const settings = known(settingsOf(new Map(Object.entries(source))));
  return { name, topicId: `source of ${name}`, partitions: ends.length, replicationFactor: 3, settings };
}

function targetFacts(name: string, target: SimTarget): TargetTopic[] {
  const topic = target.topics.get(name);
  if (topic === undefined) return [];
  const facts = { topicId: topic.id, partitions: topic.partitions.length, replicationFactor: 3 };
  // Those with fewer partitions than the source are grown: for that they have to be ours.
  return [{ name, ...facts, settings: known(settingsOf(topic.own)), isOurs: true, held: known([]) }];
}
