import { describe, expect, test } from 'vitest';
import { checkpointDue, checkpointOf, newestShare, recentShare } from '../../src/core/rollout/checkpoint.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { LoadWindow } from '../../src/core/rollout/load.ts';
import { addWindow, loadRps, recentMs } from '../../src/core/rollout/load.ts';
import { startRestarts } from '../../src/core/rollout/restarts.ts';
import { shareCheck } from '../../src/core/rollout/share.ts';
import { type Watch, watch } from '../../src/core/rollout/watch.ts';
import { shareOfWeights } from '../../src/core/rollout/weights.ts';
import {
  foldedOnto,
  halfTarget,
  learned,
  madeInstance,
  madeLoad,
  madeObservation,
  madeShare,
  madeStart,
  madeWatch,
  nowMs,
  stateAt,
} from '../made/rollout.ts';

const state = stateAt({ kind: 'judging', step: 1 });
const intent = state.intended?.seq ?? 0;

function window(toMs: number, origin: number, destination: number, lastsMs = 1000): LoadWindow {
  const tally = (attempts: number) => ({ attempts, failures: 0 });
  return { fromMs: toMs - lastsMs, toMs, origin: tally(origin), destination: tally(destination) };
}

describe('the observed share is what the weights make', () => {
  const check = (origin: number, destination: number, low = 0.5, high = 0.5) =>
    shareCheck(state, { share: madeShare(state, origin, destination, low, high) }).kind;

  test('within two points and three standard errors', () => {
    // 3 · √(0.25/1000) are 4.74 points.
    expect(check(433, 567)).toBe('near');
    expect(check(432, 568)).toBe('off');
    expect(check(567, 433)).toBe('near');
    expect(check(568, 432)).toBe('off');
  });

  test('or anywhere in the range that they made in that time', () => {
    expect(check(700, 300, 0.3, 0.6)).toBe('near');
    expect(check(400, 600, 0.3, 0.6)).toBe('near');
    expect(check(800, 200, 0.3, 0.6)).toBe('off');
    expect(check(300, 700, 0.3, 0.6)).toBe('off');
  });

  test('or nothing is said, of fewer than twenty attempts and of weights that are not the intended ones', () => {
    expect(check(0, 19)).toBe('too few');
    expect(check(0, 20)).toBe('off');
    const older = { ...madeShare(state, 0, 1000), intent: intent - 1 };
    expect(shareCheck(state, { share: older }).kind).toBe('too few');
    expect(shareCheck(state, { share: null }).kind).toBe('too few');
  });
});

