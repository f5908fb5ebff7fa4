import { describe, expect, test } from 'vitest';
import { decideMove } from '../../../src/core/move/operation/decide.ts';
import type { MoveEvent, TopicToRebuild } from '../../../src/core/move/operation/events.ts';
import type { Holdings } from '../../../src/core/move/operation/observation.ts';
import { foldMove, type MoveState } from '../../../src/core/move/operation/state.ts';
import { known } from '../../../src/core/observed/reading.ts';
import { absent, madeCopyPlan, madeFound, madeMoveObservation, madeRunning, madeTold } from '../../made/copy.ts';

const atMs = 1_000_000;
const asked: TopicToRebuild = {
  topic: 'orders',
  topicId: 'target-id',
  replicationFactor: 3,
  ends: [{ partition: 0, logEnd: 70 }],
};
const request = { kind: 'rebuild', by: 'kim', reason: null, ...asked } as const;
const intended = { partitions: 1, replicationFactor: 3, settings: { 'retention.ms': '1000' } };
const copying: readonly MoveEvent[] = [
  { kind: 'copy-started', plan: madeCopyPlan(), rate: null },
  { kind: 'topic-made', topic: 'orders', topicId: 'target-id' },
  { kind: 'levers-intended', levers: madeCopyPlan().levers },
  { kind: 'levers-set' },
  { kind: 'copying' },
  { kind: 'partition-stopped', topic: 'orders', partition: 0, isDamage: true, why: 'a batch that stands twice' },
];
const rebuilding: readonly MoveEvent[] = [...copying, { kind: 'rebuild-asked', by: 'kim', reason: null, ...asked }];
const cleared: readonly MoveEvent[] = [
  ...rebuilding,
  { kind: 'rebuild-intended', topic: 'orders', make: intended },
  { kind: 'topic-cleared', topic: 'orders' },
];

