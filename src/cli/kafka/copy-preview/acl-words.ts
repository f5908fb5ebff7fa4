import type { LeftAcl } from '../../../core/move/acl-facts.ts';
import { aclWords } from '../../../core/move/rights.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import type { AclPreview } from './acls.ts';

/** What is made on the target, with a heading; none where nothing is. */
export function madeAclLines(acls: Reading<AclPreview>): string[] {
  if (!acls.known || acls.value.make.length === 0) return [];
  return [
    'ACLs of these topics on the source that are made, and taken away by an abort:',
    ...acls.value.make.map((acl) => `  ${aclWords(acl)}`),
    ...prefixLines(acls.value),
  ];
}

/** Somebody who is used to them will miss them. */
export function areAclsMissed(acls: Reading<AclPreview>): boolean {
  return !acls.known || acls.value.leave.length > 0;
}

/** What is not made, and why: as much of it as there is. */
export function leftAclLines(acls: Reading<AclPreview>): string[] {
  if (!acls.known) return [`ACLs are not copied, because they are not known: ${acls.why}`];
  const { leave, note } = acls.value;
  if (note !== null) return [`ACLs are not copied: ${note}`];
  const groups = [...Map.groupBy(leave, ({ why }) => why)];
  return groups.flatMap(([why, own]) => [
    `ACLs that are not copied, because ${whys[why]}:`,
    ...own.map(({ command }) => `  ${command}`),
  ]);
}

const whys: Readonly<Record<LeftAcl['why'], string>> = {
  'about every topic': 'they would hold for every topic of the target (the command that makes it)',
  'denies the copy': 'they may forbid this copy to write (the command that makes it once all is copied)',
  'not allowed': 'the user may not make any: it needs Alter on the cluster (the command for somebody who may)',
  'no authorizer':
    'the target has no authorizer, and everybody may do everything there (the command for when it has one)',
};

function prefixLines({ make }: AclPreview): string[] {
  return make.some(({ pattern }) => pattern === 'prefixed')
    ? ['  (what is said of a beginning holds for all topics of the target that begin so)']
    : [];
}
