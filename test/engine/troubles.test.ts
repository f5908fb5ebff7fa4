import { describe, expect, test } from 'vitest';
import type { Effect } from '../../src/core/rollout/decision.ts';
import { troubleLines, troublesAfter } from '../../src/engine/troubles.ts';

const traffic: Effect = {
  kind: 'traffic',
  backend: 'edge/web',
  weights: { 'vpc-1': 1 },
  states: {},
  raises: true,
  statesFirst: false,
};
const resize: Effect = { kind: 'resize', side: 'destination', min: 2, desired: null, shrinks: false };

describe('what the world refuses', () => {
  const refused = { 'edge/web': 'Permission denied' };

  test('stays said while it is pending and was not tried, and is replaced by what the next try says', () => {
    const before = troublesAfter({}, [traffic, resize], { ...refused, destination: null });
    expect(before).toEqual(refused);
    expect(troublesAfter(before, [traffic], {})).toEqual(refused);
    expect(troublesAfter(before, [traffic], { 'edge/web': 'no answer' })).toEqual({ 'edge/web': 'no answer' });
  });

  test('is over once it was taken, or is read back as wanted by whoever wrote it', () => {
    expect(troublesAfter(refused, [traffic], { 'edge/web': null })).toEqual({});
    expect(troublesAfter(refused, [resize], {})).toEqual({});
  });

  test('is told with the place that it concerns and the words that were heard', () => {
    expect(troubleLines({ 'edge/web': 'Permission denied', origin: 'no quota' })).toEqual([
      'edge/web does not take what is written: Permission denied',
      'the size of the origin cannot be set: no quota',
    ]);
  });
});