describe('a topic that is to be made anew', () => {
  test('is asked for while it is copied, by the id that the copy writes to, and then nothing moves', () => {
    const decision = decided(copying, { requests: [request], mover: madeRunning(madeTold(50)) });
    expect(decision.events).toEqual([{ kind: 'rebuild-asked', by: 'kim', reason: null, ...asked }]);
    expect(decision.mover).toMatchObject({ isHeld: true });
    expect(decided(rebuilding, { mover: madeRunning(madeTold(50)) })).toMatchObject({ mover: null, effects: [] });
    expect(decided(copying, { requests: [{ ...request, topicId: 'another' }] }).events).toEqual([]);
    const nameless = copying.map((event) => (event.kind === 'topic-made' ? { ...event, topicId: 'orders' } : event));
    expect(decided(nameless, { requests: [{ ...request, topicId: 'orders' }] }).events).toEqual([]);
    expect(
      decided([...copying, { kind: 'abort-asked', by: 'kim', reason: null }], { requests: [request] }).events,
    ).toEqual([]);
  });

  test('is not looked at before what was given up can no longer land in whatever has its name', () => {
    const early = decided(rebuilding, found({ partitions: ends(70), groups: [] }), 29_000);
    expect(early).toMatchObject({ events: [], effects: [], wakeAtMs: atMs + 30_000 });
    const { events } = decided(rebuilding, found({ partitions: ends(70), groups: [] }), 30_000);
    // What is set aside is none of its settings.
    expect(events).toEqual([{ kind: 'rebuild-intended', topic: 'orders', make: intended }]);
  });

  test.each<[string, Holdings]>([
    ['ended at offset 70 when all of its batches were ours, and ends at 71 now', { partitions: ends(71), groups: [] }],
    ['groups have committed offsets on it: readers', { partitions: ends(70), groups: ['readers'] }],
  ])('stays where %s, before the intent and after it', (why, holdings) => {
    for (const events of [rebuilding, cleared.slice(0, -1)]) {
      const decision = decided(events, found(holdings), 30_000);
      expect(decision.effects).toEqual([]);
      expect(decision.events).toEqual([
        { kind: 'rebuild-refused', topic: 'orders', why: expect.stringContaining(why) },
      ]);
      const state = folded([...events, ...decision.events]);
      expect(state.stage.kind).toBe('preparing');
      expect(state.targetIds).toEqual({ orders: 'target-id' });
    }
  });

  test('is deleted by its id once that is journalled, and intended again where somebody has changed it meanwhile', () => {
    const events = cleared.slice(0, -1);
    const holdings = { partitions: ends(70), groups: [] };
    expect(decided(events, found(holdings), 30_000).effects).toEqual([
      { kind: 'delete-topic', topic: 'orders', topicId: 'target-id' },
    ]);
    const changed = { topics: known({ orders: madeFound('5000', { holdings }) }) };
    const again = decided(events, changed, 30_000);
    expect(again.effects).toEqual([]);
    expect(again.events).toMatchObject([{ kind: 'rebuild-intended', make: { settings: { 'retention.ms': '5000' } } }]);
  });

  test('is gone once no broker can tell otherwise, and is made with its settings, into which nothing was copied', () => {
    const events = cleared.slice(0, -1);
    const gone = { topics: known({ orders: absent }) };
    expect(decided(events, gone, 2000)).toMatchObject({ events: [], wakeAtMs: atMs + 3000 });
    expect(decided(events, { ...gone, quietAtMs: atMs + 9000 }, 5000).events).toEqual([]);
    expect(decided(events, gone, 3000).events).toEqual([{ kind: 'topic-cleared', topic: 'orders' }]);
    const state = folded(cleared);
    expect(state).toMatchObject({ stage: { kind: 'preparing' }, targetIds: {}, stopped: {}, marks: {}, made: [] });
    expect(state.plan.topics[0]).toMatchObject({ make: intended, partitions: [{ begin: { source: 0, target: 0 } }] });
    expect(decided(cleared, gone).effects).toEqual([{ kind: 'make-topic', topic: 'orders', ...intended }]);
    // One that has not heard of it yet.
    expect(decided(cleared, { topics: known({ orders: madeFound('-1') }) })).toMatchObject({ events: [], effects: [] });
    const answered = {
      topics: known({ orders: madeFound('1000', { topicId: 'new-id' }) }),
      made: { orders: 'new-id' },
    };
    expect(decided(cleared, answered).events).toEqual([{ kind: 'topic-made', topic: 'orders', topicId: 'new-id' }]);
  });

  test('that somebody else has deleted is none of ours to make', () => {
    const decision = decided(rebuilding, { topics: known({ orders: absent }) }, 3000);
    expect(decision.events).toEqual([
      { kind: 'rebuild-refused', topic: 'orders', why: 'somebody else has deleted it, or made it anew' },
    ]);
  });

  test('does not move while it is held, and an abort ends it', () => {
    const held: readonly MoveEvent[] = [...cleared.slice(0, -1), { kind: 'copy-held', by: 'kim', why: 'lunch' }];
    const holdings = { partitions: ends(70), groups: [] };
    expect(decided(held, found(holdings), 60_000)).toMatchObject({ effects: [], events: [] });
    const abort = { kind: 'abort', by: 'kim', reason: null } as const;
    expect(decided(held, { requests: [abort] }).events).toMatchObject([{ kind: 'abort-asked' }]);
  });

  test('and was there before the copy is not taken back with what the copy has made', () => {
    const [topic] = madeCopyPlan().topics;
    if (topic === undefined) throw new Error('no topic');
    const plan = madeCopyPlan({ topics: [{ ...topic, targetId: 'target-id', make: null }] });
    const events = [
      { kind: 'copy-started', plan, rate: null } as const,
      ...copying.slice(2),
      ...cleared.slice(copying.length),
    ];
    const state = folded([...events, { kind: 'topic-made', topic: 'orders', topicId: 'new-id' }]);
    expect(state).toMatchObject({ made: [], rebuilt: ['orders'], targetIds: { orders: 'new-id' } });
  });
});

function folded(events: readonly MoveEvent[]): MoveState {
  let state: MoveState | null = null;
  for (const [index, body] of events.entries()) {
    const entry = { operation: 'copy-1', seq: index + 1, previous: '', hash: '', body, actor: 'kim', atMs, rules: 1 };
    state = foldMove(state, entry);
  }
  if (state === null) throw new Error('no events');
  return state;
}

/** `afterMs`: since the last event. */
function decided(events: readonly MoveEvent[], seen: Parameters<typeof madeMoveObservation>[0], afterMs = 0) {
  return decideMove(folded(events), madeMoveObservation({ nowMs: atMs + afterMs, ...seen }));
}

/** As it is while the copy lasts. */
function found(holdings: Holdings) {
  return { topics: known({ orders: madeFound('-1', { holdings }) }) };
}

function ends(logEnd: number): Holdings['partitions'] {
  return [{ partition: 0, logEnd, ledgerEnd: null }];
}
