import { describe, expect, test } from 'vitest';
import type { MoveEvent } from '../../src/core/move/operation/events.ts';
import { foldMove, type MoveState, setAsideBy } from '../../src/core/move/operation/state.ts';
import { leversWhileBehind, withoutSetAside } from '../../src/core/move/topic-levers.ts';
import { madeCopyPlan } from '../made/copy.ts';
import { settings, settingsOf43 } from '../made/topics.ts';

const intended: MoveEvent[] = [
  { kind: 'copy-started', plan: madeCopyPlan(), rate: null },
  { kind: 'topic-made', topic: 'orders', topicId: 'target-id' },
  { kind: 'levers-intended', levers: madeCopyPlan().levers },
];

describe('what an unfinished copy has set aside', () => {
  const set = settings(settingsOf43, { 'retention.ms': '-1' });

  test('is not taken for what was there before', () => {
    const before = withoutSetAside(setAsideBy(folded(intended)), 'target-id', set);
    const lever = leversWhileBehind('orders', before, 0).find(({ key }) => key === 'retention.ms');
    expect(lever).toEqual({ topic: 'orders', key: 'retention.ms', before: '1000', whileCopying: '-1' });
    // Without the journal of that copy nobody could tell.
    expect(leversWhileBehind('orders', set, 0).map(({ key }) => key)).not.toContain('retention.ms');
  });

  test('where nothing was set at the topic before, nothing is to be set there again', () => {
    const levers = [{ topic: 'orders', key: 'retention.ms', before: null, whileCopying: '-1' }];
    const state = folded([...intended, { kind: 'levers-intended', levers }]);
    const before = withoutSetAside(setAsideBy(state), 'target-id', set);
    expect(leversWhileBehind('orders', before, 0)).toContainEqual(levers[0]);
  });

  test('says nothing of another topic of that name, nor of what somebody has set since', () => {
    const levers = setAsideBy(folded(intended));
    expect(withoutSetAside(levers, 'another-id', set)).toEqual(set);
    const theirs = settings(settingsOf43, { 'retention.ms': '777' });
    expect(withoutSetAside(levers, 'target-id', theirs)).toEqual(theirs);
  });

  test('is nothing before it was intended, and nothing once it has ended', () => {
    expect(setAsideBy(folded(intended.slice(0, 2)))).toEqual([]);
    expect(setAsideBy(folded([...intended, { kind: 'copied' }]))).toEqual([]);
  });
});

function folded(events: readonly MoveEvent[]): MoveState {
  const entries = events.map((body, index) => {
    const placed = { operation: 'copy-1', seq: index + 1, previous: '', hash: '', rules: 1, actor: 'kim' };
    return { ...placed, atMs: 1000 * index, body };
  });
  const state = entries.reduce<MoveState | null>(foldMove, null);
  if (state === null) throw new Error('a copy begins with its first entry');
  return state;
}
