/** An entry of a cluster's ACLs that is about a topic. */
export type TopicAcl = {
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly principal: string;
  readonly host: string;
  /** Kafka's number of it. */
  readonly operation: number;
  readonly permission: 'allow' | 'deny';
};

/** Whether an entry is about this topic. */
export function isAbout({ name, pattern }: TopicAcl, topic: string): boolean {
  return pattern === 'prefixed' ? topic.startsWith(name) : name === topic || name === '*';
}

/** Those of the source about these topics that the target does not have. */
export function aclsToCopy(
  source: readonly TopicAcl[],
  target: readonly TopicAcl[],
  topics: readonly string[],
): TopicAcl[] {
  const there = new Set(target.map(keyOf));
  return source.filter((acl) => !there.has(keyOf(acl)) && topics.some((topic) => isAbout(acl, topic)));
}

function keyOf({ name, pattern, principal, host, operation, permission }: TopicAcl): string {
  return JSON.stringify([name, pattern, principal, host, operation, permission]);
}
