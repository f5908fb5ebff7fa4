import { known, type Reading } from '../observed/reading.ts';
import type { TopicAcl } from './acl-facts.ts';

/** An operation of Kafka's ACLs on something. */
export type Right = {
  readonly operation: Operation;
  readonly on: Resource;
  /** Null: a copy cannot be made without it. Else what is not there without it. */
  readonly without: string | null;
};

export type Resource =
  | { readonly kind: 'topic'; readonly name: string }
  | { readonly kind: 'cluster' }
  /** All of them: whose they are is what has to be found out. */
  | { readonly kind: 'groups' }
  | { readonly kind: 'transactional-ids' };

export type Operation = keyof typeof operationBits;

/** Kafka's numbers of operations: the bits in which a cluster tells what is allowed. */
export const operationBits = {
  Read: 3,
  Write: 4,
  Create: 5,
  Delete: 6,
  Alter: 7,
  Describe: 8,
  DescribeConfigs: 10,
  AlterConfigs: 11,
  IdempotentWrite: 12,
} as const;

/** What is copied. `growing`: topics that get more partitions; `makesAcls`: there are ACLs that the target is to have. */
export type CopyExtent = {
  readonly topics: readonly string[];
  readonly growing?: readonly string[];
  readonly makesAcls?: boolean;
};

/** What such a copy needs. */
export function rightsNeeded(
  side: 'source' | 'target',
  { topics, growing = [], makesAcls = false }: CopyExtent,
): Right[] {
  const each = (operation: Operation, names: readonly string[], without: string | null = null): Right[] =>
    names.map((name) => ({ operation, on: { kind: 'topic', name }, without }));
  const one = (operation: Operation, kind: Exclude<Resource['kind'], 'topic'>, without: string): Right => ({
    ...{ operation, on: { kind }, without },
  });
  const disks = 'sizes and disks are not known';
  if (side === 'source')
    return [
      ...each('Read', topics),
      ...each('Describe', topics),
      ...each('DescribeConfigs', topics),
      one('Describe', 'cluster', `${disks}, groups and users are not counted, and no ACL is copied`),
      one('DescribeConfigs', 'cluster', 'quotas are not counted'),
      one('Describe', 'transactional-ids', 'a transaction that holds back the copy is named by its producer only'),
    ];
  return [
    ...each('Create', topics),
    ...each('Write', topics),
    ...each('Read', topics),
    ...each('Describe', topics),
    ...each('DescribeConfigs', topics),
    ...each('AlterConfigs', topics),
    ...each('Alter', growing),
    ...each('Delete', topics, 'the way back cannot take away what was made'),
    one('Describe', 'cluster', `${disks}, and no ACL is copied`),
    one('DescribeConfigs', 'cluster', 'how long brokers remember a producer is not known: one batch goes at a time'),
    ...(makesAcls ? [one('Alter', 'cluster', 'no ACL is copied')] : []),
    one('Describe', 'groups', 'the way back takes no topic away, because a group may have committed on it'),
  ];
}

/** What the cluster tells is allowed. */
export type Allowed = {
  /** As bits, by topic; one that is not there is missing. */
  readonly topics: Readonly<Record<string, Reading<number>>>;
  readonly cluster: Reading<number>;
  /** Whether all may be described. */
  readonly groups: Reading<boolean>;
  readonly transactionalIds: Reading<boolean>;
};

/** Unknown: why. */
export function isAllowed({ operation, on }: Right, allowed: Allowed): Reading<boolean> {
  const { cluster } = allowed;
  if (on.kind === 'groups') return allowed.groups;
  if (on.kind === 'transactional-ids') return allowed.transactionalIds;
  // Who may create any topic may create this one, which is not there yet.
  if (operation === 'Create' && cluster.known && hasRight(cluster.value, 'Create')) return known(true);
  const told = on.kind === 'cluster' ? cluster : allowed.topics[on.name];
  if (told === undefined) return { known: false, why: 'the topic is not there yet' };
  return told.known ? known(hasRight(told.value, operation)) : told;
}

/** `Read on orders`. */
export function rightWords({ operation, on }: Right): string {
  const what = { cluster: 'the cluster', groups: 'all groups', 'transactional-ids': 'all transactional ids' };
  return `${operation} on ${on.kind === 'topic' ? on.name : what[on.kind]}`;
}

/** `bits`: as a cluster tells them. */
export function hasRight(bits: number, operation: Operation): boolean {
  return (bits & (1 << operationBits[operation])) !== 0;
}

/**
 * Commands of Kafka's own tool that give a user these rights: one for all topics that need the same, and one for whatever else.
 * `reach`: what comes before `--add`.
 */
export function aclCommands(rights: readonly Right[], principal: string, reach: string): string[] {
  const byResource = Map.groupBy(rights, ({ on }) => resourceWords(on));
  const alike = new Map<string, string[]>();
  for (const [resource, own] of byResource) {
    const words = own.map(({ operation }) => `--operation ${operation}`).join(' ');
    const key = own[0]?.on.kind === 'topic' ? `topics ${words}` : resource;
    alike.set(key, [...(alike.get(key) ?? [words]), resource]);
  }
  const start = `kafka-acls ${reach} --add --allow-principal ${quoted(principal)}`;
  return [...alike.values()].map(([words, ...resources]) => `${start} ${words} ${resources.join(' ')}`);
}

function resourceWords(on: Resource): string {
  switch (on.kind) {
    case 'topic':
      return `--topic ${quoted(on.name)}`;
    case 'cluster':
      return '--cluster';
    case 'groups':
      return "--group '*'";
    case 'transactional-ids':
      return "--transactional-id '*'";
  }
}

/** The command that gives somebody what an entry says. `reach`: of the cluster that is to have it. */
export function entryCommand(
  { name, pattern, principal, host, operation, permission }: TopicAcl,
  reach: string,
): string {
  const what = permission === 'deny' ? 'deny' : 'allow';
  const where = host === '*' ? '' : ` --${what}-host ${quoted(host)}`;
  const how = pattern === 'prefixed' ? ' --resource-pattern-type prefixed' : '';
  const who = `--${what}-principal ${quoted(principal)}${where}`;
  return `kafka-acls ${reach} --add ${who} --operation ${operationName(operation)} --topic ${quoted(name)}${how}`;
}

/** `User:alice may Read orders`; what an entry says, for people. */
export function aclWords({ name, pattern, principal, host, operation, permission }: TopicAcl): string {
  const from = host === '*' ? '' : ` from ${host}`;
  const may = permission === 'deny' ? 'may not' : 'may';
  const does = operation === allOperations ? 'do anything with' : operationName(operation);
  const what = pattern === 'prefixed' ? `every topic that begins with ${name}` : name === '*' ? 'every topic' : name;
  return `${principal}${from} ${may} ${does} ${what}`;
}

function operationName(number: number): string {
  const found = Object.entries(operationBits).find(([, bit]) => bit === number);
  return found?.[0] ?? (number === allOperations ? 'All' : `${number}`);
}

const allOperations = 2;

/** For a shell. */
export function quoted(text: string): string {
  return /^[\w.,:/=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
