import { describe, expect, test } from 'vitest';
import type { Effect, TrafficEffect } from '../../src/core/rollout/decision.ts';
import { performBack, performEffects } from '../../src/engine/perform.ts';
import { Desk, operation, quiet, timing } from './desk.ts';

function traffic(backend: string, changes: Partial<TrafficEffect> = {}): TrafficEffect {
  const states = { 'new-1': 'maint' } as const;
  return { kind: 'traffic', backend, weights: { 'new-1': 0 }, states, raises: false, statesFirst: true, ...changes };
}

function goBack(desk: Desk, ...back: readonly TrafficEffect[]) {
  return desk.time.during(performBack(desk.ports('one'), operation, 'kim', { ...quiet, back }));
}

describe('the way back at the balancers', () => {
  test('has its marker before its first command', async () => {
    const desk = new Desk();
    await goBack(desk, traffic('edge'), traffic('rim'));
    expect(desk.landed).toHaveLength(4);
    expect(desk.landed.filter(({ marked }) => !marked)).toEqual([]);
    expect(desk.marker).toBe('kim');
  });

  test('waits a quarter of a second for a disk that does not answer, and not longer', async () => {
    const desk = new Desk();
    desk.hanging.add('marker.write');
    await goBack(desk, traffic('edge'));
    expect(desk.landed.map(({ atMs }) => atMs)).toEqual([251, 251]);
  });

  test('does not wait at all for a disk that refuses', async () => {
    const desk = new Desk();
    desk.refusing.set('marker.write', 'ENOSPC');
    await goBack(desk, traffic('edge'));
    expect(desk.landed.map(({ atMs }) => atMs)).toEqual([2, 2]);
  });

  test('does not wait at one balancer for another, and says which did not take it', async () => {
    const desk = new Desk();
    desk.hanging.add('setStates rim').add('setWeights rim');
    const outcomes = await goBack(desk, traffic('rim'), traffic('edge'));
    expect(desk.landed.map(({ atMs, what }) => [atMs, what.split(' ')[0]])).toEqual([
      [2, 'edge'],
      [2, 'edge'],
    ]);
    expect(desk.nowMs).toBe(1 + timing.callMs);
    expect(outcomes).toEqual({ edge: null, rim: expect.stringContaining(`no answer within ${timing.callMs} ms`) });
  });

  test('a command that is lost does not cost the other one', async () => {
    for (const lost of ['setStates', 'setWeights']) {
      const desk = new Desk();
      desk.refusing.set(lost, 'permission denied');
      const outcomes = await goBack(desk, traffic('edge'));
      expect(desk.landed).toHaveLength(1);
      expect(outcomes).toEqual({ edge: 'permission denied' });
    }
  });

  test('where the origin has to be given its weights first, nothing goes into maint before', async () => {
    const desk = new Desk();
    desk.refusing.set('setWeights', 'permission denied');
    await goBack(desk, traffic('edge', { statesFirst: false, weights: { 'old-1': 100 } }));
    expect(desk.landed).toEqual([]);
  });
});

describe('effects', () => {
  const perform = (desk: Desk, effects: readonly Effect[], msMax = timing.callMs, outer: AbortSignal[] = []) =>
    desk.time.during(performEffects(desk.ports('one'), effects, outer, msMax));

  test('a server is woken only after it has its weight', async () => {
    const desk = new Desk();
    const effect = traffic('edge', { weights: { 'new-1': 5 }, states: { 'new-1': 'ready' }, statesFirst: false });
    await perform(desk, [effect]);
    expect(desk.landed.map(({ what }) => what)).toEqual(['edge weights {"new-1":5}', 'edge states {"new-1":"ready"}']);
  });

  test('have as long as the lease is held, at most as long as a call may take', async () => {
    for (const [msMax, tookMs] of [
      [500, 500],
      [60_000, timing.callMs],
    ]) {
      const desk = new Desk();
      desk.hanging.add('setWeights');
      const { outcomes } = await perform(desk, [traffic('edge', { statesFirst: false })], msMax);
      expect(desk.nowMs).toBe(tookMs);
      expect(outcomes).toEqual({ edge: expect.stringContaining('no answer') });
    }
  });

  test('that were given up for something more urgent have not failed', async () => {
    const desk = new Desk();
    desk.hanging.add('setWeights');
    const urgent = new AbortController();
    desk.schedule.after(10, () => urgent.abort(new Error('urgent')));
    expect(await perform(desk, [traffic('edge')], timing.callMs, [urgent.signal])).toEqual({
      drill: null,
      outcomes: {},
    });
    expect(desk.nowMs).toBe(10);
  });

  test('a size that is left to the group is not written', async () => {
    const desk = new Desk();
    const resize = { kind: 'resize', min: 3, shrinks: false } as const;
    const outcomes = await perform(desk, [
      { ...resize, side: 'origin', desired: null },
      { ...resize, side: 'destination', desired: 4 },
    ]);
    expect(desk.landed.map(({ what }) => what)).toEqual(['origin {"min":3}', 'destination {"min":3,"desired":4}']);
    expect(outcomes.outcomes).toEqual({ origin: null, destination: null });
  });
});

describe('the drill', () => {
  const effect: Effect = { kind: 'drill', servers: [{ backend: 'edge', server: 'new-1' }] };

  test('ends a tenth of a second after the last attempt, and tells when that was', async () => {
    const desk = new Desk();
    for (const atMs of [10, 30, 60]) {
      desk.schedule.after(atMs, () => {
        desk.attempts += 4;
      });
    }
    const { drill } = await desk.time.during(performEffects(desk.ports('one'), [effect], [], timing.callMs));
    if (!drill?.known) throw new Error('it was not measured');
    expect(desk.admin['new-1']).toBe('maint');
    const { attempts, acknowledgedMs, lastAttemptMs, spacingMs } = drill.value;
    expect([attempts, acknowledgedMs]).toEqual([12, 1]);
    // Polled every 5 ms and answered 1 ms later: the last one is seen at most 6 ms after it came.
    expect(lastAttemptMs).toBeGreaterThanOrEqual(59);
    expect(lastAttemptMs).toBeLessThanOrEqual(65);
    expect(desk.nowMs - lastAttemptMs - 1).toBeGreaterThanOrEqual(100);
    expect(desk.nowMs - lastAttemptMs - 1).toBeLessThanOrEqual(106);
    expect(spacingMs).toBeCloseTo(6, 1);
    expect(drill.value.rps).toBeCloseTo((12 * 1000) / (desk.nowMs - 1), 0);
  });

  test('a balancer that does not answer leaves it unmeasured, with the reason', async () => {
    const desk = new Desk();
    desk.hanging.add('setStates');
    const { drill } = await desk.time.during(performEffects(desk.ports('one'), [effect], [], timing.callMs));
    expect(drill).toMatchObject({ known: false, why: expect.stringContaining('no answer') });
  });
});
