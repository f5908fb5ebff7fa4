import { describe, expect, test } from 'vitest';
import { decideMove } from '../../../src/core/move/operation/decide.ts';
import type { MoveEvent } from '../../../src/core/move/operation/events.ts';
import type { MoveObservation } from '../../../src/core/move/operation/observation.ts';
import { hasMoveEnded, moveEndedAtSeq } from '../../../src/core/move/operation/state.ts';
import { known, unknown } from '../../../src/core/observed/reading.ts';
import {
  absent,
  chainOfCopy,
  chainTimeMs,
  foldedCopy,
  madeCopyPlan,
  madeFound,
  madeMoveObservation,
  madeRunning,
  madeTold,
} from '../../made/copy.ts';

const started: MoveEvent = { kind: 'copy-started', plan: madeCopyPlan(), rate: null };
const made: MoveEvent = { kind: 'topic-made', topic: 'orders', topicId: 'target-id' };
const intended: MoveEvent = { kind: 'levers-intended', levers: madeCopyPlan().levers };
const abortAsked: MoveEvent = { kind: 'abort-asked', by: 'kim', reason: null };
const removalAsked: MoveEvent = { kind: 'removal-asked', by: 'kim', reason: null };
const copying: MoveEvent[] = [started, made, intended, { kind: 'levers-set' }, { kind: 'copying' }];

describe('before data moves', () => {
  test('topics are made first, then levers are set, each read back before the next', () => {
    const topics = (found: typeof absent) => ({ topics: known({ orders: found }) });
    expect(decided([started], topics(absent))).toMatchObject({
      events: [],
      effects: [{ kind: 'make-topic', topic: 'orders', partitions: 1 }],
      mover: null,
    });
    expect(decided([started], topics(madeFound('1000')))).toMatchObject({ events: [made], effects: [] });
    expect(decided([started, made], topics(madeFound('1000'))).events).toEqual([intended]);
    expect(decided([started, made, intended], topics(madeFound('1000')))).toMatchObject({
      events: [],
      effects: [{ kind: 'change-settings', changes: [{ topic: 'orders', key: 'retention.ms', value: '-1' }] }],
    });
    expect(decided([started, made, intended], topics(madeFound('-1')))).toMatchObject({
      events: [{ kind: 'levers-set' }, { kind: 'copying' }],
      mover: null,
    });
  });

  test('nothing is done on what is not known, nor while it is held', () => {
    expect(decided([started], { topics: unknown('no answer') })).toMatchObject({ events: [], effects: [] });
    const held: MoveEvent = { kind: 'copy-held', by: 'kim', why: 'lunch' };
    expect(decided([started, held], { topics: known({ orders: absent }) })).toMatchObject({ effects: [], mover: null });
  });

  test('a topic that was there is changed and grown as agreed, before levers are set on top of that', () => {
    const [topic] = madeCopyPlan().topics;
    if (topic === undefined) throw new Error('the plan has a topic');
    const changes = [{ topic: 'orders', key: 'segment.bytes', value: '7' }];
    const there = { ...topic, targetId: 'target-id', make: null, grow: 2, changes };
    const first: MoveEvent = { kind: 'copy-started', plan: madeCopyPlan({ topics: [there] }), rate: null };
    const topics = known({ orders: madeFound('1000') });
    expect(decided([first], { topics }).effects).toEqual([{ kind: 'make-partitions', topic: 'orders', partitions: 2 }]);
    const grown: MoveEvent = { kind: 'partitions-made', topic: 'orders' };
    expect(decided([first, grown], { topics }).effects).toEqual([{ kind: 'change-settings', changes }]);
  });
});

