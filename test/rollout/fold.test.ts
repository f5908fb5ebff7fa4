import { describe, expect, test } from 'vitest';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import { fold, hasEnded, isConfirmed } from '../../src/core/rollout/state.ts';
import { foldedOnto, halfTarget, madeStart, madeState, sizedPlan, stateAt } from '../made/rollout.ts';

const intended = (target = halfTarget): RolloutEvent => ({ kind: 'intended', target, why: 'a test' });
const confirmed = (backend: string, intent: number): RolloutEvent => ({
  kind: 'confirmed',
  backend,
  process: `${backend}/1`,
  intent,
});
const counted = { origin: { attempts: 7, failures: 1 }, destination: { attempts: 5, failures: 2 } };
const two = { ...sizedPlan, backends: ['edge', 'rim'].map((id) => ({ id, origin: 'old-*', destination: 'new-*' })) };
const edge = halfTarget.traffic['edge'] ?? {};
const both = { ...halfTarget, traffic: { edge, rim: edge } };

describe('a chain that makes no sense', () => {
  const entry = (seq: number, body: RolloutEvent) => ({
    operation: 'move',
    seq,
    previous: '',
    hash: '',
    actor: 'kim',
    atMs: 1,
    rules: 1,
    body,
  });
  const held: RolloutEvent = { kind: 'held', why: 'lunch', by: 'kim' };

  test('is not folded: two starts, none, a gap, or a word that nobody knows', () => {
    const begun = fold(null, entry(1, madeStart()));
    expect(() => fold(begun, entry(2, madeStart()))).toThrow(/starts an operation that has started/);
    expect(() => fold(null, entry(1, held))).toThrow(/before its start/);
    expect(() => fold(begun, entry(3, held))).toThrow(/entry 3 follows 1/);
    expect(() => fold(begun, entry(1, held))).toThrow(/entry 1 follows 1/);
    expect(() => fold(begun, entry(2, { kind: 'later' } as never))).toThrow(
      /"later", which this version does not know/,
    );
  });
});

describe('what was read back', () => {
  const state = madeState([intended(both), confirmed('edge', 2), confirmed('rim', 2)], { plan: two });

  test('holds for every balancer or not at all', () => {
    expect(isConfirmed(madeState([intended(both), confirmed('edge', 2)], { plan: two }))).toBe(false);
    expect(isConfirmed(state)).toBe(true);
    expect(isConfirmed(madeState([], { plan: two }))).toBe(false);
  });

  test('stays so under an entry that changes nothing there, and not where a weight, a state or a server is another', () => {
    expect(
      isConfirmed(foldedOnto(state, [intended({ ...both, origin: { min: 3, desired: null, exact: false } })])),
    ).toBe(true);
    for (const rim of [
      { ...edge, 'new-1': { weight: 99, admin: 'ready' as const } },
      { ...edge, 'new-1': { weight: 100, admin: 'maint' as const } },
      { ...edge, 'new-3': { weight: 100, admin: 'ready' as const } },
      { 'old-1': { weight: 100, admin: null } },
      {},
    ]) {
      const next = foldedOnto(state, [intended({ ...both, traffic: { edge, rim } })]);
      expect(isConfirmed(next)).toBe(false);
      expect(next.confirmed['edge']?.intent).toBe(next.intended?.seq);
      expect(next.confirmed['rim']?.intent).not.toBe(next.intended?.seq);
    }
  });

  test('of an older intent does not become so by an entry that is like the one before', () => {
    const moved = foldedOnto(state, [
      intended({ ...both, traffic: { edge, rim: {} } }),
      intended({ ...both, traffic: { edge, rim: {} } }),
    ]);
    expect(isConfirmed(moved)).toBe(false);
  });

  test('is over for a balancer that was restarted, and for all when somebody resumes', () => {
    const restarted = foldedOnto(state, [{ kind: 'balancer-restarted', backend: 'rim', process: 'rim/2' }]);
    expect(Object.keys(restarted.confirmed)).toEqual(['edge']);
    const resumed = foldedOnto(state, [
      { kind: 'held', why: 'lunch', by: 'kim' },
      { kind: 'resumed', by: 'kim', reason: null },
    ]);
    expect(isConfirmed(resumed)).toBe(false);
    expect(resumed.confirmed['rim']?.process).toBe('rim/1');
  });
});

describe('a life', () => {
  const back: RolloutEvent = {
    kind: 'back-performed',
    cause: { kind: 'asked', by: 'kim', reason: null },
    all: true,
    target: halfTarget,
    verdict: null,
    performedAtMs: 5,
    counted,
  };

  test('ends rolled back or completed, and in no other way', () => {
    expect(hasEnded(stateAt({ kind: 'finishing' }))).toBe(false);
    expect(hasEnded(foldedOnto(stateAt({ kind: 'finishing' }), [{ kind: 'completed', share: 1, counted }]))).toBe(true);
    const drained = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [
      back,
      { kind: 'drained', inFlight: 3, afterMs: 9, counted },
    ]);
    expect(hasEnded(drained)).toBe(false);
    expect(drained).toMatchObject({
      stage: { kind: 'restoring' },
      counted,
      back: { performedAtMs: 5, drained: { inFlight: 3, afterMs: 9 } },
    });
    expect(hasEnded(foldedOnto(drained, [{ kind: 'rolled-back', tookMs: 1 }]))).toBe(true);
  });

  test('a way back ends a hold: it is nobody’s to resume', () => {
    const held = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [{ kind: 'held', why: 'lunch', by: 'kim' }, back]);
    expect([held.held, held.stage.kind]).toEqual([null, 'cutting']);
  });

  test('attempts at one step leave those at the others as they are', () => {
    const state = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [
      { kind: 'stage-entered', stage: { kind: 'judging', step: 2 }, attempt: 1 },
      { kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 2 },
    ]);
    expect(state.attempts).toEqual({ '1 build-1 build-2': 2, '2 build-1 build-2': 1 });
    expect(state.judge).toMatchObject({ pair: 1, attempt: 2 });
  });
});
