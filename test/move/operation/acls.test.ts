import { describe, expect, test } from 'vitest';
import type { TopicAcl } from '../../../src/core/move/acl-facts.ts';
import { decideMove } from '../../../src/core/move/operation/decide.ts';
import type { MoveEvent } from '../../../src/core/move/operation/events.ts';
import type { MoveObservation, TopicFound } from '../../../src/core/move/operation/observation.ts';
import { aclsOf } from '../../../src/core/move/operation/state.ts';
import { known, unknown } from '../../../src/core/observed/reading.ts';
import { madeAcl } from '../../made/acls.ts';
import { absent, chainTimeMs, foldedCopy, madeCopyPlan, madeFound, madeMoveObservation } from '../../made/copy.ts';

const [mine, wide] = [madeAcl(), madeAcl({ name: 'ord', pattern: 'prefixed' })];
const acls = [mine, wide];
const plan = madeCopyPlan({ acls });
const started: MoveEvent = { kind: 'copy-started', plan, rate: null };
const intended: MoveEvent = { kind: 'acls-intended', acls };
const made: MoveEvent = { kind: 'topic-made', topic: 'orders', topicId: 'target-id' };
const levers: MoveEvent = { kind: 'levers-intended', levers: plan.levers };
const copying: MoveEvent[] = [started, intended, { kind: 'acls-made' }, made, levers, { kind: 'copying' }];
const abortAsked: MoveEvent = { kind: 'abort-asked', by: 'kim', reason: null };
const copied: MoveEvent[] = [...copying, { kind: 'caught-up', partitions: [] }, { kind: 'copied' }];
const removalAsked: MoveEvent = { kind: 'removal-asked', by: 'kim', reason: null };

describe('before topics are made', () => {
  test('rights are given: intended first, then made, then read back', () => {
    expect(at([started], [])).toMatchObject({ events: [intended], effects: [] });
    expect(at([started, intended], [])).toMatchObject({ events: [], effects: [{ kind: 'make-acls', acls }] });
    expect(at([started, intended], [mine])).toMatchObject({ effects: [{ kind: 'make-acls', acls: [wide] }] });
    expect(at([started, intended], acls)).toMatchObject({ events: [{ kind: 'acls-made' }], effects: [] });
    expect(at([started, intended, { kind: 'acls-made' }], null, absent).effects).toMatchObject([
      { kind: 'make-topic' },
    ]);
  });

  test('what somebody has made since it was planned is not ours', () => {
    const some = at([started], [mine]);
    expect(some.events).toEqual([{ kind: 'acls-intended', acls: [wide] }]);
    const ours = aclsOf(foldedCopy([started, ...some.events]));
    expect(ours).toEqual([wide]);
    const all = at([started], acls).events;
    expect(all).toEqual([{ kind: 'acls-intended', acls: [] }]);
    expect(at([started, ...all], null, absent).effects).toMatchObject([{ kind: 'make-topic' }]);
  });

  test('nothing is done while it is not known what is there, nor while it is held', () => {
    const topics = known({ orders: absent });
    for (const unread of [null, unknown('no answer')])
      expect(decided([started, intended], { topics, acls: unread })).toMatchObject({ events: [], effects: [] });
    const held: MoveEvent = { kind: 'copy-held', by: 'kim', why: 'lunch' };
    expect(at([started, held], [])).toMatchObject({ events: [], effects: [] });
  });

  test('a plan of before ACLs were copied, and one without any, go on as ever', () => {
    for (const without of [madeCopyPlan(), madeCopyPlan({ acls: [] })])
      expect(at([{ kind: 'copy-started', plan: without, rate: null }], null, absent).effects).toMatchObject([
        { kind: 'make-topic' },
      ]);
  });
});