describe('what somebody else does before data moves', () => {
  const topics = (found: typeof absent) => ({ topics: known({ orders: found }) });
  const found = (value: string): MoveEvent => ({
    kind: 'levers-intended',
    levers: [{ topic: 'orders', key: 'retention.ms', before: value, whileCopying: '-1' }],
  });

  test('a setting that was changed since it was planned is what is restored, once no broker can be behind', () => {
    const first = decided([started, made], topics(madeFound('777')));
    expect(first.events).toEqual([found('777')]);
    const after = [started, made, ...first.events];
    expect(decided(after, topics(madeFound('777')))).toMatchObject({
      effects: [],
      wakeAtMs: chainTimeMs(after) + 3000,
    });
    const sure = decided(after, { ...topics(madeFound('777')), nowMs: chainTimeMs(after) + 3000 });
    expect(sure.effects).toMatchObject([{ kind: 'change-settings', changes: [{ value: '-1' }] }]);
    const ended: MoveEvent[] = [...after, { kind: 'levers-set' }, { kind: 'copying' }, abortAsked];
    expect(decided(ended, topics(madeFound('-1'))).effects).toMatchObject([{ changes: [{ value: '777' }] }]);
  });

  test('what a broker that lags behind tells right after our own change is not taken for somebody else’s', () => {
    const after = [started, made, intended];
    const lagging = topics(madeFound('5'));
    expect(decided(after, { ...lagging, nowMs: chainTimeMs(after) + 100 })).toMatchObject({ events: [], effects: [] });
    expect(decided(after, { ...lagging, nowMs: chainTimeMs(after) + 3000 }).events).toEqual([found('5')]);
  });

  test('a topic of that name is not ours unless the target says so, or it is what was asked for to the last setting', () => {
    const theirs = madeFound('777');
    const event = { kind: 'topic-found', topic: 'orders', topicId: 'target-id' } as const;
    expect(decided([started], topics(theirs)).events).toEqual([event]);
    expect(decided([started], { ...topics(theirs), made: { orders: 'target-id' } }).events).toEqual([made]);
    expect(decided([started], { ...topics(madeFound('1000')), made: { orders: 'another' } }).events).toEqual([event]);
    const removing: MoveEvent[] = [started, event, abortAsked, { kind: 'copy-aborted' }, removalAsked];
    const holdings = { partitions: [], groups: [] };
    const decision = decided(removing, topics(madeFound('777', { holdings })));
    expect(decision).toMatchObject({ effects: [], events: [{ kind: 'topic-kept', topic: 'orders' }] });
  });

  test('nothing is set at a topic that was made anew under its name, nor restored', () => {
    const anew = topics(madeFound('1000', { topicId: 'another-id' }));
    const waits = decided([started, made], { ...anew, nowMs: chainTimeMs([started, made]) + 100 });
    expect(waits).toMatchObject({ events: [], effects: [] });
    expect(
      decided([started, made, intended], { ...anew, nowMs: chainTimeMs([started, made, intended]) + 3000 }),
    ).toMatchObject({
      events: [{ kind: 'levers-set' }, { kind: 'copying' }],
      effects: [],
    });
    const set = topics(madeFound('-1', { topicId: 'another-id' }));
    expect(decided([...copying, abortAsked], set)).toMatchObject({
      effects: [],
      events: [{ kind: 'levers-restored' }, {}],
    });
  });
});

describe('partitions that the source gets while it is followed', () => {
  const asked = { topics: 'orders', exclude: null, from: 'earliest', follow: true };
  const begun: MoveEvent = { kind: 'copy-started', plan: madeCopyPlan({ asked }), rate: null };
  const followed: MoveEvent[] = [begun, ...copying.slice(1)];
  const running = (partitions: number): Partial<MoveObservation> => ({
    mover: { kind: 'running', isHeld: false, bytes: 0, partitions: [], sourcePartitions: { orders: partitions } },
  });
  const found: MoveEvent = { kind: 'partitions-found', topic: 'orders', partitions: 3 };
  const added: MoveEvent = { kind: 'partitions-added', topic: 'orders', partitions: 3 };
  const target = (more: Partial<ReturnType<typeof madeFound>>) => ({
    topics: known({ orders: madeFound('-1', more) }),
  });

  test('are in the journal first, then made on the target, and copied from their beginning once they are there', () => {
    expect(decided(followed, running(1)).events).toEqual([]);
    expect(decided(followed, running(3))).toMatchObject({ events: [found], effects: [] });
    expect(decided([...followed, found], { ...running(3), ...target({ partitions: 1 }) })).toMatchObject({
      events: [],
      effects: [{ kind: 'make-partitions', topic: 'orders', partitions: 3 }],
    });
    const there = decided([...followed, found], { ...running(3), ...target({ partitions: 4 }) });
    expect(there).toMatchObject({ events: [added], effects: [] });
    const [topic] = foldedCopy([...followed, found, added]).plan.topics;
    expect(topic?.partitions.slice(1)).toEqual(
      [1, 2].map((partition) => ({ partition, begin: { source: 0, target: 0 }, logStart: 0, end: null })),
    );
    expect(decided([...followed, found, added], running(3)).events).toEqual([]);
  });

  test('are left alone where it is not followed, while it is held, and where the topic of the target is another one', () => {
    expect(decided(copying, running(3)).events).toEqual([]);
    const held: MoveEvent = { kind: 'copy-held', by: 'kim', why: 'lunch' };
    expect(decided([...followed, held], running(3)).events).toEqual([]);
    const anew = target({ partitions: 1, topicId: 'another' });
    expect(decided([...followed, found], { ...running(3), ...anew }).effects).toEqual([]);
  });

  test('are found once more where the source has got even more before they were made', () => {
    expect(decided([...followed, found], running(5)).events).toEqual([{ ...found, partitions: 5 }]);
  });
});

