import { aclCommands, isAllowed, type Right, rightsNeeded } from '../../../core/move/rights.ts';
import { known } from '../../../core/observed/reading.ts';
import type { SideName } from '../side.ts';
import type { AclsFound } from './acls.ts';
import type { Access } from './preview.ts';
import type { PreviewSide } from './preview-side.ts';

export type AccessAsked = {
  readonly name: SideName;
  readonly topics: readonly string[];
  readonly growing: readonly string[];
  /** There are ACLs to be made on the target. */
  readonly makesAcls: boolean;
  /** Those that the target would make: it has been asked. */
  readonly makeable: readonly string[];
  readonly acls: AclsFound;
  /** What kafka-acls needs to reach the cluster. */
  readonly reach: string;
};

/** What the user of one side needs, has and lacks. */
export async function accessOf(side: PreviewSide, asked: AccessAsked): Promise<Access> {
  const { name, topics, growing, makesAcls, makeable, acls, reach } = asked;
  const needed = rightsNeeded(name, { topics, growing, makesAcls });
  const allowed = await side.allowed(topics);
  const isMakeable = ({ operation, on }: Right) =>
    operation === 'Create' && on.kind === 'topic' && makeable.includes(on.name);
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
