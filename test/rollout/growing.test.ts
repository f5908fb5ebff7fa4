import { describe, expect, test } from 'vitest';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { ableServers } from '../../src/core/rollout/capacity.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { AsFound, Target } from '../../src/core/rollout/events.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import { raisedFloor } from '../../src/core/rollout/targets.ts';
import { madeReading, madeServer } from '../made/readings.ts';
import {
  foldedOnto,
  halfTarget,
  learned,
  madeObservation,
  madeStart,
  madeState,
  madeWatch,
  nowMs,
  sizedPlan,
  stateAt,
  waitingTarget,
} from '../made/rollout.ts';

const waiting = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
const load = { origin: { attempts: 1000, failures: 0 } };

type Servers = Readonly<Record<string, Partial<ServerReading>>>;

/** The target with which a step begins that has all it needs. */
function begun(
  step: number,
  plan: RolloutPlan = sizedPlan,
  servers: Servers = {},
  asFound: AsFound = madeStart().asFound,
): Target {
  const targets = Object.entries(waitingTarget.traffic['edge'] ?? {}).map(([name, target]) => [
    name,
    { ...target, weight: asFound.backends['edge']?.[name]?.weight ?? target.weight },
  ]);
  const asItIs = { ...waitingTarget, traffic: { edge: Object.fromEntries(targets) } };
  const state = stateAt({ kind: 'growing', step }, asItIs, { plan, asFound });
  const seen = madeObservation({ servers: { ...waiting, ...servers } });
  const all = learned(state, seen);
  const [intended, entered] = decide(all, madeWatch(all, load), seen).events;
  if (intended?.kind !== 'intended') throw new Error('the step did not begin');
  expect(entered).toMatchObject({ kind: 'stage-entered', stage: { kind: 'shifting', step } });
  return intended.target;
}

const withSteps = (...steps: RolloutPlan['steps']): RolloutPlan => ({ ...sizedPlan, steps });

describe('a step that has the capacity it needs', () => {
  test('of a share has weights that make it, and the floors that stood', () => {
    expect(begun(1)).toEqual({
      requestedShare: 0.5,
      traffic: {
        edge: {
          'old-1': { weight: 100, admin: null },
          'old-2': { weight: 100, admin: null },
          'new-1': { weight: 100, admin: 'ready' },
          'new-2': { weight: 100, admin: 'ready' },
        },
      },
      origin: { min: 2, desired: null, exact: false },
      destination: { min: 2, desired: null, exact: false },
    });
  });

  test('of so many instances requests no share, and gives each what the strongest of the origin has', () => {
    const asFound = madeStart().asFound;
    const edge = { ...asFound.backends['edge'], 'old-2': { side: 'origin', weight: 40, admin: 'ready' } as const };
    const target = begun(
      1,
      withSteps({ kind: 'capacity', instances: 1, bakeMs: 1 }),
      { 'old-2': { weight: 40 } },
      { ...asFound, backends: { edge } },
    );
    expect(target.requestedShare).toBeNull();
    expect(target.traffic['edge']).toMatchObject({
      'old-1': { weight: 100 },
      'old-2': { weight: 40 },
      'new-1': { weight: 100, admin: 'ready' },
      'new-2': { weight: 0, admin: 'ready' },
    });
  });

  test('of a share on so many instances leaves the others at weight 0', () => {
    const target = begun(1, withSteps({ kind: 'weight', share: 0.2, instances: 1, bakeMs: 1 }));
    expect(target).toMatchObject({
      requestedShare: 0.2,
      traffic: { edge: { 'new-1': { weight: 50 }, 'new-2': { weight: 0 } } },
    });
  });

  test('the last one takes everything from the origin', () => {
    const servers = { 'new-3': { weight: 0 }, 'new-4': { weight: 0 } };
    const target = begun(2, sizedPlan, servers);
    expect(target).toMatchObject({
      requestedShare: 1,
      traffic: {
        edge: {
          'old-1': { weight: 0, admin: null },
          'old-2': { weight: 0, admin: null },
          'new-1': { weight: 100, admin: 'ready' },
          'new-4': { weight: 100 },
        },
      },
    });
  });

  test('leaves servers alone that somebody had put aside, at both sides', () => {
    const asFound = madeStart().asFound;
    const aside = { weight: 100, admin: 'maint' } as const;
    const edge = {
      ...asFound.backends['edge'],
      'old-3': { side: 'origin', ...aside } as const,
      'new-3': { side: 'destination', ...aside } as const,
    };
    const servers = { 'old-3': { ...aside }, 'new-3': { ...aside } };
    const { traffic } = begun(1, sizedPlan, servers, { ...asFound, backends: { edge } });
    expect(new Set(Object.keys(traffic['edge'] ?? {}))).toEqual(new Set(['new-1', 'new-2', 'old-1', 'old-2']));
  });

  test('takes servers along that have appeared since, those of neither group never', () => {
    const { traffic } = begun(1, sizedPlan, { 'new-3': { weight: 0 }, 'other-1': {} });
    expect(traffic['edge']?.['new-3']).toMatchObject({ admin: 'ready' });
    expect(traffic['edge']?.['other-1']).toBeUndefined();
  });

  test('does not begin while the reserve is broken', () => {
    const state = stateAt({ kind: 'growing', step: 1 }, waitingTarget);
    const watched = madeWatch(state, { origin: { attempts: 1200, failures: 0 } });
    const kinds = decide(state, watched, madeObservation({ servers: waiting })).events.map(({ kind }) => kind);
    expect(kinds).toEqual(['intended']);
    const again = foldedOnto(state, decide(state, watched, madeObservation({ servers: waiting })).events);
    expect(
      decide(
        again,
        madeWatch(again, { origin: { attempts: 1200, failures: 0 } }),
        madeObservation({ servers: waiting }),
      ).events.filter(({ kind }) => kind === 'stage-entered'),
    ).toEqual([]);
  });
});

