import { expect, test } from 'vitest';
import { sentenceOf } from '../../src/cli/journal/sentences.ts';
import type { EventBody } from '../../src/core/journal/entry.ts';
import type { FleetEvent } from '../../src/core/journal/fleet.ts';
import type { ForwardStage, RolloutEvent } from '../../src/core/rollout/events.ts';

const tally = { attempts: 10, failures: 1 };
const counted = { origin: tally, destination: tally };

const known: readonly (readonly [RolloutEvent | FleetEvent, string])[] = [
  [{ kind: 'held', why: 'lunch', by: 'alice' }, 'held by alice: lunch'],
  [{ kind: 'resumed', by: 'alice', reason: 'fixed' }, 'resumed by alice, reason: fixed'],
  [{ kind: 'rolled-back', tookMs: 153.3 }, 'rolled back, as was seen 153 ms after the way back was taken'],
  [
    { kind: 'drained', inFlight: 3, afterMs: 61_000, counted },
    'seen drained 61.0 s after the way back was taken, 3 requests still in flight',
  ],
  [{ kind: 'completed', share: 0.999, counted }, 'completed at an observed share of 99.9 %'],
  [{ kind: 'completed', share: null, counted }, 'completed'],
  [
    { kind: 'operation-started', operation: 'rollout-query-1', seq: 1, hash: 'a'.repeat(64) },
    'rollout-query-1 started (entry 1, hash aaaaaaaaaaaa…)',
  ],
];

test('the share of the drill is the lowest weight on one server, and not one that capacity makes', () => {
  const intended = (weights: Readonly<Record<string, number>>, requestedShare: number | null = null): RolloutEvent => {
    const ours = Object.entries(weights).map(([name, weight]) => [name, { weight, admin: 'ready' }] as const);
    const traffic = { edge: { 'old-1': { weight: 1, admin: null }, ...Object.fromEntries(ours) } };
    return { kind: 'intended', target: { requestedShare, traffic, origin: null, destination: null }, why: 'why' };
  };
  expect(sentenceOf(intended({ 'new-1': 1, 'new-2': 0 }))).toBe('why → lowest weight on new-1');
  expect(sentenceOf(intended({ 'new-1': 100, 'new-2': 0 }))).toBe('why → share by capacity');
  expect(sentenceOf(intended({ 'new-1': 1, 'new-2': 1 }))).toBe('why → share by capacity');
  expect(sentenceOf(intended({ 'new-1': 1 }, 0.05))).toBe('why → share 5 %');
});

test('a way back that is partial tells what still carries, and not a share of nothing', () => {
  const servers = (kept: Readonly<Record<string, number>>) => ({
    'old-1': { weight: 68, admin: null },
    'new-1': { weight: 0, admin: 'maint' as const },
    ...Object.fromEntries(Object.entries(kept).map(([name, weight]) => [name, { weight, admin: 'ready' as const }])),
  });
  const intended = (traffic: Record<string, ReturnType<typeof servers>>): RolloutEvent => ({
    ...{ kind: 'intended', why: 'as much of the way back as the origin can carry' },
    target: { requestedShare: 0, traffic, origin: null, destination: null },
  });
  const why = 'as much of the way back as the origin can carry → ';
  const kept = servers({ 'new-2': 32 });
  expect(sentenceOf(intended({ edge: kept }))).toBe(`${why}new-2 still carries 32 %`);
  expect(sentenceOf(intended({ one: kept, two: kept }))).toBe(`${why}new-2 still carries 32 %`);
  expect(sentenceOf(intended({ one: kept, two: servers({}) }))).toBe(`${why}new-2 at one still carries 32 %`);
  expect(sentenceOf(intended({ edge: servers({ 'new-2': 16, 'new-3': 16 }) }))).toBe(
    `${why}new-2, new-3 still carry 32 %`,
  );
  expect(sentenceOf(intended({ edge: servers({}) }))).toBe(`${why}share 0 %`);
});

test('a stage is told in words, and the step behind the last judged one as what it is', () => {
  const entered = (stage: ForwardStage): RolloutEvent => ({ kind: 'stage-entered', stage, attempt: 1 });
  expect(sentenceOf(entered({ kind: 'drill-back' }))).toBe('the drill: it is taken back, and timed');
  expect(sentenceOf(entered({ kind: 'growing', step: 2 }), 3)).toBe('step 2: waiting for capacity');
  expect(sentenceOf(entered({ kind: 'judging', step: 4 }), 3)).toBe(
    'the whole share: only objective and tripwires watch',
  );
  expect(sentenceOf(entered({ kind: 'judging', step: 4 }))).toBe('step 4: judging');
  const ofOtherRules = { kind: 'stage-entered', stage: { kind: 'baking', step: 1 }, attempt: 1 };
  expect(sentenceOf(ofOtherRules)).toMatch(/^stage-entered stage=/);
});

test.each(known)('an event that has a sentence is told in it: %o', (body, text) => {
  expect(sentenceOf(body)).toBe(text);
});

test.each<[EventBody & Record<string, unknown>, string]>([
  [
    { kind: 'new', step: 2, why: 'two words', by: 'alice', nothing: null },
    'new step=2 why="two words" by=alice nothing=null',
  ],
  [{ kind: 'new', list: [1, { a: 'b' }], empty: '', equals: 'a=b' }, 'new list=[1,{"a":"b"}] empty="" equals="a=b"'],
  [{ kind: 'new', long: 'x'.repeat(100) }, `new long=${'x'.repeat(79)}…`],
  [{ kind: 'promoted', step: 3 }, 'promoted step=3'],
  [{ kind: 'constructor' }, 'constructor'],
])('any other is told field by field, also one of other rules: %o', (body, text) => {
  expect(sentenceOf(body)).toBe(text);
});