describe('weights follow the groups', () => {
  const load = { origin: { attempts: 400, failures: 0 }, destination: { attempts: 400, failures: 0 } };
  const rebalanced = (
    seen: Parameters<typeof madeObservation>[0],
    passes = 3,
    changes: Partial<Watch> = {},
    of = state,
  ) => {
    const observation = madeObservation(seen);
    const all = learned(of, observation);
    const watched = madeWatch(all, { ...load, able: { key: 'x', passes, sinceMs: { 'new-3': 0 } }, ...changes });
    const event = decide(all, watched, observation).events.find(({ kind }) => kind === 'intended');
    return event?.kind === 'intended' ? event.target.traffic['edge'] : null;
  };
  const more = { servers: { 'new-3': { weight: 0 } } };

  test('when another server can carry for three passes, and not before', () => {
    expect(rebalanced(more, 2)).toBeNull();
    const edge = rebalanced(more) ?? {};
    const weights = ['new-1', 'new-2', 'new-3'].map((name) => edge[name]?.weight ?? 0);
    expect(new Set(weights).size).toBe(1);
    const origin = ['old-1', 'old-2'].map((name) => edge[name]?.weight ?? 0);
    expect(shareOfWeights(origin, weights)).toBeCloseTo(0.5, 2);
  });

  test('not yet when the other one has only just become able: one that comes and goes stays out', () => {
    const { nowMs } = madeObservation();
    const since = (ms: number) => ({ able: { key: 'x', passes: 3, sinceMs: { 'new-3': nowMs - ms } } });
    expect(rebalanced(more, 3, since(9000))).toBeNull();
    expect(rebalanced(more, 3, since(10_000))).not.toBeNull();
    const instances = [madeInstance('new-1'), madeInstance('new-2', { state: 'stopping' }), madeInstance('new-3')];
    expect(rebalanced({ ...more, destination: { instances } }, 3, since(9000))).toMatchObject({
      'new-2': { weight: 0 },
      'new-3': { weight: 0 },
    });
  });

  test('a checkpoint of a controller that has not counted everywhere keeps what the one before it knew', () => {
    const [edge] = state.plan.backends;
    const backends = edge === undefined ? [] : [edge, { ...edge, id: 'other' }];
    const tally = { attempts: 400, failures: 0 };
    const watched = madeWatch(state, { load: madeLoad(tally, tally) });
    const known = loadRps(watched.load, ['edge']);
    const written = (before: number | null) => {
      const seen = { ...state.seen, loadRps: before };
      return checkpointOf({ ...state, seen, plan: { ...state.plan, backends } }, watched, 0);
    };
    expect(known).toMatchObject({ known: true, value: expect.any(Number) });
    expect(written(null)).toMatchObject({ seen: { loadRps: null } });
    expect(written(100_000)).toMatchObject({ seen: { loadRps: 100_000, loadAtMs: state.checkpointAtMs } });
    expect(written(1)).toMatchObject({ seen: { loadRps: known.known && known.value, loadAtMs: 0 } });
  });

  test('not where nothing has changed, nor while anything speaks against raising', () => {
    expect(rebalanced({})).toBeNull();
    expect(rebalanced({ ...more, marker: { known: false, why: 'EACCES' } })).toBeNull();
  });

  test('by what gives the destination less, where an origin that became smaller has broken the reserve', () => {
    const smaller = { servers: { 'old-2': { health: 'down' as const } } };
    const given = (attempts: number, seen: Parameters<typeof madeObservation>[0] = smaller) => {
      const tally = { attempts, failures: 0 };
      return rebalanced(seen, 3, { load: madeLoad(tally, tally) });
    };
    const edge = given(500) ?? {};
    expect(shareOfWeights([edge['old-1']?.weight ?? 0], [edge['new-1']?.weight ?? 0, edge['new-2']?.weight ?? 0])).toBe(
      0.5,
    );
    // No server more, though it could carry: that would raise.
    expect(given(500, { servers: { ...smaller.servers, ...more.servers } })).toMatchObject({ 'new-3': { weight: 0 } });
    // What is left of the origin could not carry its part: the destination keeps it.
    expect(given(1000)).toEqual(halfTarget.traffic['edge']);
  });

  test('when those that are up make another share with the weights that are intended', () => {
    const three = stateAt({ kind: 'judging', step: 1 }, halfTarget, {
      asFound: {
        ...madeStart().asFound,
        backends: {
          edge: { ...madeStart().asFound.backends['edge'], 'old-3': { side: 'origin', weight: 100, admin: 'ready' } },
        },
      },
    });
    const target = {
      ...halfTarget,
      traffic: { edge: { ...halfTarget.traffic['edge'], 'old-3': { weight: 100, admin: null } } },
    };
    const of = foldedOnto(three, [
      { kind: 'intended', target, why: 'three' },
      { kind: 'confirmed', backend: 'edge', process: 'edge/1', intent: 5 },
    ]);
    expect(rebalanced({ servers: { 'old-3': {} } }, 3, {}, of)).toMatchObject({ 'new-1': { weight: 150 } });
    expect(rebalanced({ servers: { 'old-3': { health: 'down' } } }, 3, {}, of)).toBeNull();
  });

  test('a step of so many instances keeps those that carry, and takes others where one cannot any more', () => {
    const plan = { ...madeStart().plan, steps: [{ kind: 'capacity' as const, instances: 2, bakeMs: 1000 }] };
    const of = stateAt({ kind: 'judging', step: 1 }, { ...halfTarget, requestedShare: null }, { plan });
    expect(rebalanced(more, 3, {}, of)).toBeNull();
    const instances = [madeInstance('new-1', { state: 'stopping' }), madeInstance('new-2'), madeInstance('new-3')];
    const gone = { ...more, destination: { instances } };
    expect(rebalanced(gone, 3, {}, of)).toMatchObject({
      'new-1': { weight: 0, admin: 'ready' },
      'new-2': { weight: 100, admin: 'ready' },
      'new-3': { weight: 100, admin: 'ready' },
    });
  });
});

describe('what a checkpoint keeps', () => {
  test('is due half a minute after the last one', () => {
    const at = { ...state, checkpointAtMs: 1000 };
    expect([checkpointDue(at, 30_999), checkpointDue(at, 31_000)]).toEqual([false, true]);
  });

  test('is what was seen: the share, the load, the restarts, and what was counted', () => {
    const counted = { origin: { attempts: 9, failures: 1 }, destination: { attempts: 3, failures: 2 } };
    const watched = madeWatch(state, {
      origin: { attempts: 300, failures: 0 },
      destination: { attempts: 100, failures: 0 },
      restarts: { ...startRestarts(state), total: 2 },
      originRpsPerInstanceMax: 44,
      counted,
    });
    const checkpoint = checkpointOf(state, watched, 0);
    expect(checkpoint).toEqual({
      kind: 'checkpoint',
      judge: watched.judge,
      samples: null,
      seen: { originRpsPerInstanceMax: 44, share: 0.25, loadRps: 40, loadAtMs: 0, restarts: 2, counted },
    });
    const next = madeWatch(foldedOnto(state, [checkpoint]));
    expect([next.restarts.total, next.originRpsPerInstanceMax, next.counted]).toEqual([2, 44, counted]);
    expect(checkpointOf(state, madeWatch(state, { recent: {}, load: {} }), 0)).toMatchObject({
      seen: { share: null, loadRps: null },
    });
  });

  test('the newest share is that of the newest attempts which say something', () => {
    const recent = { edge: [window(1000, 500, 0), window(3000, 0, 15), window(2000, 5, 0)] };
    expect(newestShare(madeWatch(state, { recent }))).toBe(0.75);
    expect(newestShare(madeWatch(state, { recent: { edge: [window(1000, 500, 0), window(2000, 0, 20)] } }))).toBe(1);
    expect(newestShare(madeWatch(state, { recent: { edge: [window(1000, 1, 0)], rim: [window(2000, 0, 19)] } }))).toBe(
      0.95,
    );
    expect(newestShare(madeWatch(state, { recent: {} }))).toBeNull();
    expect(recentShare({})).toBeNull();
  });
});

