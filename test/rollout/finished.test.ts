import { describe, expect, test } from 'vitest';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { unknown } from '../../src/core/observed/reading.ts';
import { failingAt, notWell } from '../../src/core/rollout/completed.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import { capacityRefusals, standingRefusals } from '../../src/core/rollout/decide-finished.ts';
import type { Target } from '../../src/core/rollout/events.ts';
import { factsOf } from '../../src/core/rollout/facts.ts';
import { foldedOnto, halfTarget, madeObservation, madeWatch, nowMs, stateAt } from '../made/rollout.ts';

const off = { weight: 0, admin: null };
const whole: Target = {
  ...halfTarget,
  requestedShare: 1,
  traffic: { edge: { ...halfTarget.traffic['edge'], 'old-1': off, 'old-2': off } },
  origin: { min: 3, desired: null, exact: false },
};
const counted = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } };
const completed = foldedOnto(stateAt({ kind: 'finishing' }, whole), [{ kind: 'completed', share: 1, counted }]);
const retire = { kind: 'retire', by: 'kim', reason: 'moved' } as const;

/** The traffic is where it was moved, and the configuration says so too. */
const moved: Readonly<Record<string, Partial<ServerReading>>> = {
  'old-1': { weight: 0, configuredWeight: 0 },
  'old-2': { weight: 0, configuredWeight: 0 },
  'new-1': { configuredWeight: 100 },
  'new-2': { configuredWeight: 100 },
};
const reserve = { size: { min: 3, max: 4, desired: 3 } };

function asked(changes: Readonly<Record<string, Partial<ServerReading>>>) {
  const servers = Object.fromEntries(
    Object.entries(moved).map(([name, made]) => [name, { ...made, ...changes[name] }]),
  );
  return decide(completed, madeWatch(completed), madeObservation({ servers, origin: reserve, requests: [retire] }));
}

describe('the reserve after completion', () => {
  test('is given up when it is asked for, to the minimum that was found, and then the rollout is over', () => {
    const { events, ended } = asked({});
    expect(ended).toBe(false);
    expect(events).toMatchObject([
      { kind: 'retired', by: 'kim', reason: 'moved' },
      { kind: 'intended', target: { origin: { min: 2, desired: null, exact: true } } },
    ]);
    const retired = foldedOnto(completed, events);
    const still = decide(
      retired,
      madeWatch(retired),
      madeObservation({ servers: moved, origin: reserve, requests: [retire] }),
    );
    expect([still.events, still.ended]).toEqual([[], false]);
    expect(still.effects).toEqual([{ kind: 'resize', side: 'origin', min: 2, desired: null, shrinks: false }]);
    expect(decide(retired, madeWatch(retired), madeObservation({ servers: moved })).ended).toBe(true);
    const unread = { ...madeObservation({ servers: moved }), origin: { atMs: nowMs, reading: unknown('no answer') } };
    expect(decide(retired, madeWatch(retired), unread).ended).toBe(false);
  });

  test.each<[string, Readonly<Record<string, Partial<ServerReading>>>]>([
    ['a reload would give the origin its weight back', { 'old-1': { configuredWeight: 1 } }],
    ['a reload would take the destination’s weight away', { 'new-2': { configuredWeight: 0 } }],
    ['the origin carries a little again', { 'old-2': { weight: 1 } }],
    ['a destination server carries nothing', { 'new-1': { weight: 0 } }],
    ['a destination server is in maint', { 'new-1': { admin: 'maint' } }],
    ['no server of the destination is up', { 'new-1': { health: 'down' }, 'new-2': { health: 'down' } }],
    ['nobody knows of the destination', { 'new-1': { health: 'starting' }, 'new-2': { health: 'starting' } }],
  ])('is kept while %s', (_why, changes) => {
    const { events, effects, ended } = asked(changes);
    expect([events, effects, ended]).toEqual([[], [], true]);
  });

  test('is kept while nobody at a balancer can carry, and says who is down', () => {
    const down = {
      'new-1': { ...moved['new-1'], health: 'down' as const },
      'new-2': { ...moved['new-2'], health: 'down' as const },
    };
    const refused = standingRefusals(completed, madeObservation({ servers: { ...moved, ...down }, origin: reserve }));
    expect(refused).toEqual(['no server of the destination is known to be up at edge: new-1 is down, new-2 is down']);
  });

  test('is kept while fewer instances are able than the load of this moment needs, or nobody knows it', () => {
    const capable = {
      ...completed,
      plan: { ...completed.plan, destination: { ...completed.plan.destination, capacityRps: 60 } },
    };
    const load = { destination: { attempts: 800, failures: 0 } };
    const refusals = (changes: Readonly<Record<string, Partial<ServerReading>>>, watched = load) => {
      const seen = madeObservation({ servers: { ...moved, ...changes }, origin: reserve });
      return capacityRefusals(capable, factsOf(capable, madeWatch(capable, watched), seen));
    };
    expect(refusals({})).toEqual([]);
    expect(refusals({ 'new-2': { ...moved['new-2'], health: 'down' } })).toEqual([
      'the whole share needs 2 destination instances, 1 is able, and of those that are to carry not new-2',
    ]);
    const unknowing = madeObservation({ servers: moved, origin: reserve });
    expect(capacityRefusals(capable, factsOf(capable, { ...madeWatch(capable), load: {} }, unknowing))).toEqual([
      'the load is not known: no attempts were counted at edge yet',
    ]);
  });

  test('is kept while a balancer cannot be read, and where nobody asks', () => {
    const unread = { edge: { atMs: nowMs, reading: unknown('no answer') } };
    const seen = madeObservation({ backends: unread, origin: reserve, requests: [retire] });
    expect(decide(completed, madeWatch(completed), seen).events).toEqual([]);
    const silent = madeObservation({ servers: moved, origin: reserve });
    expect(decide(completed, madeWatch(completed), silent)).toMatchObject({ events: [], effects: [], ended: true });
  });

  test('is nobody’s to give up after a way back', () => {
    const target: Target = { ...halfTarget, traffic: {} };
    const cause = { kind: 'asked', by: 'kim', reason: null } as const;
    const back = foldedOnto(completed, [
      { kind: 'back-performed', cause, all: true, target, verdict: null, performedAtMs: 1, counted },
      { kind: 'rolled-back', tookMs: 1 },
    ]);
    const seen = madeObservation({ servers: moved, requests: [retire] });
    expect(decide(back, madeWatch(back), seen)).toMatchObject({ events: [], effects: [], ended: true });
  });
});

