import type { TopicAcl } from '../../../core/move/acl-facts.ts';
import type { AclEntry, AclPattern } from '../messages/acls.ts';

/** An entry about topics in Kafka's numbers. */
export function wireAcl({ name, pattern, permission, ...who }: TopicAcl): AclPattern & AclEntry {
  const { principal, host, operation } = who;
  return {
    ...{ resourceType: topicResource, resourceName: name, patternType: patterns[pattern] },
    ...{ principal, host, operation, permission: permissions[permission] },
  };
}

/** Null: it is of a kind that there was not when this was written, and what it says nobody knows here. */
export function aclOf({ resourceName: name, patternType }: AclPattern, entry: AclEntry): TopicAcl | null {
  const { principal, host, operation } = entry;
  const pattern = patternNames.find((one) => patterns[one] === patternType);
  const permission = permissionNames.find((one) => permissions[one] === entry.permission);
  return pattern === undefined || permission === undefined
    ? null
    : { name, pattern, principal, host, operation, permission };
}

export const topicResource = 2;
const patterns: Readonly<Record<TopicAcl['pattern'], number>> = { literal: 3, prefixed: 4 };
const permissions: Readonly<Record<TopicAcl['permission'], number>> = { deny: 2, allow: 3 };
const patternNames = ['literal', 'prefixed'] as const;
const permissionNames = ['deny', 'allow'] as const;