describe('while data moves', () => {
  test('a mover is wanted as the journal says: held or not, at its rate', () => {
    expect(decided(copying, {}).mover).toEqual({ isHeld: false, rate: null });
    const more: MoveEvent[] = [
      { kind: 'copy-held', by: 'kim', why: 'lunch' },
      { kind: 'rate-changed', by: 'kim', rate: 5000 },
    ];
    expect(decided([...copying, ...more], {}).mover).toEqual({ isHeld: true, rate: 5000 });
  });

  test('a hold reaches the mover in the pass in which it comes, before it is journalled', () => {
    const hold = { kind: 'hold', by: 'kim', why: 'lunch' } as const;
    const decision = decided(copying, { requests: [hold], mover: madeRunning(madeTold(10)) });
    expect(decision).toMatchObject({ events: [{ kind: 'copy-held', by: 'kim' }], mover: { isHeld: true } });
  });

  test('one that ends again and again is begun again less and less often, until it has copied something', () => {
    const pauses: number[] = [];
    let events = copying;
    for (let count = 1; count <= 9; count += 1) {
      const failed: MoveEvent = { kind: 'mover-failed', count, lastWords: 'no room' };
      const decision = decided(events, { mover: { kind: 'failed', count, lastWords: 'no room' } });
      expect(decision).toMatchObject({ events: [failed], mover: null });
      events = [...events, failed];
      const after = decided(events, {
        mover: { kind: 'failed', count, lastWords: 'no room' },
        nowMs: chainTimeMs(events),
      });
      expect(after).toMatchObject({ events: [], mover: null });
      pauses.push((after.wakeAtMs ?? 0) - chainTimeMs(events));
    }
    expect(pauses.slice(0, 3)).toEqual([500, 1000, 2000]);
    expect(pauses.at(-1)).toBe(60_000);
    const moved: MoveEvent = { kind: 'copy-checkpoint', bytes: 1, partitions: [madeTold(10)] };
    expect(foldedCopy([...events, moved]).failures.count).toBe(0);
  });

  test('a checkpoint comes every half minute, of what has moved', () => {
    const mover = madeRunning(madeTold(10));
    const eventsAfter = (ms: number, events = copying) =>
      decided(events, { mover, nowMs: chainTimeMs(copying) + ms }).events;
    expect(eventsAfter(29_000)).toEqual([]);
    const [checkpoint] = eventsAfter(30_000);
    expect(checkpoint).toMatchObject({
      kind: 'copy-checkpoint',
      partitions: [{ settled: { source: 10, target: 10 } }],
    });
    if (checkpoint === undefined) throw new Error('there is a checkpoint');
    expect(eventsAfter(120_000, [...copying, checkpoint])).toEqual([]);
  });

  test('what is unproven, lost or damaged is journalled once, with what stands where', () => {
    const expected = { kind: 'sent', from: 5, to: 6, target: 5, count: 1, checksum: 255, kept: null } as const;
    const damage = { what: 'foreign', offset: 5, expected, found: null } as const;
    const mover = madeRunning(
      madeTold(5, {
        condition: { kind: 'damaged', damage },
        unproven: [{ from: 1, to: 3 }],
        lost: [{ from: 3, to: 4 }],
      }),
    );
    const { events } = decided(copying, { mover });
    expect(events).toMatchObject([
      { kind: 'unproven', from: 1, to: 3 },
      { kind: 'lost-on-target', from: 3, to: 4 },
      { kind: 'partition-stopped', isDamage: true },
    ]);
    expect(JSON.stringify(events)).toContain('000000ff');
    expect(decided([...copying, ...events], { mover }).events).toEqual([]);
    // The next controller looks at it anew.
    expect(foldedCopy([...copying, ...events, { kind: 'copying' }]).stopped).toEqual({});
  });
});

