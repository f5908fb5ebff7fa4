import { describe, expect, test } from 'vitest';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { blindEffect, deviation, loweringPart, resizeEffect, trafficEffect } from '../../src/core/rollout/effects.ts';
import type { ServerTarget, SizeTarget } from '../../src/core/rollout/events.ts';
import { madeReading, madeServer } from '../made/readings.ts';

const plan = { id: 'edge', origin: 'old-*', destination: 'new-*' };

type Servers = Readonly<Record<string, Partial<ServerReading>>>;
type Targets = Readonly<Record<string, ServerTarget>>;

/** Both sides carry the same, unless it is said otherwise. */
function reading(servers: Servers = {}) {
  const names = new Set(['old-1', 'new-1', ...Object.keys(servers)]);
  return madeReading([...names].map((name) => madeServer(name, servers[name])));
}

const origin = (weight: number): ServerTarget => ({ weight, admin: null });
const ready = (weight: number): ServerTarget => ({ weight, admin: 'ready' });
const maint: ServerTarget = { weight: 0, admin: 'maint' };

const raises = (servers: Servers, targets: Targets) => trafficEffect(plan, reading(servers), targets)?.raises ?? null;

describe('what has to be written', () => {
  test('is what differs, and nothing where nothing does', () => {
    expect(trafficEffect(plan, reading(), { 'old-1': origin(100), 'new-1': ready(100) })).toBeNull();
    expect(
      trafficEffect(plan, reading({ 'new-1': { admin: 'maint' } }), { 'old-1': origin(100), 'new-1': ready(100) }),
    ).toMatchObject({
      weights: {},
      states: { 'new-1': 'ready' },
    });
    expect(trafficEffect(plan, reading({ 'old-1': { admin: 'drain' } }), { 'old-1': origin(50) })).toMatchObject({
      weights: { 'old-1': 50 },
      states: {},
    });
  });

  test('names no server that is gone', () => {
    expect(trafficEffect(plan, reading(), { 'old-9': origin(5) })).toBeNull();
  });
});

describe('an effect raises', () => {
  test.each<[string, Servers, Targets, boolean]>([
    ['where it gives the destination more', {}, { 'new-1': ready(101) }, true],
    ['not where it gives it less', {}, { 'new-1': ready(99) }, false],
    ['where it takes weight from the origin', {}, { 'old-1': origin(99) }, true],
    ['not where it gives the origin more', {}, { 'old-1': origin(101) }, false],
    ['not where both sides change by the same', {}, { 'old-1': origin(50), 'new-1': ready(50) }, false],
    ['where it takes a server out of maint', { 'new-1': { admin: 'maint' } }, { 'new-1': ready(100) }, true],
    [
      'where it wakes one server, though another loses as much',
      { 'new-1': { weight: 0 }, 'new-2': {} },
      { 'new-1': ready(50), 'new-2': ready(50) },
      true,
    ],
    [
      'where it wakes one, though the origin gets so much more that the share falls',
      { 'new-1': { weight: 0 }, 'new-2': { weight: 10 } },
      { 'old-1': origin(256), 'new-1': ready(1), 'new-2': ready(10) },
      true,
    ],
    [
      'where only those that are up get more, though by all the weights it gets less',
      { 'new-1': { weight: 100, health: 'down' }, 'new-2': { weight: 10 } },
      { 'new-1': ready(0), 'new-2': ready(20) },
      true,
    ],
    [
      'not where what gets more is in maint and stays there',
      { 'new-1': { admin: 'maint', weight: 0 } },
      { 'new-1': { weight: 9, admin: 'maint' } },
      false,
    ],
    ['not where an origin server is in maint anyhow', { 'old-2': { admin: 'maint' } }, { 'old-2': origin(1) }, false],
    [
      'where the destination gets a weight and nothing at all carried',
      { 'old-1': { weight: 0 }, 'new-1': { weight: 0 } },
      { 'new-1': ready(1) },
      true,
    ],
  ])('%s', (_what, servers, targets, isRaise) => {
    expect(raises(servers, targets)).toBe(isRaise);
  });

  test('never into maint; and that comes first where the origin carries already', () => {
    const targets = { 'old-1': origin(100), 'new-1': maint };
    expect(trafficEffect(plan, reading(), targets)).toMatchObject({ raises: false, statesFirst: true });
    for (const nobody of [{ weight: 0 }, { health: 'down' }, { admin: 'maint' }] as const) {
      expect(trafficEffect(plan, reading({ 'old-1': nobody }), targets)).toMatchObject({ statesFirst: false });
    }
    expect(trafficEffect(plan, reading({ 'new-1': { admin: 'maint' } }), { 'new-1': ready(5) })?.statesFirst).toBe(
      false,
    );
  });
});

