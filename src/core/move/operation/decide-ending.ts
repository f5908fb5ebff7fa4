import { restoring } from '../topic-levers.ts';
import { type AclsLeaving, aclsLeaving } from './decide-acls.ts';
import { type MoveDecision, type MoveEffect, nothing } from './decision.ts';
import type { MoveEvent } from './events.ts';
import { isMadeBy } from './found-topic.ts';
import type { Holdings, MoveObservation, TopicFound } from './observation.ts';
import { aclsOf, lagMsMax, leversOf, type MoveState } from './state.ts';

/** No data moves: what was changed for the copy is put back, and where it is asked for, what was made is removed. */
export function decideEnding(state: MoveState, observation: MoveObservation): MoveDecision {
  const { mover, topics, nowMs } = observation;
  // Restored while something still writes, a lever would have an effect on it.
  if (mover.kind === 'running' || mover.kind === 'starting') return nothing;
  if (topics === null || !topics.known) return nothing;
  const decision =
    state.stage.kind === 'restoring'
      ? restore(state, state.stage.becoming, topics.value, observation.acls)
      : remove(state, topics.value, observation);
  // What was asked of the target before may still be done, or may not be told yet: until then it is looked at again.
  const sureAtMs = Math.max(observation.quietAtMs, mayLag(state) ? state.preparedAtMs + lagMsMax : 0);
  const isEarly = nowMs < sureAtMs && decision.events.some(concludes);
  return isEarly ? { ...nothing, wakeAtMs: sureAtMs } : decision;
}

/** Something was made or set that a broker may not have heard of. */
function mayLag(state: MoveState): boolean {
  return state.areLeversIntended || state.made.length > 0 || aclsOf(state).length > 0;
}

/** It says that nothing is left to be done, because nothing shows. */
function concludes({ kind }: MoveEvent): boolean {
  return concluding.includes(kind);
}

const concluding: readonly MoveEvent['kind'][] = ['levers-restored', 'acls-removed', 'topic-deleted', 'copy-removed'];

type Topics = Readonly<Record<string, TopicFound>>;

function restore(
  state: MoveState,
  becoming: 'copied' | 'aborted',
  topics: Topics,
  acls: MoveObservation['acls'],
): MoveDecision {
  // A topic that is gone has no setting that could be left, and one that was made anew has none of ours.
  const levers = leversOf(state);
  const found = levers.flatMap((lever) => {
    const there = topics[lever.topic];
    if (there === undefined || there.settings === null || there.topicId !== state.targetIds[lever.topic]) return [];
    return [{ lever, restoring: restoring(lever, there.settings) }];
  });
  const changes = found.flatMap(({ restoring }) => (restoring.kind === 'change' ? [restoring.change] : []));
  // What is copied keeps its rights.
  const leaving = becoming === 'copied' ? untouched : aclsLeaving(state, acls, () => false);
  const effects: MoveEffect[] = [
    ...(changes.length > 0 ? [{ kind: 'change-settings', changes } as const] : []),
    ...deleting(leaving),
  ];
  if (effects.length > 0) return { ...nothing, effects, wakeAtMs: 0 };
  if (leaving === null) return nothing;
  const left = found.flatMap(({ lever: { topic, key }, restoring }) =>
    restoring.kind === 'left' ? [`${topic}: ${key} is ${restoring.now ?? 'not set'} now`] : [],
  );
  const restored: MoveEvent[] = levers.length === 0 ? [] : [{ kind: 'levers-restored', left }];
  const { removal } = state;
  const next: MoveEvent[] = removal === null ? [] : [{ kind: 'removal-asked', ...removal }];
  return {
    ...nothing,
    events: [
      ...restored,
      ...(becoming === 'copied' ? [] : removed(state, leaving)),
      { kind: becoming === 'copied' ? 'copied' : 'copy-aborted' },
      ...next,
    ],
    wakeAtMs: 0,
  };
}

const untouched: AclsLeaving = { standing: [], left: [] };

function deleting(leaving: AclsLeaving | null): MoveEffect[] {
  return leaving === null || leaving.standing.length === 0 ? [] : [{ kind: 'delete-acls', acls: leaving.standing }];
}

function removed(state: MoveState, { left }: AclsLeaving): MoveEvent[] {
  return aclsOf(state).length === left.length ? [] : [{ kind: 'acls-removed', left }];
}

function remove(state: MoveState, topics: Topics, { made, acls }: MoveObservation): MoveDecision {
  const events: MoveEvent[] = [];
  const effects: MoveEffect[] = [];
  for (const { name: topic, make } of state.plan.topics) {
    const found = topics[topic];
    if (make === null || found === undefined) continue;
    if (state.removed.includes(topic) || state.kept[topic] !== undefined) continue;
    const topicId = state.targetIds[topic];
    if (topicId === undefined) {
      // It was asked for, and came after nobody waited for it any more.
      const kind = isMadeBy(made[topic], make, found) ? 'topic-made' : 'topic-found';
      if (found.topicId !== null) events.push({ kind, topic, topicId: found.topicId });
      continue;
    }
    if (!state.made.includes(topic)) {
      const why = state.rebuilt.includes(topic) ? wasThere : notKnown;
      if (found.topicId === topicId) events.push({ kind: 'topic-kept', topic, why });
      continue;
    }
    if (found.topicId !== topicId) events.push({ kind: 'topic-deleted', topic });
    else if (found.holdings !== null) {
      const why = keepWords(found.holdings);
      if (why !== null) events.push({ kind: 'topic-kept', topic, why });
      else effects.push({ kind: 'delete-topic', topic, topicId });
    }
  }
  if (events.length > 0) return { ...nothing, events, wakeAtMs: 0 };
  if (effects.length > 0) return { ...nothing, effects };
  const isSettled = state.made.every((topic) => state.removed.includes(topic) || state.kept[topic] !== undefined);
  if (!isSettled) return nothing;
  // Rights go with the topics that they are about.
  const stays = (topic: string) => !state.removed.includes(topic) && (topics[topic]?.topicId ?? null) !== null;
  const leaving = aclsLeaving(state, acls, stays);
  if (leaving === null) return nothing;
  const deletion = deleting(leaving);
  if (deletion.length > 0) return { ...nothing, effects: deletion, wakeAtMs: 0 };
  return { ...nothing, events: [...removed(state, leaving), { kind: 'copy-removed' }], wakeAtMs: 0 };
}

const wasThere = 'it was there before this copy, which has only made it anew (--rebuild)';
const notKnown = 'who has made it is not known: it was there before the target had told that it was made for this copy';

/** Why somebody may need it; null: it holds our batches and nothing else, and nobody has begun to read it. */
function keepWords({ partitions, groups }: Holdings): string | null {
  if (groups.length > 0) return `groups have committed offsets on it: ${groups.join(', ')}`;
  const foreign = partitions.find(({ logEnd, ledgerEnd }) => logEnd !== (ledgerEnd ?? 0));
  if (foreign === undefined) return null;
  const { partition, logEnd, ledgerEnd } = foreign;
  return `partition ${partition} ends at offset ${logEnd}, and what was copied ends at ${ledgerEnd ?? 0}: it holds what is not ours`;
}
