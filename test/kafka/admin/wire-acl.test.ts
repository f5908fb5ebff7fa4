import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aclOf, wireAcl } from '../../../src/io/kafka/admin/wire-acl.ts';
import { madeAcl } from '../../made/acls.ts';

test('an entry is the same in Kafka’s numbers and back, and no two are the same there', () => {
  const acls = fc.record({
    ...{ name: fc.string(), pattern: fc.constantFrom('literal' as const, 'prefixed' as const) },
    ...{ principal: fc.string(), host: fc.string(), operation: fc.integer({ min: 0, max: 127 }) },
    permission: fc.constantFrom('allow' as const, 'deny' as const),
  });
  fc.assert(
    fc.property(acls, (acl) => {
      const wire = wireAcl(acl);
      expect(aclOf(wire, wire)).toEqual(acl);
    }),
  );
  expect(wireAcl(madeAcl())).toMatchObject({ resourceType: 2, patternType: 3, permission: 3 });
  expect(wireAcl(madeAcl({ pattern: 'prefixed', permission: 'deny' }))).toMatchObject({
    patternType: 4,
    permission: 2,
  });
});

test.each([{ patternType: 0 }, { patternType: 5 }, { permission: 0 }, { permission: 4 }])(
  'a kind that is not known is not taken for one that is: %o',
  (unknown) => {
    const wire = { ...wireAcl(madeAcl()), ...unknown };
    expect(aclOf(wire, wire)).toBeNull();
  },
);