describe('an abort', () => {
  const aborting = [...copying, abortAsked];

  test('takes away what was made, together with the settings, and says so once it is gone', () => {
    expect(at(aborting, [mine, wide, madeAcl({ principal: 'User:bob' })], madeFound('-1')).effects).toMatchObject([
      { kind: 'change-settings' },
      { kind: 'delete-acls', acls },
    ]);
    const gone = at(aborting, []);
    expect(gone.events.map(({ kind }) => kind)).toEqual(['levers-restored', 'acls-removed', 'copy-aborted']);
    expect(aclsOf(foldedCopy([...aborting, ...gone.events]))).toEqual([]);
  });

  test('restores settings though nobody tells which ACLs there are, and is not over before that', () => {
    const acls = unknown('no answer');
    expect(decided(aborting, { topics: known({ orders: madeFound('-1') }), acls }).effects).toMatchObject([
      { kind: 'change-settings' },
    ]);
    const restored = decided(aborting, { topics: known({ orders: madeFound('1000') }), acls });
    expect(restored).toMatchObject({ events: [], effects: [] });
  });

  test('waits for a call that was given up and may still make some', () => {
    const early: MoveEvent[] = [started, intended, abortAsked];
    const topics = known({ orders: absent });
    const quietAtMs = chainTimeMs(early) + 10_000;
    expect(decided(early, { topics, acls: known([]), quietAtMs })).toMatchObject({ events: [], wakeAtMs: quietAtMs });
    const late = decided(early, { topics, acls: known([]), quietAtMs, nowMs: quietAtMs });
    expect(late.events).toMatchObject([{ kind: 'acls-removed' }, { kind: 'copy-aborted' }]);
  });

  test('before anything was intended takes nothing away: what is there is somebody’s', () => {
    expect(at([started, abortAsked], acls, absent)).toMatchObject({ events: [{ kind: 'copy-aborted' }], effects: [] });
  });
});

describe('once it is copied', () => {
  test('rights stay, and are known to be ours', () => {
    const caught: MoveEvent[] = [...copying, { kind: 'caught-up', partitions: [] }];
    const end = at(caught, null, madeFound('1000'));
    expect(end).toMatchObject({ events: [{ kind: 'levers-restored' }, { kind: 'copied' }], effects: [] });
    expect(aclsOf(foldedCopy([...caught, ...end.events]))).toEqual(acls);
  });

  test('a way back takes them away with the topics that they are about', () => {
    const gone: MoveEvent[] = [...copied, removalAsked, { kind: 'topic-deleted', topic: 'orders' }];
    expect(at(gone, acls, absent).effects).toEqual([{ kind: 'delete-acls', acls }]);
    expect(at(gone, [], absent).events).toEqual([{ kind: 'acls-removed', left: [] }, { kind: 'copy-removed' }]);
  });

  test('and leaves those of topics that stay', () => {
    const kept: MoveEvent[] = [...copied, removalAsked, { kind: 'topic-kept', topic: 'orders', why: 'groups' }];
    expect(at(kept, acls)).toMatchObject({ events: [{ kind: 'copy-removed' }], effects: [] });
    const [first] = plan.topics;
    if (first === undefined) throw new Error('the plan has a topic');
    const clicks = { ...first, name: 'ordinary' };
    const two: MoveEvent = { kind: 'copy-started', plan: { ...plan, topics: [first, clicks] }, rate: null };
    const other: MoveEvent = { kind: 'topic-made', topic: 'ordinary', topicId: 'other-id' };
    const events: MoveEvent[] = [two, ...copied.slice(1, 4), other, ...copied.slice(4), removalAsked];
    const half: MoveEvent[] = [
      ...events,
      { kind: 'topic-deleted', topic: 'orders' },
      { kind: 'topic-kept', topic: 'ordinary', why: 'groups' },
    ];
    const topics = known({ orders: absent, ordinary: madeFound('1000', { topicId: 'other-id' }) });
    expect(decided(half, { topics, acls: known(acls) }).effects).toEqual([{ kind: 'delete-acls', acls: [mine] }]);
    expect(decided(half, { topics, acls: known([wide]) }).events).toEqual([
      { kind: 'acls-removed', left: [wide] },
      { kind: 'copy-removed' },
    ]);
  });
});

function at(events: readonly MoveEvent[], there: readonly TopicAcl[] | null, topic: TopicFound = madeFound('1000')) {
  return decided(events, { topics: known({ orders: topic }), acls: there === null ? null : known(there) });
}

function decided(events: readonly MoveEvent[], observation: Partial<MoveObservation>) {
  return decideMove(foldedCopy(events), madeMoveObservation({ nowMs: chainTimeMs(events), ...observation }));
}
