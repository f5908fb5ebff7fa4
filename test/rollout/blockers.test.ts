import { describe, expect, test } from 'vitest';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { Effect } from '../../src/core/rollout/decision.ts';
import { factsOf } from '../../src/core/rollout/facts.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import {
  foldedOnto,
  halfTarget,
  madeInstance,
  madeObservation,
  madeStart,
  madeState,
  madeWatch,
  nowMs,
} from '../made/rollout.ts';

/** Half of the traffic was decided, and nothing of it written yet. */
const state = madeState([
  { kind: 'intended', target: halfTarget, why: 'a test' },
  { kind: 'stage-entered', stage: { kind: 'shifting', step: 1 }, attempt: 0 },
]);
const unwritten = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
const load = { origin: { attempts: 1000, failures: 0 } };

type Seen = Parameters<typeof madeObservation>[0];

function seenWith({ servers, ...seen }: NonNullable<Seen> = {}): Observation {
  const changes = Object.entries(servers ?? {}).map(([name, change]): [string, Partial<ServerReading>] => [
    name,
    { ...unwritten[name as keyof typeof unwritten], ...change },
  ]);
  return madeObservation({ ...seen, servers: { ...unwritten, ...Object.fromEntries(changes) } });
}

function effects(seen: Seen = {}, watched: Parameters<typeof madeWatch>[1] = load): readonly Effect[] {
  return decide(state, madeWatch(state, watched), seenWith(seen)).effects.filter(({ kind }) => kind === 'traffic');
}

const raised = [{ kind: 'traffic', weights: { 'new-1': 100, 'new-2': 100 }, raises: true }];

describe('a share is raised', () => {
  test('where nothing speaks against it', () => {
    expect(effects()).toMatchObject(raised);
  });

  test.each<[string, Seen]>([
    ['the back marker is set, and `drover back` goes on with the way back', { marker: known('kim') }],
    ['the back marker cannot be read', { marker: unknown('EACCES') }],
    ['a build has changed', { destination: { build: known('build-3') } }],
    ['a build is not told', { origin: { build: unknown('no answer') } }],
    ['an origin server fails its check, so that the reserve is broken', { servers: { 'old-2': { health: 'down' } } }],
    ['an origin server is in drain', { servers: { 'old-2': { admin: 'drain' } } }],
    [
      'an origin instance is being taken away',
      { origin: { instances: [madeInstance('old-1'), madeInstance('old-2', { state: 'stopping' })] } },
    ],
    ['a server that is to carry fails its check', { servers: { 'new-2': { health: 'down' } } }],
    ['a server that is to carry is in maint', { servers: { 'new-2': { admin: 'maint' } } }],
    ['a server that is to carry is in drain', { servers: { 'new-2': { admin: 'drain' } } }],
    [
      'an instance that is to carry is being taken away',
      { destination: { instances: [madeInstance('new-1'), madeInstance('new-2', { state: 'stopping' })] } },
    ],
    [
      'a server that nobody checks is not said to be healthy by its provider',
      {
        servers: { 'new-2': { health: 'unchecked' } },
        destination: { instances: [madeInstance('new-1'), madeInstance('new-2', { state: 'starting' })] },
      },
    ],
  ])('but not while %s', (_why, seen) => {
    expect(effects(seen)).toEqual([]);
  });

  test('on the word of its provider where no balancer checks a server', () => {
    expect(effects({ servers: { 'new-2': { health: 'unchecked' } } })).toMatchObject(raised);
  });

  test('but not while it is held, nor while somebody may just have lowered it', () => {
    const held = foldedOnto(state, [{ kind: 'held', why: 'lunch', by: 'kim' }]);
    expect(decide(held, madeWatch(held, load), seenWith()).effects).toEqual([]);
    expect(effects({}, { ...load, lower: 1 })).toEqual([]);
  });

  test('but not while the load is unknown, or more than the destination’s servers can carry', () => {
    expect(effects({}, { load: {} })).toEqual([]);
    const carried = (attempts: number) => effects({}, { origin: { attempts, failures: 0 } }).length;
    // 70 requests/s each: both origin servers carry 116.6 and the reserve of a fifth.
    expect(carried(1166)).toBe(1);
    expect(carried(1167)).toBe(0);
  });

  test('but not to more than the destination’s servers carry, whatever the origin has', () => {
    const beginning = {
      plan: { ...madeStart().plan, destination: { environment: 'vpc', size: null, capacityRps: 20 } },
    };
    const small = madeState(
      [
        { kind: 'intended', target: halfTarget, why: 'a test' },
        { kind: 'stage-entered', stage: { kind: 'shifting', step: 1 }, attempt: 0 },
      ],
      beginning,
    );
    const carried = (attempts: number) =>
      decide(small, madeWatch(small, { origin: { attempts, failures: 0 } }), seenWith()).effects.length;
    // Half of 80 requests/s are 40, which two servers of 20 carry.
    expect(carried(800)).toBe(1);
    expect(carried(810)).toBe(0);
  });
});

describe('a process of the balancer that the journal does not know', () => {
  const confirmed = foldedOnto(state, [{ kind: 'confirmed', backend: 'edge', process: 'edge/1', intent: 2 }]);

  test('is written down before anything is written to it', () => {
    const seen = seenWith({ process: 'edge/2' });
    const first = decide(confirmed, madeWatch(confirmed, load), seen);
    expect(first.events).toMatchObject([{ kind: 'balancer-restarted', backend: 'edge', process: 'edge/2' }]);
    expect(first.effects).toEqual([]);
    const known = foldedOnto(confirmed, first.events);
    expect(decide(known, madeWatch(known, load), seen).effects).toMatchObject(raised);
  });

  test('is not confirmed with what was written to the one before', () => {
    const { events } = decide(confirmed, madeWatch(confirmed, load), madeObservation({ process: 'edge/2' }));
    expect(events.map(({ kind }) => kind)).toEqual(['balancer-restarted']);
  });
});

describe('what may be lowered', () => {
  test('is, whatever speaks against raising; and nothing else with it', () => {
    const target = {
      ...halfTarget,
      traffic: { edge: { ...halfTarget.traffic['edge'], 'new-1': { weight: 50, admin: 'ready' as const } } },
    };
    const lower = madeState([{ kind: 'intended', target, why: 'less' }]);
    const servers = { 'old-1': { weight: 50 }, 'new-2': { weight: 50 } };
    const seen = madeObservation({ servers, marker: unknown('EACCES'), nowMs: nowMs - 599_000 });
    expect(decide(lower, madeWatch(lower, load), seen).effects).toEqual([
      {
        kind: 'traffic',
        backend: 'edge',
        weights: { 'old-1': 100, 'new-1': 50 },
        states: {},
        raises: false,
        statesFirst: true,
      },
    ]);
  });
});

describe('what is known of the reserve', () => {
  test('a capacity that is not declared is the highest load that one instance was seen to carry in good health', () => {
    const { plan } = madeStart();
    const undeclared = madeState([], { plan: { ...plan, origin: { ...plan.origin, capacityRps: null } } });
    const need = (most: number | null) =>
      factsOf(undeclared, madeWatch(undeclared, { ...load, originRpsPerInstanceMax: most }), madeObservation())
        .reserveNeed;
    expect(need(null).known).toBe(false);
    expect(need(0).known).toBe(false);
    expect(need(60)).toEqual(known(2));
    expect(need(59)).toEqual(known(3));
  });
});
