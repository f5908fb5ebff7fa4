import { describe, expect, test } from 'vitest';
import type { Settings, TargetTopic, TopicFacts } from '../../src/core/move/topic-facts.ts';
import { changesOf, planTopics, settingsOncePlanned, type TopicPlan } from '../../src/core/move/topics.ts';
import { known, type Reading, unknown } from '../../src/core/observed/reading.ts';
import { settings, settingsOf28, settingsOf43, targetTopic, topicFacts } from '../made/topics.ts';

const newOn43 = known(settings(settingsOf43));
const newOn28 = known(settings(settingsOf28));

function planOf(
  source: Partial<TopicFacts>,
  target: Partial<TargetTopic> | null,
  { targetDefaults = newOn43 as Reading<Settings>, replicationFactor = null as number | null } = {},
): TopicPlan {
  const there = target === null ? [] : [targetTopic(target)];
  const [plan] = planTopics({ source: [topicFacts(source)], target: there, targetDefaults, replicationFactor });
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

describe('a topic that the target does not have', () => {
  test('is made with the partitions and replicas of the source, and with all that is its own there', () => {
    const own = { 'retention.ms': '1000', 'cleanup.policy': 'compact,delete', 'compression.type': 'producer' };
    const plan = planOf({ settings: known(settings(settingsOf43, own)) }, null);
    expect(plan).toEqual({
      kind: 'make',
      topic: 'orders',
      notes: [],
      partitions: 6,
      replicationFactor: 3,
      settings: own,
    });
  });

  test('gets what the source has from its brokers where the brokers of the target have another value', () => {
    const source = known(settings({ ...settingsOf43, 'retention.ms': '5000' }));
    expect(planOf({ settings: source }, null)).toMatchObject({ kind: 'make', settings: { 'retention.ms': '5000' } });
  });

  test('gets no more replicas in sync than it has', () => {
    const source = known(settings(settingsOf43, { 'min.insync.replicas': '2' }));
    const plan = planOf({ settings: source }, null, { replicationFactor: 1 });
    expect(plan).toMatchObject({ replicationFactor: 1, settings: { 'min.insync.replicas': '1' } });
    expect(plan.notes).toEqual(['min.insync.replicas is to be 1, not 2: there are no more replicas']);
  });

  test('is told apart from one whose settings on the source nobody tells', () => {
    expect(planOf({ settings: unknown('denied') }, null)).toMatchObject({
      kind: 'refused',
      refusals: [{ kind: 'unknown', why: 'denied' }],
    });
    expect(planOf({}, null, { targetDefaults: unknown('denied') })).toMatchObject({ kind: 'refused' });
  });
});

describe('names that differ between versions', () => {
  test('bounds of time of 2.8 are those of 4.3', () => {
    const source = known(settings(settingsOf28, { 'message.timestamp.difference.max.ms': '9000' }));
    expect(planOf({ settings: source }, null)).toMatchObject({
      settings: { 'message.timestamp.before.max.ms': '9000', 'message.timestamp.after.max.ms': '9000' },
    });
  });

  test('of two bounds of 4.3 the wider one is the only one of 2.8', () => {
    const own = { 'message.timestamp.before.max.ms': '9000', 'message.timestamp.after.max.ms': '10000' };
    const plan = planOf({ settings: known(settings(settingsOf43, own)) }, null, { targetDefaults: newOn28 });
    expect(plan).toMatchObject({ settings: { 'message.timestamp.difference.max.ms': '10000' } });
    expect(planOf({}, null, { targetDefaults: newOn28 })).toMatchObject({ settings: {} });
  });

  test('what the target does not know is told where the source has set it, and the old format is no difference', () => {
    const own = { 'message.downconversion.enable': 'false', 'message.format.version': '0.10.2' };
    const plan = planOf({ settings: known(settings(settingsOf28, own)) }, null);
    expect(plan).toMatchObject({ kind: 'make' });
    expect(plan.notes).toEqual(['message.downconversion.enable (false) is not copied: the target does not know it']);
  });
});

describe('a topic that the target has', () => {
  test('fits if all effective values are the same, wherever they are set', () => {
    const source = known(settings(settingsOf43, { 'retention.ms': '604800000', 'cleanup.policy': 'delete,compact' }));
    const target = known(settings({ ...settingsOf43, 'cleanup.policy': 'compact,delete' }));
    expect(planOf({ settings: source }, { settings: target })).toMatchObject({ kind: 'fits', notes: [] });
  });

  test('differs with both values, and with what would be done', () => {
    const target = known(settings(settingsOf43, { 'retention.ms': '1000' }));
    const plan = planOf({}, { settings: target, partitions: 8, replicationFactor: 2 });
    expect(plan.kind === 'differs' ? plan.differences : plan).toMatchObject([
      { what: 'partitions', source: '6', target: '8', remedy: { kind: 'none' } },
      { what: 'replication.factor', source: '3', target: '2', remedy: { kind: 'none' } },
      { what: 'retention.ms', source: '604800000', target: '1000', remedy: { kind: 'set' } },
    ]);
    expect(changesOf(plan)).toEqual([{ topic: 'orders', key: 'retention.ms', value: '604800000' }]);
    const after = settingsOncePlanned(plan, target.value);
    expect(after['retention.ms']).toEqual({ value: '604800000', level: 'topic' });
  });

  test('and was made by us gets the partitions that the source has got since', () => {
    expect(planOf({ partitions: 7 }, { isOurs: true })).toMatchObject({
      kind: 'differs',
      differences: [{ what: 'partitions', remedy: { kind: 'make-partitions', partitions: 7 } }],
    });
  });

  test('and holds records of others is refused with the first and the last of them', () => {
    const batch = { baseOffset: 3, lastOffset: 9, newestMs: 1000, producerId: '17' };
    const held = [{ partition: 2, logStart: 3, end: 10, first: batch, last: batch }];
    expect(planOf({}, { held: known(held) })).toMatchObject({
      kind: 'refused',
      refusals: [{ kind: 'holds-data', partitions: held }],
    });
    expect(planOf({}, { held: known(held), isOurs: true })).toMatchObject({ kind: 'fits' });
    expect(planOf({}, { held: unknown('denied') })).toMatchObject({ kind: 'refused' });
  });

  test('and has fewer partitions that nobody of us made is refused', () => {
    expect(planOf({ partitions: 7 }, {})).toMatchObject({
      refusals: [{ kind: 'fewer-partitions', source: 7, target: 6 }],
    });
  });

  test.each([
    ['0.9.0', 'refused'],
    ['0.10.2-IV0', 'refused'],
    ['0.11.0-IV2', 'fits'],
    ['3.0-IV1', 'fits'],
  ])('and keeps records in the format of %s: %s', (version, kind) => {
    const target = known(settings(settingsOf43, { 'message.format.version': version }));
    expect(planOf({}, { settings: target })).toMatchObject({ kind });
  });

  test('is never copied if it is Kafka’s own', () => {
    expect(planOf({ name: '__consumer_offsets' }, null)).toMatchObject({ refusals: [{ kind: 'internal' }] });
  });
});
