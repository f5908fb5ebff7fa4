import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/rollout/decide.ts';
import type { RolloutEvent, Target } from '../../src/core/rollout/events.ts';
import {
  foldedOnto,
  halfTarget,
  madeObservation,
  madeStart,
  madeState,
  madeWatch,
  nowMs,
  sinceMs,
  stateAt,
  waitingTarget,
} from '../made/rollout.ts';

const grown = { size: { min: 4, max: 4, desired: 4 } };
const aside = { 'new-1': { weight: 0, admin: 'maint' }, 'new-2': { weight: 0, admin: 'maint' } } as const;
const cut: Target = { ...waitingTarget, traffic: { edge: { ...halfTarget.traffic['edge'], ...aside } } };

function backPerformed(target: Target, performedAtMs: number): RolloutEvent {
  const cause = { kind: 'asked', by: 'kim', reason: null } as const;
  const counted = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } };
  return { kind: 'back-performed', cause, all: true, target, verdict: null, performedAtMs, counted };
}

describe('instances are taken away', () => {
  const cutting = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [backPerformed(cut, sinceMs)]);
  const drained = decide(
    cutting,
    madeWatch(cutting, { idleReadings: 2 }),
    madeObservation({ servers: aside, destination: grown }),
  ).events;
  const restoring = foldedOnto(cutting, drained);
  const waiting = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
  const sizes = (idleReadings: number) =>
    decide(restoring, madeWatch(restoring, { idleReadings }), madeObservation({ servers: waiting, destination: grown }))
      .effects;

  test('on the way back, to the sizes that were found: minimum, and what the group wanted', () => {
    expect(drained).toMatchObject([
      { kind: 'drained' },
      {
        kind: 'intended',
        target: {
          origin: { min: 2, desired: null, exact: true },
          destination: { min: 2, desired: 2, exact: true },
        },
      },
    ]);
    expect(sizes(2)).toEqual([{ kind: 'resize', side: 'destination', min: 2, desired: 2, shrinks: true }]);
  });

  test('only after two readings of every balancer in which nothing reached the destination', () => {
    expect(sizes(1)).toEqual([]);
    expect(sizes(0)).toEqual([]);
  });

  test('going forward, not as long as anything reaches the destination either', () => {
    const target: Target = { ...waitingTarget, destination: { min: 2, desired: 2, exact: true } };
    const state = stateAt({ kind: 'growing', step: 1 }, target);
    const effects = (idleReadings: number) =>
      decide(state, madeWatch(state, { idleReadings }), madeObservation({ servers: waiting, destination: grown }))
        .effects;
    expect(effects(1)).toEqual([]);
    expect(effects(2)).toMatchObject([{ kind: 'resize', side: 'destination', desired: 2, shrinks: true }]);
  });
});

describe('capacity comes before traffic', () => {
  const floors = (attempts: number, plan = madeStart().plan) => {
    const state = stateAt({ kind: 'growing', step: 1 }, waitingTarget, { plan });
    const { events } = decide(
      state,
      madeWatch(state, { origin: { attempts, failures: 0 } }),
      madeObservation({ servers: { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } } }),
    );
    const intended = events.find((event) => event.kind === 'intended');
    return intended?.kind === 'intended' && intended.why === 'capacity before traffic'
      ? [intended.target.origin?.min, intended.target.destination?.min]
      : null;
  };

  test('floors follow the load with the reserve, on both sides, and never fall', () => {
    expect(floors(1000)).toBeNull();
    // 150 requests/s and a fifth at 70 each are three; half of it and a fifth at the destination, two.
    expect(floors(1500)).toEqual([3, 2]);
    expect(floors(100)).toBeNull();
  });

  test('no group is asked for more than its maximum', () => {
    expect(floors(9000)).toEqual([4, 4]);
  });

  test('the destination has the reserve too: its share alone is not enough', () => {
    const plan = {
      ...madeStart().plan,
      destination: { environment: 'vpc', size: { min: 2, max: 4 }, capacityRps: 25 },
    };
    // Half of 100 requests/s are 50, which two of 25 would carry; with a fifth more it takes three.
    expect(floors(1000, plan)).toEqual([2, 3]);
  });

  test('a step that names its instances gets so many', () => {
    const step = { kind: 'capacity', instances: 3, bakeMs: 1000 } as const;
    expect(floors(1000, { ...madeStart().plan, steps: [step] })).toEqual([2, 3]);
    const weight = { kind: 'weight', share: 0.5, instances: 3, bakeMs: 1000 } as const;
    expect(floors(1000, { ...madeStart().plan, steps: [weight] })).toEqual([2, 3]);
  });
});

describe('a step whose capacity does not come', () => {
  const plan = { ...madeStart().plan, steps: [{ kind: 'capacity', instances: 3, bakeMs: 1000 } as const] };
  const target: Target = { ...waitingTarget, destination: { min: 3, desired: null, exact: false } };
  const state = stateAt({ kind: 'growing', step: 1 }, target, { plan });
  const servers = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
  const { capacityMsMax } = plan.policy;
  const at = (waitedMs: number, since = 0) => {
    const watched = madeWatch(state, { origin: { attempts: 1000, failures: 0 }, sinceMs: since });
    const seen = madeObservation({
      servers,
      nowMs: sinceMs + waitedMs,
      destination: { size: { min: 3, max: 4, desired: 3 } },
    });
    return decide(state, watched, seen).events.filter(({ kind }) => kind !== 'checkpoint');
  };

  test('holds the rollout when its time is over, with what is missing', () => {
    expect(at(capacityMsMax - 1)).toEqual([]);
    expect(at(capacityMsMax)).toMatchObject([
      {
        kind: 'held',
        by: 'drover',
        why: expect.stringContaining('needs 3 destination instances, 2 are able after 600 s'),
      },
    ]);
  });

  test('the time in which no controller looked does not count', () => {
    expect(at(capacityMsMax, sinceMs + 1)).toEqual([]);
  });

  test('before any traffic there is nothing to hold: the rollout is given up', () => {
    const preparing = madeState([{ kind: 'intended', target: waitingTarget, why: 'capacity' }], { plan });
    const look = (waitedMs: number) =>
      decide(preparing, madeWatch(preparing), madeObservation({ servers, nowMs: sinceMs + waitedMs })).events;
    expect(look(capacityMsMax - 1).map(({ kind }) => kind)).not.toContain('back-performed');
    expect(look(capacityMsMax)).toMatchObject([{ kind: 'back-performed', cause: { kind: 'capacity' } }]);
    expect(nowMs - sinceMs).toBe(capacityMsMax);
  });
});