describe('what is not well after completion', () => {
  const seen = (servers: Readonly<Record<string, Partial<ServerReading>>>) =>
    madeObservation({ servers: { ...moved, ...servers }, origin: reserve });
  const none = { attempts: 0, failures: 0 };
  const watched = (destination: { readonly attempts: number; readonly failures: number }, origin = none) =>
    madeWatch(completed, { origin, destination });

  test('is nothing while the destination carries everything, and after it was retired', () => {
    const well = watched({ attempts: 500, failures: 0 });
    expect(notWell(completed, well, seen({}))).toEqual([]);
    const bad = watched({ attempts: 500, failures: 500 });
    expect(notWell(foldedOnto(completed, [{ kind: 'retired', by: 'kim', reason: null }]), bad, seen({}))).toEqual([]);
  });

  test('is one of two servers that is down, and users at a server of the origin', () => {
    const third = {
      'old-2': { weight: 20, configuredWeight: 0 },
      'new-2': { configuredWeight: 100, health: 'down' as const },
    };
    expect(
      notWell(completed, watched({ attempts: 200, failures: 0 }, { attempts: 100, failures: 0 }), seen(third)),
    ).toEqual([
      'the origin gets 33.3 % of the requests at edge, by old-2 (weight 20)',
      '1 of 2 destination servers is down at edge: new-2',
    ]);
  });

  test('is failures that the objective does not explain, told with the figures', () => {
    const objective = { ...completed, plan: { ...completed.plan, objective: 0.01 } };
    const told = (attempts: number, failures: number) =>
      failingAt(objective, watched({ attempts, failures }), seen({}));
    expect(told(812, 812)).toEqual([
      'the destination fails 812 of its last 812 requests at edge (100 %, the objective is 1 %)',
    ]);
    for (const [attempts, failures] of [
      [0, 0],
      [10, 1],
      [1000, 10],
      [1000, 14],
    ] as const)
      expect(told(attempts, failures)).toEqual([]);
    for (const [attempts, failures] of [
      [10, 2],
      [1000, 25],
      [3, 3],
    ] as const)
      expect(told(attempts, failures)).toHaveLength(1);
  });
});