describe('at the end', () => {
  test('a copy is over only when all of it is done; settings are restored before that is said', () => {
    const done = { kind: 'done', isHeld: false, bytes: 9, partitions: [madeTold(100)] } as const;
    const { events } = decided(copying, { mover: done });
    expect(events.map(({ kind }) => kind)).toEqual(['copy-checkpoint', 'caught-up']);
    const caught = [...copying, ...events];
    expect(decided(caught, { mover: done, topics: known({ orders: madeFound('-1') }) })).toMatchObject({
      events: [],
      effects: [{ kind: 'change-settings', changes: [{ topic: 'orders', key: 'retention.ms', value: '1000' }] }],
      mover: null,
    });
    const restored = decided(caught, { mover: done, topics: known({ orders: madeFound('1000') }) });
    expect(restored.events).toEqual([{ kind: 'levers-restored', left: [] }, { kind: 'copied' }]);
    const state = foldedCopy([...caught, ...restored.events]);
    expect(hasMoveEnded(state)).toBe(true);
    expect(state.bytes).toBe(9);
    expect(moveEndedAtSeq(chainOfCopy([...caught, ...restored.events]))).toBe(9);
  });

  test('where a partition has stopped the copy is not over, and this controller is', () => {
    const condition = { kind: 'stopped', why: 'too large' } as const;
    const done = { kind: 'done', isHeld: false, bytes: 9, partitions: [madeTold(50, { condition })] } as const;
    const first = decided(copying, { mover: done });
    expect(first).toMatchObject({ events: [{ kind: 'partition-stopped', isDamage: false }], isOver: false });
    const second = decided([...copying, ...first.events], { mover: done });
    expect(second).toMatchObject({ events: [{ kind: 'copy-checkpoint' }, { kind: 'copy-left' }], isOver: true });
    expect(hasMoveEnded(foldedCopy([...copying, ...first.events, ...second.events]))).toBe(false);
  });

  test('an abort restores only after no process moves data any more, and leaves what a person has changed', () => {
    const abort = { kind: 'abort', by: 'kim', reason: null } as const;
    const { events, mover } = decided(copying, { requests: [abort], mover: madeRunning(madeTold(10)) });
    expect(mover).toMatchObject({ isHeld: true });
    const aborting = [...copying, ...events];
    const topics = known({ orders: madeFound('777') });
    expect(decided(aborting, { mover: madeRunning(madeTold(10)), topics })).toMatchObject({
      events: [],
      effects: [],
      mover: null,
    });
    expect(decided(aborting, { topics }).events).toEqual([
      { kind: 'levers-restored', left: ['orders: retention.ms is 777 now'] },
      { kind: 'copy-aborted' },
    ]);
  });
});

describe('what was asked of the target and given up', () => {
  const quietAtMs = 2_000_000;
  const topics = (found: typeof absent) => ({ topics: known({ orders: found }), quietAtMs });

  test('may still set a lever: that nothing is set is not believed until then', () => {
    const aborting: MoveEvent[] = [started, made, intended, abortAsked];
    const early = decided(aborting, topics(madeFound('1000')));
    expect(early).toMatchObject({ events: [], effects: [], wakeAtMs: quietAtMs });
    expect(decided(aborting, topics(madeFound('-1'))).effects).toMatchObject([{ changes: [{ value: '1000' }] }]);
    const late = decided(aborting, { ...topics(madeFound('1000')), nowMs: quietAtMs });
    expect(late.events).toMatchObject([{ kind: 'levers-restored' }, { kind: 'copy-aborted' }]);
  });

  test('may still make a topic: it is waited for, and removed if it comes', () => {
    const removing: MoveEvent[] = [started, abortAsked, { kind: 'copy-aborted' }, removalAsked];
    expect(decided(removing, topics(absent))).toMatchObject({ events: [], effects: [], wakeAtMs: quietAtMs });
    expect(decided(removing, topics(madeFound('1000'))).events).toEqual([made]);
    expect(decided(removing, { ...topics(absent), nowMs: quietAtMs }).events).toEqual([{ kind: 'copy-removed' }]);
  });
});

test('a way back that is asked for while settings are restored is taken after that', () => {
  const caught: MoveEvent[] = [...copying, { kind: 'caught-up', partitions: [] }];
  const back = { kind: 'back', by: 'kim', reason: null } as const;
  const asked = [...caught, ...decided(caught, { requests: [back] }).events];
  const { events } = decided(asked, { topics: known({ orders: madeFound('1000') }) });
  expect(events.map(({ kind }) => kind)).toEqual(['levers-restored', 'copied', 'removal-asked']);
  expect(foldedCopy([...asked, ...events]).stage.kind).toBe('removing');
});

