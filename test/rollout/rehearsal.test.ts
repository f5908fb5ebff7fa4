import { describe, expect, test } from 'vitest';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { DrillMeasure, RolloutEvent, Target } from '../../src/core/rollout/events.ts';
import { foldedOnto, madeObservation, madeWatch, nowMs, sinceMs, stateAt, waitingTarget } from '../made/rollout.ts';

const one = (weight: number, admin: 'ready' | 'maint'): Target => ({
  ...waitingTarget,
  requestedShare: null,
  traffic: { edge: { ...waitingTarget.traffic['edge'], 'new-1': { weight, admin } } },
});
const takenBack = stateAt({ kind: 'drill-back' }, one(0, 'maint'));
const shifting = stateAt({ kind: 'drill-shifting' }, one(1, 'ready'));
const inMaint = { servers: { 'new-1': { weight: 0, admin: 'maint' }, 'new-2': { weight: 0 } } } as const;
const { boundMs, requests, ms } = takenBack.plan.policy.drill;

/** What the journal says of a drill whose command took so long to be acknowledged, and after that to have an effect. */
function measured(acknowledgedMs: number, lastAttemptMs: number, drillAttempts = requests): readonly RolloutEvent[] {
  const measure: DrillMeasure = { attempts: 0, acknowledgedMs, lastAttemptMs, spacingMs: 5, rps: 100 };
  const seen = madeObservation({ ...inMaint, drill: known(measure) });
  return decide(takenBack, madeWatch(takenBack, { drillAttempts }), seen).events;
}

describe('the drill', () => {
  test('within its bound the rollout goes on, and the server is given back', () => {
    const events = measured(boundMs - 200, 200);
    expect(events.map(({ kind }) => kind)).toEqual(['drill-measured', 'intended', 'stage-entered']);
    expect(events[0]).toMatchObject({ passed: true, note: `rehearsed with ${requests} attempts` });
  });

  test.each([
    ['the command is slow', boundMs + 1, 0],
    ['its effect is slow', 0, boundMs + 1],
    ['both together are', boundMs - 200, 201],
  ])('over its bound the way back is taken, and nothing goes forward: %s', (_what, acknowledgedMs, lastAttemptMs) => {
    const events = measured(acknowledgedMs, lastAttemptMs);
    expect(events).toMatchObject([
      {
        kind: 'drill-measured',
        passed: false,
        note: `the way back took ${boundMs + 1} ms, its bound is ${boundMs} ms`,
      },
    ]);
    const failed = foldedOnto(takenBack, events);
    expect(decide(failed, madeWatch(failed), madeObservation(inMaint)).events).toMatchObject([
      { kind: 'back-performed', cause: { kind: 'drill', detail: expect.stringContaining('its bound is') } },
    ]);
  });

  test('one that could not be measured is none, and the way back is taken', () => {
    const seen = madeObservation({ ...inMaint, drill: unknown('no answer') });
    expect(decide(takenBack, madeWatch(takenBack), seen).events).toMatchObject([
      { kind: 'back-performed', cause: { kind: 'drill', detail: expect.stringContaining('no answer') } },
    ]);
  });

  test('with fewer attempts than were wanted it says that it was rehearsed without traffic', () => {
    expect(measured(1, 1, requests - 1)).toMatchObject([
      { passed: true, note: `rehearsed without traffic (${requests - 1} of ${requests} attempts)` },
      {},
      {},
    ]);
  });

  test('is made again where the server is in maint and whoever measured is gone, once the server is awake', () => {
    const [intended, entered] = decide(takenBack, madeWatch(takenBack), madeObservation(inMaint)).events;
    expect(intended).toMatchObject({ target: { traffic: { edge: { 'new-1': { weight: 0, admin: 'ready' } } } } });
    expect(entered).toMatchObject({ stage: { kind: 'drill-restoring' } });
  });

  test('is not made again while the server is not in maint yet', () => {
    const ready = { servers: { 'new-1': { weight: 1 }, 'new-2': { weight: 0 } } };
    const { events } = decide(takenBack, madeWatch(takenBack), madeObservation(ready));
    expect(events.map(({ kind }) => kind)).toEqual(['checkpoint']);
  });

  test('is performed at every balancer at once, or not while one of them cannot be read', () => {
    const ready = { servers: { 'new-1': { weight: 1 }, 'new-2': { weight: 0 } } };
    expect(decide(takenBack, madeWatch(takenBack), madeObservation(ready)).effects).toEqual([
      { kind: 'drill', servers: [{ backend: 'edge', server: 'new-1' }] },
    ]);
    const unread = madeObservation({ backends: { edge: { atMs: nowMs, reading: unknown('no answer') } } });
    expect(decide(takenBack, madeWatch(takenBack), unread).effects).toEqual([]);
  });
});

describe('the traffic of the drill', () => {
  const seen = { servers: { 'new-1': { weight: 1 }, 'new-2': { weight: 0 } } };
  const kinds = (attempts: number, waitedMs: number) => {
    const watched = madeWatch(shifting, { drillAttempts: attempts });
    return decide(shifting, watched, madeObservation({ ...seen, nowMs: sinceMs + waitedMs })).events.map(
      ({ kind }) => kind,
    );
  };

  test('is waited for until there are enough attempts, or the time is over', () => {
    expect(kinds(requests - 1, ms - 1)).toEqual(['checkpoint']);
    expect(kinds(requests, 5000)).toEqual(['intended', 'stage-entered']);
    expect(kinds(0, ms)).toEqual(['intended', 'stage-entered']);
  });
});
