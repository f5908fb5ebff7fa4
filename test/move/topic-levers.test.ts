import { describe, expect, test } from 'vitest';
import { leversWhileBehind, restoring } from '../../src/core/move/topic-levers.ts';
import { largest, settings, settingsOf28, settingsOf43 } from '../made/topics.ts';

describe('while a topic is behind', () => {
  test('nothing is deleted, and no record is refused for its time', () => {
    expect(leversWhileBehind('orders', settings(settingsOf43), 1000)).toEqual([
      { topic: 'orders', key: 'retention.ms', before: null, whileCopying: '-1' },
      { topic: 'orders', key: 'message.timestamp.after.max.ms', before: null, whileCopying: largest },
    ]);
  });

  test('compaction waits, bytes and times stay, and the largest batch fits', () => {
    const own = {
      'cleanup.policy': 'compact',
      'max.compaction.lag.ms': '1000',
      'compression.type': 'zstd',
      'message.timestamp.type': 'LogAppendTime',
      'max.message.bytes': '2000',
      'retention.ms': '-1',
    };
    const levers = leversWhileBehind('orders', settings(settingsOf28, own), 3000);
    expect(Object.fromEntries(levers.map(({ key, whileCopying }) => [key, whileCopying]))).toEqual({
      'compression.type': 'producer',
      'message.timestamp.type': 'CreateTime',
      'max.compaction.lag.ms': largest,
      'min.compaction.lag.ms': largest,
      'max.message.bytes': '3000',
    });
    expect(levers.find(({ key }) => key === 'max.message.bytes')?.before).toBe('2000');
    expect(levers.find(({ key }) => key === 'min.compaction.lag.ms')?.before).toBeNull();
  });
});

describe('afterwards', () => {
  const lever = { topic: 'orders', key: 'retention.ms', before: '5000', whileCopying: '-1' };

  test('a setting gets the value back that it had, or none', () => {
    const now = settings(settingsOf43, { 'retention.ms': '-1' });
    expect(restoring(lever, now)).toEqual({
      kind: 'change',
      change: { topic: 'orders', key: 'retention.ms', value: '5000' },
    });
    expect(restoring({ ...lever, before: null }, now)).toMatchObject({ change: { value: null } });
  });

  test('what a person has changed meanwhile is left, and so is what was restored before', () => {
    expect(restoring(lever, settings(settingsOf43, { 'retention.ms': '7000' }))).toEqual({ kind: 'left', now: '7000' });
    expect(restoring(lever, settings(settingsOf43))).toEqual({ kind: 'left', now: null });
    expect(restoring(lever, settings(settingsOf43, { 'retention.ms': '5000' }))).toEqual({ kind: 'nothing' });
    expect(restoring({ ...lever, before: null }, settings(settingsOf43))).toEqual({ kind: 'nothing' });
  });
});
