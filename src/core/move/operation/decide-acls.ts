import { isAbout, missingAcls, presentAcls, type TopicAcl } from '../acl-facts.ts';
import { type MoveDecision, nothing } from './decision.ts';
import type { MoveObservation } from './observation.ts';
import { aclsOf, type MoveState } from './state.ts';

/**
 * Rights come before what they are about: entries of the plan are made before topics are. What stands there when that is intended is
 * somebody's. Null: nothing is to be made any more.
 */
export function decideAcls(state: MoveState, acls: MoveObservation['acls']): MoveDecision | null {
  if (state.acls.length === 0 || state.areAclsMade) return null;
  if (acls === null || !acls.known) return nothing;
  const missing = missingAcls(state.acls, acls.value);
  if (!state.areAclsIntended) return { ...nothing, events: [{ kind: 'acls-intended', acls: missing }], wakeAtMs: 0 };
  return missing.length === 0
    ? { ...nothing, events: [{ kind: 'acls-made' }], wakeAtMs: 0 }
    : { ...nothing, effects: [{ kind: 'make-acls', acls: missing }], wakeAtMs: 0 };
}

/** Whether it has to be known which entries stand on the target. */
export function areAclsAsked(state: MoveState): boolean {
  const { stage, acls, areAclsMade } = state;
  if (stage.kind === 'preparing') return acls.length > 0 && !areAclsMade;
  const isLeaving = stage.kind === 'removing' || (stage.kind === 'restoring' && stage.becoming === 'aborted');
  return isLeaving && aclsOf(state).length > 0;
}

/** Of what this operation has made, entries that still stand and have to go, and those that stay. */
export type AclsLeaving = { readonly standing: readonly TopicAcl[]; readonly left: readonly TopicAcl[] };

/** `stays`: whether a topic of the plan is not taken away. Null: what stands is not known. */
export function aclsLeaving(
  state: MoveState,
  acls: MoveObservation['acls'],
  stays: (topic: string) => boolean,
): AclsLeaving | null {
  const ours = aclsOf(state);
  if (ours.length === 0) return { standing: [], left: [] };
  const topics = state.plan.topics.map(({ name }) => name).filter(stays);
  const left = ours.filter((acl) => topics.some((topic) => isAbout(acl, topic)));
  if (left.length === ours.length) return { standing: [], left };
  if (acls === null || !acls.known) return null;
  const leaving = ours.filter((acl) => !left.includes(acl));
  return { standing: presentAcls(leaving, acls.value), left };
}
