import { known, type Reading } from '../observed/reading.ts';
import type { TopicAcl } from './acl-facts.ts';

/** An operation of Kafka's ACLs on a topic, or on the cluster. */
export type Right = {
  readonly operation: Operation;
  /** Null: the cluster. */
  readonly topic: string | null;
  /** Null: a copy cannot be made without it. Else what is not there without it. */
  readonly without: string | null;
};

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

/** What a copy of these topics needs. `growing`: those that get more partitions. */
export function rightsNeeded(
  side: 'source' | 'target',
  topics: readonly string[],
  growing: readonly string[] = [],
): Right[] {
  const each = (operation: Operation, names: readonly string[], without: string | null = null): Right[] =>
    names.map((topic) => ({ operation, topic, without }));
  const cluster = (operation: Operation, without: string | null): Right => ({ operation, topic: null, without });
  const disks = 'sizes and disks are not known';
  if (side === 'source')
    return [
      ...each('Read', topics),
      ...each('Describe', topics),
      ...each('DescribeConfigs', topics),
      cluster('Describe', `${disks}, and groups and users are not counted`),
      cluster('DescribeConfigs', 'quotas are not counted'),
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
    cluster('Describe', disks),
    cluster('DescribeConfigs', 'how long brokers remember a producer is not known: one request is in flight at a time'),
  ];
}

/** What the cluster tells is allowed, as bits. */
export type Allowed = {
  /** By topic; one that is not there is missing. */
  readonly topics: Readonly<Record<string, Reading<number>>>;
  readonly cluster: Reading<number>;
};

/** Unknown: why. */
export function isAllowed({ operation, topic }: Right, allowed: Allowed): Reading<boolean> {
  const { cluster } = allowed;
  // Who may create any topic may create this one, which is not there yet.
  if (operation === 'Create' && cluster.known && hasRight(cluster.value, 'Create')) return known(true);
  const told = topic === null ? cluster : allowed.topics[topic];
  if (told === undefined) return { known: false, why: 'the topic is not there yet' };
  return told.known ? known(hasRight(told.value, operation)) : told;
}

/** `bits`: as a cluster tells them. */
export function hasRight(bits: number, operation: Operation): boolean {
  return (bits & (1 << operationBits[operation])) !== 0;
}

/**
 * Commands of Kafka's own tool that give a user these rights, one for the topics of the same operations and one for the cluster.
 * `reach`: what comes before `--add`.
 */
export function aclCommands(rights: readonly Right[], principal: string, reach: string): string[] {
  const operationsOf = new Map<string | null, Operation[]>();
  for (const { topic, operation } of rights) operationsOf.set(topic, [...(operationsOf.get(topic) ?? []), operation]);
  const alike = new Map<string, string[]>();
  for (const [topic, operations] of operationsOf) {
    const words = operations.map((operation) => `--operation ${operation}`).join(' ');
    const resource = topic === null ? '--cluster' : `--topic ${quoted(topic)}`;
    const key = topic === null ? `cluster ${words}` : words;
    alike.set(key, [...(alike.get(key) ?? [words]), resource]);
  }
  return [...alike.values()].map(
    ([words, ...resources]) =>
      `kafka-acls ${reach} --add --allow-principal ${quoted(principal)} ${words} ${resources.join(' ')}`,
  );
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

function operationName(number: number): string {
  const found = Object.entries(operationBits).find(([, bit]) => bit === number);
  return found?.[0] ?? (number === allOperations ? 'All' : `${number}`);
}

const allOperations = 2;

/** For a shell. */
export function quoted(text: string): string {
  return /^[\w.,:/=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
