import type { TopicAcl } from '../../../core/move/acl-facts.ts';
import { aclCommands, isAllowed, type Right, rightsNeeded } from '../../../core/move/rights.ts';
import { known, type Reading } from '../../../core/observed/reading.ts';
import type { SideName } from '../side.ts';
import type { Access } from './preview.ts';
import type { PreviewSide } from './preview-side.ts';

export type AccessAsked = {
  readonly name: SideName;
  readonly topics: readonly string[];
  readonly growing: readonly string[];
  /** Those that the target would make: it has been asked. */
  readonly makeable: readonly string[];
  readonly acls: Reading<readonly TopicAcl[] | 'none'>;
  /** What kafka-acls needs to reach the cluster. */
  readonly reach: string;
};

/** What the user of one side needs, has and lacks. */
export async function accessOf(side: PreviewSide, asked: AccessAsked): Promise<Access> {
  const { name, topics, growing, makeable, acls, reach } = asked;
  const needed = rightsNeeded(name, topics, growing);
  const allowed = await side.allowed(topics);
  const isMakeable = ({ operation, topic }: Right) =>
    operation === 'Create' && topic !== null && makeable.includes(topic);
  const rights = needed.map((right) => ({
    ...right,
    allowed: isMakeable(right) ? known(true) : isAllowed(right, allowed),
  }));
  const isLacking = rights.some((right) => right.allowed.known && !right.allowed.value);
  const authorizer = isLacking ? 'there' : authorizerOf(acls);
  const { principal } = side;
  const commands = aclCommands(needed, principal ?? 'User:NAME OF THE CERTIFICATE', reach);
  return { authorizer, principal, rights, commands };
}

function authorizerOf(acls: AccessAsked['acls']): Access['authorizer'] {
  if (!acls.known) return 'not known';
  return acls.value === 'none' ? 'none' : 'there';
}
