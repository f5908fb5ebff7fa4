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
  return pattern === 'prefixed' ? topic.startsWith(name) : name === topic || name === everyTopic;
}

const everyTopic = '*';

/** What of the source's entries about some topics is made on the target, and what is not. */
export type AclPlan = { readonly make: readonly TopicAcl[]; readonly leave: readonly LeftAcl[] };

export type LeftAcl = {
  readonly acl: TopicAcl;
  readonly why: /** It would hold for every topic of the target, also for those that are nobody's business here. */
    | 'about every topic'
    /** It may forbid the copy what it has to do. */
    | 'denies the copy'
    /** The target does not let this user make any. */
    | 'not allowed'
    /** The target has no authorizer that would keep it. */
    | 'no authorizer';
};

/** Entries of the source about these topics that the target does not have. `principal`: who copies, as the target knows it; null: nobody knows. */
export function planAcls(
  source: readonly TopicAcl[],
  target: readonly TopicAcl[],
  topics: readonly string[],
  principal: string | null,
): AclPlan {
  const lacking = missingAcls(source, target).filter((acl) => topics.some((topic) => isAbout(acl, topic)));
  const leave = lacking.flatMap((acl): LeftAcl[] => {
    if (acl.pattern === 'literal' && acl.name === everyTopic) return [{ acl, why: 'about every topic' }];
    const isOurs = acl.principal === principal || acl.principal === everybody;
    return isOurs && acl.permission === 'deny' ? [{ acl, why: 'denies the copy' }] : [];
  });
  const left = new Set(leave.map(({ acl }) => acl));
  const make = lacking.filter((acl) => !left.has(acl));
  return { make: [...make.filter(isDenial), ...make.filter((acl) => !isDenial(acl))], leave };
}

/** So that whoever is denied something never has it for a moment, denials come first. */
function isDenial({ permission }: TopicAcl): boolean {
  return permission === 'deny';
}

const everybody = 'User:*';

/** Those that are not there: entries have no ids, and are the same where all of them is the same. */
export function missingAcls<Acl extends TopicAcl>(wanted: readonly Acl[], there: readonly TopicAcl[]): Acl[] {
  const keys = new Set(there.map(aclKey));
  return wanted.filter((acl) => !keys.has(aclKey(acl)));
}

/** Those that are there. */
export function presentAcls<Acl extends TopicAcl>(wanted: readonly Acl[], there: readonly TopicAcl[]): Acl[] {
  const keys = new Set(there.map(aclKey));
  return wanted.filter((acl) => keys.has(aclKey(acl)));
}

export function aclKey({ name, pattern, principal, host, operation, permission }: TopicAcl): string {
  return JSON.stringify([name, pattern, principal, host, operation, permission]);
}