describe('before the first traffic', () => {
  test('everything that was found stays as it is, and the drill takes the first server by its number', () => {
    const preparing = madeState([
      { kind: 'intended', target: waitingTarget, why: 'capacity' },
      { kind: 'confirmed', backend: 'edge', process: 'edge/1', intent: 2 },
    ]);
    const servers = {
      'new-1': { weight: 0, health: 'down' as const },
      'new-2': { weight: 0 },
      'new-10': { weight: 0 },
    };
    const seen = madeObservation({ servers, nowMs: nowMs - 590_000 });
    const all = learned(preparing, seen);
    expect(decide(all, madeWatch(all, load), seen).events).toMatchObject([
      {
        kind: 'intended',
        why: 'the drill, on new-2',
        target: {
          traffic: {
            edge: { 'old-1': { weight: 100 }, 'new-1': { weight: 0 }, 'new-2': { weight: 1, admin: 'ready' } },
          },
        },
      },
      { kind: 'stage-entered', stage: { kind: 'drill-shifting' } },
    ]);
  });

  test('an entry with the floors comes before everything, and changes no traffic', () => {
    const begunNow = madeState([]);
    const seen = madeObservation({ servers: waiting, nowMs: nowMs - 590_000 });
    const [intended] = decide(begunNow, madeWatch(begunNow, load), seen).events;
    expect(intended).toMatchObject({
      kind: 'intended',
      why: 'capacity before traffic',
      target: { ...waitingTarget, requestedShare: 0 },
    });
  });
});

describe('servers that can carry', () => {
  const two: RolloutPlan = {
    ...sizedPlan,
    backends: ['edge', 'rim'].map((id) => ({ id, origin: 'old-*', destination: 'new-*' })),
  };
  const state = madeState([], { plan: two });
  const reading = (servers: Servers) => ({
    atMs: nowMs,
    reading: known(madeReading(Object.entries(servers).map(([name, made]) => madeServer(name, made)))),
  });
  const able = (edge: Servers, rim: Servers) =>
    ableServers(
      state,
      madeObservation({ servers: { ...edge, ...rim }, backends: { edge: reading(edge), rim: reading(rim) } }),
      'destination',
    );

  test('can so at every balancer that has them, and are in the order of their numbers', () => {
    expect(able({ 'new-10': {}, 'new-2': {}, 'new-1': {} }, { 'new-2': {}, 'new-3': {} })).toEqual(
      known(['new-1', 'new-2', 'new-3', 'new-10']),
    );
    expect(able({ 'new-1': {}, 'new-2': { health: 'down' } }, { 'new-1': { health: 'down' }, 'new-2': {} })).toEqual(
      known([]),
    );
    expect(able({ 'new-b': {}, 'new-a': {}, 'new-2': {} }, {})).toEqual(known(['new-a', 'new-b', 'new-2']));
  });

  test('are not known while one of them cannot be read', () => {
    const seen = madeObservation({
      backends: { edge: reading({}), rim: { atMs: nowMs, reading: unknown('no answer') } },
    });
    expect(ableServers(state, seen, 'destination')).toEqual(unknown('rim cannot be read: no answer'));
    expect(ableServers(state, madeObservation({ backends: { edge: reading({}) } }), 'origin')).toEqual(
      unknown('rim cannot be read'),
    );
  });
});

describe('a floor', () => {
  test('never falls below what was targeted, nor below what was found', () => {
    const floor = (min: number) => ({ min, desired: null, exact: false });
    expect(raisedFloor(floor(3), { min: 2 }, 4)).toEqual(floor(4));
    expect(raisedFloor(floor(3), { min: 2 }, 1)).toEqual(floor(3));
    expect(raisedFloor(floor(3), { min: 5 }, 1)).toEqual(floor(5));
    expect(raisedFloor(null, { min: 0 }, 1)).toEqual(floor(1));
    expect(raisedFloor(null, null, 4)).toBeNull();
    expect(halfTarget.origin).toEqual(floor(2));
  });
});