describe('the load', () => {
  test('is that of the last quarter of a minute, of all balancers together', () => {
    let recent = addWindow({}, 'edge', window(1000, 500, 500));
    recent = addWindow(recent, 'edge', window(2000, 5, 5));
    expect(addWindow(recent, 'edge', window(1000 + recentMs, 1, 0))['edge']).toHaveLength(2);
    expect(addWindow(recent, 'edge', window(999 + recentMs, 1, 0))['edge']).toHaveLength(3);
    const both = { edge: [window(10_000, 50, 50, 10_000)], rim: [window(10_000, 150, 0, 5000)] };
    expect(loadRps(both, ['edge', 'rim'])).toEqual({ known: true, value: 40 });
    expect(loadRps(both, ['edge', 'brim']).known).toBe(false);
    expect(loadRps({ edge: [window(500, 5, 5, 499)] }, ['edge']).known).toBe(false);
    expect(loadRps({ edge: [window(500, 5, 5, 500)] }, ['edge'])).toEqual({ known: true, value: 20 });
  });
});

describe('what a controller has seen', () => {
  const look = (before: Watch, atMs: number, attempts: Readonly<Record<string, number>>, of = state) =>
    watch(
      before,
      of,
      madeObservation({
        nowMs: nowMs + atMs,
        servers: Object.fromEntries(
          ['old-1', 'old-2', 'new-1', 'new-2'].map((name) => {
            const made = madeObservation().backends['edge']?.reading;
            const counters = made?.known ? made.value.servers[0]?.counters : undefined;
            if (counters === undefined) throw new Error('no server');
            return [
              name,
              { counters: { ...counters, attempts: attempts[name] ?? 0, rsp2xx: attempts[name] ?? 0, scur: 3 } },
            ];
          }),
        ),
      }),
    );
  const fresh = () => ({ ...madeWatch(state), recent: {}, backends: {} });

  test('readings without an attempt at the destination are counted in a row, and requests that are under way', () => {
    let seen = look(fresh(), 0, {});
    expect(seen.backends['edge']).toMatchObject({ idleReadings: 0, destinationInFlight: 6, lower: 0 });
    seen = look(seen, 1000, { 'old-1': 10 });
    seen = look(seen, 2000, { 'old-1': 20 });
    expect(seen.backends['edge']?.idleReadings).toBe(2);
    seen = look(seen, 3000, { 'old-1': 30, 'new-2': 1 });
    expect(seen.backends['edge']?.idleReadings).toBe(0);
  });

  test('attempts under an intent count from the second pass in which it was confirmed', () => {
    const sums = ({ share }: Watch) => share?.spans.map((span) => [span.origin, span.destination]);
    let seen = look(fresh(), 0, {});
    expect(seen.share).toMatchObject({ intent, spans: [] });
    seen = look(seen, 1000, { 'old-1': 10, 'new-1': 4 });
    seen = look(seen, 2000, { 'old-1': 30, 'new-1': 5 });
    expect(sums(seen)).toEqual([
      [10, 4],
      [20, 1],
    ]);
    const next = foldedOnto(state, [
      { kind: 'intended', target: { ...halfTarget, traffic: { edge: {} } }, why: 'another' },
    ]);
    expect(look(seen, 3000, { 'old-1': 40, 'new-1': 6 }, next).share).toBeNull();
    expect(seen.counted).toMatchObject({
      origin: { attempts: 30, failures: 0 },
      destination: { attempts: 5, failures: 0 },
    });
    expect(seen.inStage).toMatchObject({ seq: state.stageSeq, origin: { attempts: 30 }, destination: { attempts: 5 } });
  });

  test('the capacity of an instance is the highest load that an origin in good health was seen with', () => {
    let seen = look(fresh(), 0, {});
    expect(seen.originRpsPerInstanceMax).toBeNull();
    seen = look(seen, 1000, { 'old-1': 30, 'old-2': 50 });
    expect(seen.originRpsPerInstanceMax).toBe(40);
    seen = look(seen, 2000, { 'old-1': 40, 'old-2': 60 });
    expect(seen.originRpsPerInstanceMax).toBe(40);
  });
});