describe('the way back', () => {
  const back = { kind: 'back', by: 'kim', reason: 'wrong cluster' } as const;
  const aborted: MoveEvent[] = [...copying, { kind: 'abort-asked', by: 'kim', reason: null }, { kind: 'copy-aborted' }];
  const holding = (logEnd: number, groups: readonly string[] = []) => ({
    topics: known({
      orders: madeFound('1000', { holdings: { partitions: [{ partition: 0, logEnd, ledgerEnd: 10 }], groups } }),
    }),
  });

  test('of a copy that is under way aborts it first', () => {
    const { events } = decided(copying, { requests: [back] });
    expect(events.map(({ kind }) => kind)).toEqual(['abort-asked', 'removal-asked']);
    const then = decided([...copying, ...events], { topics: known({ orders: madeFound('1000') }) });
    expect(then.events.map(({ kind }) => kind)).toEqual(['levers-restored', 'copy-aborted', 'removal-asked']);
    expect(foldedCopy([...copying, ...events, ...then.events]).stage.kind).toBe('removing');
  });

  test('deletes a topic that it made, that holds our batches and nothing else, and that nobody has begun to read', () => {
    const asked = [...aborted, ...decided(aborted, { requests: [back] }).events];
    const deleting = [{ kind: 'delete-topic', topic: 'orders', topicId: 'target-id' }];
    expect(decided(asked, holding(10)).effects).toEqual(deleting);
    expect(decided(asked, holding(11))).toMatchObject({
      effects: [],
      events: [{ kind: 'topic-kept', topic: 'orders' }],
    });
    expect(decided(asked, holding(10, ['readers']))).toMatchObject({ effects: [], events: [{ kind: 'topic-kept' }] });
    const gone = decided(asked, { topics: known({ orders: absent }) });
    expect(gone.events).toEqual([{ kind: 'topic-deleted', topic: 'orders' }]);
    const end = decided([...asked, ...gone.events], { topics: known({ orders: absent }) });
    expect(end.events).toEqual([{ kind: 'copy-removed' }]);
  });

  test('leaves a topic alone that was there before, or was made anew since', () => {
    const [topic] = madeCopyPlan().topics;
    if (topic === undefined) throw new Error('the plan has a topic');
    const plan = madeCopyPlan({ topics: [{ ...topic, targetId: 'target-id', make: null }] });
    const there: MoveEvent[] = [{ kind: 'copy-started', plan, rate: null }, { kind: 'copying' }, ...aborted.slice(-2)];
    const asked = [...there, ...decided(there, { requests: [back] }).events];
    expect(decided(asked, holding(10))).toMatchObject({ effects: [], events: [{ kind: 'copy-removed' }] });
    const own = [...aborted, ...decided(aborted, { requests: [back] }).events];
    const anew = known({ orders: madeFound('1000', { topicId: 'another-id' }) });
    expect(decided(own, { topics: anew })).toMatchObject({ effects: [], events: [{ kind: 'topic-deleted' }] });
  });
});

test('of what is asked in one moment the last counts, and a controller that begins does not undo an abort', () => {
  const hold = { kind: 'hold', by: 'kim', why: 'lunch' } as const;
  const resume = { kind: 'resume', by: 'eve', reason: null } as const;
  const abort = { kind: 'abort', by: 'kim', reason: null } as const;
  const after = (...requests: MoveObservation['requests']) =>
    foldedCopy([...copying, ...decided(copying, { requests }).events]);
  expect(after(hold, resume).held).toBeNull();
  expect(after(resume, hold).held).toMatchObject({ by: 'kim' });
  expect(after(abort, { kind: 'begin' }).stage).toMatchObject({ kind: 'restoring', becoming: 'aborted' });
});

test('what is asked of a copy that is over changes nothing', () => {
  const over: MoveEvent[] = [...copying, { kind: 'caught-up', partitions: [] }, { kind: 'copied' }];
  for (const request of [
    { kind: 'hold', by: 'kim', why: 'lunch' },
    { kind: 'resume', by: 'kim', reason: null },
    { kind: 'abort', by: 'kim', reason: null },
    { kind: 'begin' },
  ] as const)
    expect(decided(over, { requests: [request] })).toMatchObject({
      events: [],
      effects: [],
      mover: null,
      isOver: true,
    });
});

function decided(events: readonly MoveEvent[], observation: Partial<MoveObservation>) {
  return decideMove(foldedCopy(events), madeMoveObservation({ nowMs: chainTimeMs(events), ...observation }));
}
