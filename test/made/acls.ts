import type { TopicAcl } from '../../src/core/move/acl-facts.ts';

/** `User:alice may Read orders`. */
export function madeAcl(more: Partial<TopicAcl> = {}): TopicAcl {
  return {
    ...{ name: 'orders', pattern: 'literal', principal: 'User:alice', host: '*', operation: 3, permission: 'allow' },
    ...more,
  };
}
