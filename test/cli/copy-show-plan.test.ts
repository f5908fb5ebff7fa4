import { describe, expect, test } from 'vitest';
import { changesLines } from '../../src/cli/kafka/copy/show-plan.ts';
import { aclPreview } from '../../src/cli/kafka/copy-preview/acls.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { madeAcl } from '../made/acls.ts';
import { madeCopyPlan } from '../made/copy.ts';

const asked = { topics: ['orders'], principal: 'User:drover', isWanted: true, reach: '--bootstrap-server new:9092' };
const view = { topic: 'orders', partitions: 1, offsets: 5, isContinued: false, differences: [], notes: [] };
const plain = { plan: madeCopyPlan({ levers: [] }), topics: [{ ...view, kind: 'fits' as const }] };

describe('what somebody has to agree to', () => {
  test('are ACLs too, though nothing else is changed', () => {
    const acls = aclPreview(known([madeAcl(), madeAcl({ name: '*' })]), known([]), asked);
    expect(changesLines(plain, acls)).toEqual([
      'ACLs of these topics on the source that are made, and taken away by an abort:',
      '  User:alice may Read orders',
      'ACLs that are not copied, because they would hold for every topic of the target (the command that makes it):',
      "  kafka-acls --bootstrap-server new:9092 --add --allow-principal User:alice --operation Read --topic '*'",
    ]);
  });

  test.each([
    ['all are there', aclPreview(known([madeAcl()]), known([madeAcl()]), asked)],
    ['the target keeps none', aclPreview(known([madeAcl()]), known('none'), asked)],
    ['nobody knows them', aclPreview(unknown('denied'), known([]), asked)],
  ])('is nothing where %s', (_what, acls) => {
    expect(changesLines(plain, acls)).toBeNull();
  });
});