describe('the part of an effect that lowers', () => {
  const part = (servers: Servers, targets: Targets) => {
    const seen = reading(servers);
    const effect = trafficEffect(plan, seen, targets);
    if (effect === null) throw new Error('there is nothing to write');
    return loweringPart(plan, seen, effect);
  };

  test('has less for the destination, more for the origin, and states other than ready', () => {
    const servers = { 'old-2': {}, 'new-2': {}, 'new-3': {} };
    const targets = {
      'old-1': origin(120),
      'old-2': origin(80),
      'new-1': ready(80),
      'new-2': ready(120),
      'new-3': maint,
    };
    expect(part(servers, targets)).toMatchObject({
      weights: { 'old-1': 120, 'new-1': 80, 'new-3': 0 },
      states: { 'new-3': 'maint' },
      raises: false,
    });
  });

  test('is none where everything raises', () => {
    const servers = { 'new-1': { admin: 'maint' } } as const;
    expect(part(servers, { 'old-1': origin(50), 'new-1': ready(120) })).toBeNull();
  });

  test('may be a state alone, or a weight alone', () => {
    expect(part({ 'new-1': { weight: 0 } }, { 'new-1': maint })).toMatchObject({
      weights: {},
      states: { 'new-1': 'maint' },
    });
    expect(part({}, { 'new-1': ready(1) })).toMatchObject({ weights: { 'new-1': 1 }, states: {} });
  });
});

describe('what is written without a reading', () => {
  test('is the whole target, where all of the destination goes', () => {
    expect(blindEffect(plan, { 'old-1': origin(100), 'new-1': maint })).toEqual({
      kind: 'traffic',
      backend: 'edge',
      weights: { 'old-1': 100, 'new-1': 0 },
      states: { 'new-1': 'maint' },
      raises: false,
      statesFirst: false,
    });
  });

  test('is only what is taken away, where a part goes on carrying', () => {
    const targets = { 'old-1': origin(100), 'new-1': maint, 'new-2': ready(100), 'new-3': ready(0) };
    // One that only waits may be in somebody's maint.
    expect(blindEffect(plan, targets)).toMatchObject({
      weights: { 'new-1': 0, 'new-3': 0 },
      states: { 'new-1': 'maint' },
      raises: false,
      statesFirst: true,
    });
  });

  test('is nothing, where nothing is to go', () => {
    expect(blindEffect(plan, { 'old-1': origin(100), 'new-2': ready(100) })).toBeNull();
    expect(blindEffect(plan, {})).toBeNull();
  });
});

describe('the share in force against a target', () => {
  test('is lower, higher or equal by what the weights make, not by the weights', () => {
    const at = (servers: Servers) => deviation(plan, reading(servers), { 'old-1': origin(100), 'new-1': ready(100) });
    expect(at({ 'old-1': { weight: 7 }, 'new-1': { weight: 7 } })).toBe('equal');
    expect(at({ 'new-1': { weight: 99 } })).toBe('lower');
    expect(at({ 'new-1': { weight: 101 } })).toBe('higher');
    expect(at({ 'old-1': { weight: 0 }, 'new-1': { weight: 0 } })).toBe('lower');
    expect(at({ 'new-1': { admin: 'drain' } })).toBe('lower');
  });
});

describe('a size', () => {
  const group = (min: number, desired: number) =>
    known({ size: { min, max: 9, desired }, instances: [], build: known('b') });
  const floor = (min: number): SizeTarget => ({ min, desired: null, exact: false });
  const exact = (min: number, desired: number | null): SizeTarget => ({ min, desired, exact: true });
  const resize = (target: SizeTarget | null, min = 3, desired = 4) =>
    resizeEffect('origin', group(min, desired), target);

  test('that is a floor is only raised', () => {
    expect(resize(floor(3))).toBeNull();
    expect(resize(floor(2))).toBeNull();
    expect(resize(floor(4))).toEqual({ kind: 'resize', side: 'origin', min: 4, desired: null, shrinks: false });
  });

  test('that is given back is written until it is exactly so, and shrinks where it takes instances away', () => {
    expect(resize(exact(3, 4))).toBeNull();
    expect(resize(exact(3, null))).toBeNull();
    expect(resize(exact(2, null))).toMatchObject({ min: 2, desired: null, shrinks: false });
    expect(resize(exact(3, 3))).toMatchObject({ desired: 3, shrinks: true });
    expect(resize(exact(3, 5))).toMatchObject({ desired: 5, shrinks: false });
    expect(resize(exact(2, 4))).toMatchObject({ min: 2, desired: 4, shrinks: false });
  });

  test('is nobody’s to write where it cannot be read, or there is no provider', () => {
    expect(resizeEffect('origin', unknown('no answer'), floor(4))).toBeNull();
    expect(resizeEffect('origin', known({ size: null, instances: [], build: known('b') }), floor(4))).toBeNull();
    expect(resize(null)).toBeNull();
  });
});
