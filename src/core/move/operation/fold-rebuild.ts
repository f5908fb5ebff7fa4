import type { MoveEvent } from './events.ts';
import type { CopyPlan, TopicToMake } from './plan.ts';
import type { MoveStage, MoveState } from './state.ts';

type Rebuild = Extract<MoveEvent, { kind: 'rebuild-asked' | 'rebuild-intended' | 'rebuild-refused' | 'topic-cleared' }>;

/** A topic of the target that is deleted and made anew: from then on it is one that this copy has to make. */
export function foldedRebuild(state: MoveState, event: Rebuild, enter: (stage: MoveStage) => MoveState): MoveState {
  const { stage } = state;
  switch (event.kind) {
    case 'rebuild-asked': {
      const { topic, topicId, replicationFactor, ends } = event;
      return enter({ kind: 'rebuilding', topic, topicId, replicationFactor, ends, make: null });
    }
    case 'rebuild-intended':
      return stage.kind === 'rebuilding' ? enter({ ...stage, make: event.make }) : state;
    // What has been made and set stays so: it is looked at, and nothing of it is done again.
    case 'rebuild-refused':
      return enter({ kind: 'preparing' });
    case 'topic-cleared':
      if (stage.kind !== 'rebuilding' || stage.make === null) return state;
      return { ...withoutTopic(state, stage.topic, stage.topicId, stage.make), ...entered(enter) };
    default:
      return event satisfies never;
  }
}

function entered(enter: (stage: MoveStage) => MoveState): Pick<MoveState, 'stage' | 'stageSinceMs'> {
  const { stage, stageSinceMs } = enter({ kind: 'preparing' });
  return { stage, stageSinceMs };
}

/** Nothing that was known of its partitions is true any more. */
function withoutTopic(state: MoveState, topic: string, topicId: string, make: TopicToMake): MoveState {
  const { [topic]: _, ...targetIds } = state.targetIds;
  const { [topic]: __, ...growing } = state.growing;
  const isOther = (one: { readonly topic: string }) => one.topic !== topic;
  const others = <Of extends { readonly topic: string }>(of: Readonly<Record<string, Of>>) =>
    Object.fromEntries(Object.entries(of).filter(([, one]) => isOther(one)));
  const wasMade = state.made.includes(topic);
  return {
    ...state,
    targetIds,
    growing,
    plan: withTopicToMake(state.plan, topic, make),
    made: state.made.filter((name) => name !== topic),
    rebuilt: wasMade || state.rebuilt.includes(topic) ? state.rebuilt : [...state.rebuilt, topic],
    cleared: { ...state.cleared, [topic]: topicId },
    grown: state.grown.filter((name) => name !== topic),
    levers: state.levers.map((lever) =>
      isOther(lever) ? lever : { ...lever, before: make.settings[lever.key] ?? null },
    ),
    marks: others(state.marks),
    stopped: others(state.stopped),
    unproven: state.unproven.filter(isOther),
    lost: state.lost.filter(isOther),
  };
}

/** Copied once more from where its copy had begun, into nothing. */
function withTopicToMake(plan: CopyPlan, topic: string, make: TopicToMake): CopyPlan {
  const topics = plan.topics.map((one) => {
    if (one.name !== topic) return one;
    const partitions = one.partitions.map(({ adopted: _, begin, ...planned }) => ({
      ...planned,
      begin: { source: begin.source, target: 0 },
    }));
    return { ...one, targetId: null, make, grow: null, changes: [], partitions };
  });
  return { ...plan, topics };
}
