import { type LeftAcl, planAcls, type TopicAcl } from '../../../core/move/acl-facts.ts';
import { entryCommand } from '../../../core/move/rights.ts';
import { known, type Reading } from '../../../core/observed/reading.ts';

/** What of the source's ACLs about these topics the target does not have: made there, or left, each with the command that makes it. */
export type AclPreview = {
  /** Denials first. */
  readonly make: readonly ShownAcl[];
  readonly leave: readonly (ShownAcl & { readonly why: LeftAcl['why'] })[];
  /** Why there is nothing to make; null: there may be. */
  readonly note: string | null;
};
export type ShownAcl = TopicAcl & { readonly command: string };

/** Entries of one side; `none`: it has no authorizer. */
export type AclsFound = Reading<readonly TopicAcl[] | 'none'>;

export type AclsAsked = {
  readonly topics: readonly string[];
  /** Who copies, as the target knows it. */
  readonly principal: string | null;
  /** False: somebody wants them left alone. */
  readonly isWanted: boolean;
  /** Of the target, for `kafka-acls`. */
  readonly reach: string;
};

/** Unknown where a side does not tell its entries: then none is made, and why is told. */
export function aclPreview(source: AclsFound, target: AclsFound, asked: AclsAsked): Reading<AclPreview> {
  if (!asked.isWanted) return none('they are left alone, as --no-acls says');
  if (!source.known) return source;
  if (source.value === 'none') return none('the source has no authorizer, and so no ACLs');
  if (!target.known) return target;
  const { topics, principal, reach } = asked;
  const { value } = target;
  const { make, leave } = planAcls(source.value, value === 'none' ? [] : value, topics, principal);
  const shown = (acl: TopicAcl) => ({ ...acl, command: entryCommand(acl, reach) });
  const left = leave.map(({ acl, why }) => ({ ...shown(acl), why }));
  const planned = { make: make.map(shown), leave: left, note: null };
  if (value !== 'none') return known(planned);
  return left.length + make.length === 0
    ? none('the target has no authorizer, and the source has none of these topics')
    : leaving(planned, 'no authorizer');
}

/** The target does not let us make any. */
export function withoutRight(acls: Reading<AclPreview>): Reading<AclPreview> {
  return acls.known ? leaving(acls.value, 'not allowed') : acls;
}

function leaving({ make, leave, note }: AclPreview, why: LeftAcl['why']): Reading<AclPreview> {
  return known({ make: [], leave: [...make.map((acl) => ({ ...acl, why })), ...leave], note });
}

function none(note: string): Reading<AclPreview> {
  return known({ make: [], leave: [], note });
}
