import { describe, expect, test } from 'vitest';
import { planAcls } from '../../src/core/move/acl-facts.ts';
import { aclWords } from '../../src/core/move/rights.ts';
import { madeAcl } from '../made/acls.ts';

const prefix = madeAcl({ name: 'ord', pattern: 'prefixed' });
const denied = madeAcl({ principal: 'User:mallory', permission: 'deny' });

describe('of the ACLs of the source', () => {
  test('those about the topics that the target lacks are made, by name and by prefix, denials before all others', () => {
    const others = [
      madeAcl({ name: 'ord' }),
      madeAcl({ name: 'orders-eu' }),
      madeAcl({ name: 'x', pattern: 'prefixed' }),
    ];
    const there = madeAcl({ operation: 4 });
    const source = [madeAcl(), prefix, ...others, denied, there];
    expect(planAcls(source, [there], ['orders'], 'User:drover')).toEqual({
      make: [denied, madeAcl(), prefix],
      leave: [],
    });
  });

  test.each([
    ['another host', madeAcl({ host: '10.0.0.1' })],
    ['another operation', madeAcl({ operation: 4 })],
    ['a denial of the same', madeAcl({ permission: 'deny' })],
    ['another pattern', madeAcl({ pattern: 'prefixed' })],
  ])('one is not there because of %s', (_what, there) => {
    expect(planAcls([madeAcl()], [there], ['orders'], null).make).toEqual([madeAcl()]);
  });

  test('what holds for every topic is left, as it would hold for topics that are nobody’s business here', () => {
    const all = madeAcl({ name: '*' });
    expect(planAcls([all], [], ['orders'], 'User:drover')).toEqual({
      make: [],
      leave: [{ acl: all, why: 'about every topic' }],
    });
  });

  test('what denies the copier, or everybody, anything is left; what allows them is not', () => {
    const own = madeAcl({ principal: 'User:drover', permission: 'deny', operation: 4 });
    const everybody = madeAcl({ principal: 'User:*', permission: 'deny' });
    const allowed = madeAcl({ principal: 'User:*' });
    const { make, leave } = planAcls([own, everybody, allowed], [], ['orders'], 'User:drover');
    expect(make).toEqual([allowed]);
    expect(leave.map(({ why }) => why)).toEqual(['denies the copy', 'denies the copy']);
    // By a certificate, nobody knows who we are to the target.
    expect(planAcls([own, everybody], [], ['orders'], null)).toMatchObject({
      make: [own],
      leave: [{ acl: everybody }],
    });
  });
});

test.each([
  [madeAcl(), 'User:alice may Read orders'],
  [prefix, 'User:alice may Read every topic that begins with ord'],
  [madeAcl({ name: '*', operation: 2 }), 'User:alice may do anything with every topic'],
  [{ ...denied, host: '10.0.0.1' }, 'User:mallory from 10.0.0.1 may not Read orders'],
])('an entry is told in words', (acl, words) => {
  expect(aclWords(acl)).toBe(words);
});
