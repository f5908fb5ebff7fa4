import { describe, expect, test } from 'vitest';
import type { PlannedTopic } from '../../../src/core/move/operation/plan.ts';
import { type ParityQuestion, parityOf, unplannedPartitions } from '../../../src/core/move/proof/parity.ts';
import type { Settings, TopicFacts } from '../../../src/core/move/topic-facts.ts';
import { known, unknown } from '../../../src/core/observed/reading.ts';

const planned: PlannedTopic = {
  ...{ name: 'orders', sourceId: 's', targetId: null, grow: null, changes: [] },
  make: { partitions: 2, replicationFactor: 1, settings: { 'retention.ms': '3600000' } },
  partitions: [0, 1].map((partition) => ({ partition, begin: { source: 0, target: 0 }, logStart: 0, end: 10 })),
};
const lever = { topic: 'orders', key: 'retention.ms', before: '3600000', whileCopying: '-1' };

describe('the configuration of a topic of the target beside that of the source', () => {
  test('is the same once what was set aside is restored', () => {
    const { verdict, levers, differences } = asked({});
    expect({ verdict, differences }).toEqual({ verdict: 'proven', differences: [] });
    expect(levers).toMatchObject([{ key: 'retention.ms', now: '3600000', state: 'restored' }]);
  });

  test('differs while it is set aside, and that is no fault before the copy is over, and is one afterwards', () => {
    const target = topic({ 'retention.ms': own('-1') });
    expect(asked({ target, isOver: false })).toMatchObject({
      verdict: 'proven',
      differences: [{ what: 'retention.ms', source: '3600000', target: '-1', why: 'set aside' }],
      levers: [{ state: 'set aside' }],
    });
    expect(asked({ target, isOver: true })).toMatchObject({ verdict: 'wrong', levers: [{ state: 'left' }] });
  });

  test('is told where somebody has changed what was to be restored', () => {
    const target = topic({ 'retention.ms': own('7200000') });
    expect(asked({ target })).toMatchObject({
      verdict: 'proven',
      differences: [{ why: 'changed' }],
      levers: [{ state: 'changed', now: '7200000' }],
    });
  });

  test('is told where somebody had changed it before it was set aside, and is given that back', () => {
    const target = topic({ 'retention.ms': own('7200000') });
    expect(asked({ target, levers: [{ ...lever, before: '7200000' }] })).toMatchObject({
      verdict: 'proven',
      differences: [{ why: 'changed' }],
      levers: [{ state: 'restored', before: '7200000' }],
    });
  });

  test('is wrong where nobody has agreed to what differs: a setting, and partitions that the target lacks', () => {
    const target = topic({ 'cleanup.policy': own('compact') });
    expect(asked({ target })).toMatchObject({
      verdict: 'wrong',
      differences: [{ what: 'cleanup.policy', source: 'delete', target: 'compact', why: 'differs' }],
    });
    const source = { ...topic({}), partitions: 3 };
    expect(asked({ source })).toMatchObject({ verdict: 'wrong', differences: [{ what: 'partitions' }] });
    expect(unplannedPartitions(planned, source)).toEqual(['orders-2']);
  });

  test('is no fault where it cannot be otherwise, and was shown before the copy began', () => {
    const target = { ...topic({}), partitions: 4 };
    expect(asked({ target })).toMatchObject({
      verdict: 'proven',
      differences: [{ what: 'partitions', why: 'accepted' }],
    });
  });

  test('cannot be told where a side does not tell, but a lever that is left is wrong all the same', () => {
    const gone = { source: null, sourceWhy: 'it cannot be reached' };
    expect(asked(gone)).toMatchObject({ verdict: 'unprovable', notes: [expect.stringContaining('cannot be reached')] });
    expect(asked({ ...gone, target: topic({ 'retention.ms': own('-1') }) }).verdict).toBe('wrong');
    const silent = { ...topic({}), settings: unknown('not allowed') };
    expect(asked({ target: silent }).verdict).toBe('unprovable');
  });
});

function asked(more: Partial<ParityQuestion>) {
  const sides = { source: topic({}), sourceWhy: null, target: topic({}) };
  return parityOf({ planned, levers: [lever], agreed: [lever], isOver: true, ...sides, ...more });
}

function own(value: string): Settings[string] {
  return { value, level: 'topic' };
}

function topic(settings: Settings): TopicFacts {
  const all = { 'cleanup.policy': { value: 'delete', level: 'default' }, 'retention.ms': own('3600000') } as const;
  return {
    ...{ name: 'orders', topicId: 't', partitions: 2, replicationFactor: 1 },
    settings: known({ ...all, ...settings }),
  };
}
