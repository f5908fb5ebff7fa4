import { describe, expect, test } from 'vitest';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { addLoad, loadRps, loadToRaiseBy, type RecentLoad } from '../../src/core/rollout/load.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import { fold } from '../../src/core/rollout/state.ts';
import { startWatch, watch } from '../../src/core/rollout/watch.ts';
import { madePlan } from '../made/plan.ts';
import { madeReading, madeServer } from '../made/readings.ts';

const pollMs = 5000;

describe('what a balancer carries, by counters that come late or twice', () => {
  test('counters that are told twice are not a load that has gone', () => {
    const recent = loadOf([500, 0]);
    expect(loadRps(recent, ['a'])).toEqual(known(100));
    // The next reading brings what was missing.
    expect(loadRps(loadOf([500, 0, 1000]), ['a'])).toEqual(known(100));
  });

  test('nor is it twice the load when the next reading takes its time', () => {
    const [quiet, late] = [loadOf([500, 0]), 30_000];
    const window = { fromMs: 2 * pollMs, toMs: late, origin: { attempts: 2500, failures: 0 } };
    const recent = addLoad(quiet, 'a', { ...window, destination: { attempts: 0, failures: 0 } });
    expect(loadRps(recent, ['a'])).toEqual(known(100));
  });

  test('what was left out and lost with cleared counters is not a load that has gone', () => {
    const quiet = loadOf([500, 500, 500, 0]);
    const anew = { fromMs: 5 * pollMs, toMs: 5 * pollMs + 20, origin: { attempts: 2, failures: 0 } };
    const recent = addLoad(quiet, 'a', { ...anew, destination: { attempts: 0, failures: 0 } });
    expect(loadToRaiseBy(recent, ['a'])).toEqual(known(100));
    // Nor where all that was seen before is long ago.
    const later = { ...anew, fromMs: 8 * pollMs, toMs: 8 * pollMs + 20, destination: { attempts: 0, failures: 0 } };
    expect(loadToRaiseBy(addLoad(quiet, 'a', later), ['a']).known).toBe(false);
  });

  test('a moment shows no load that a raise may rest on: chance would let it pass', () => {
    const moment = { fromMs: 0, toMs: 4999, destination: { attempts: 0, failures: 0 } };
    const recent = addLoad({}, 'a', { ...moment, origin: { attempts: 400, failures: 0 } });
    expect(loadRps(recent, ['a']).known).toBe(true);
    expect(loadToRaiseBy(recent, ['a']).known).toBe(false);
  });

  test('a load that begins after quiet is not thinned by the quiet where a raise may rest on it', () => {
    const recent = loadOf([0, 0, 0, 0, 0, 500, 500]);
    expect(loadToRaiseBy(recent, ['a'])).toEqual(known(100));
    expect(loadToRaiseBy(loadOf([0, 0, 0, 0, 0, 500, 500, 500]), ['a'])).toEqual(known(100));
    expect(loadToRaiseBy(loadOf([500, 0, 1000]), ['a'])).toEqual(known(150));
    // A reading told twice, whose successor does not bring what it left out: that one comes late as well.
    expect(loadToRaiseBy(loadOf([500, 0, 500]), ['a'])).toEqual(known(100));
    // Where hardly any come, none is no wonder.
    expect(loadToRaiseBy(loadOf([5, 0, 5, 0, 5]), ['a'])).toEqual(known(10 / 15));
  });

  test('a load that has gone is told as gone', () => {
    expect(loadRps(loadOf([500, 0, 0, 0, 0, 0, 0, 0]), ['a'])).toEqual(known(0));
    expect(loadRps(loadOf(Array.from({ length: 1000 }, () => 0)), ['a'])).toEqual(known(0));
  });

  test('what comes all at once after late counters is not what an instance can carry', () => {
    // 100 requests a second; the fifth reading has the counters of the second.
    expect(highestAfter([0, 500, 1000, 1500, 500, 2500, 3000])).toBe(100);
  });

  test('half a minute after counters fell a higher load is believed again', () => {
    const after = [0, 500, 1000, 0, ...Array.from({ length: 20 }, (_, index) => (index + 1) * 750)];
    expect(highestAfter(after)).toBe(150);
  });
});

/** Attempts at the origin of one backend, a window each. */
function loadOf(attempts: readonly number[]): RecentLoad {
  return attempts.reduce<RecentLoad>((recent, count, index) => {
    const window = { fromMs: index * pollMs, toMs: (index + 1) * pollMs };
    return addLoad(recent, 'a', {
      ...window,
      origin: { attempts: count, failures: 0 },
      destination: { attempts: 0, failures: 0 },
    });
  }, {});
}

/** The highest load per origin instance that a controller believes after these readings of the one instance's attempts. */
function highestAfter(totals: readonly number[]): number | null {
  const plan = { ...madePlan, backends: [{ id: 'a', origin: 'o*', destination: 'd*' }] };
  const found = { side: 'origin', weight: 100, admin: 'ready' } as const;
  const asFound = { backends: { a: { o1: found } }, origin: null, destination: null };
  const builds = { origin: 'v1', destination: 'v2' };
  const body = { kind: 'started', plan, planHash: '', asFound, builds, earlierAttempts: {}, reason: null } as const;
  const entry = { operation: 'web', seq: 1, previous: '', hash: '', rules: 1, atMs: 0, actor: 'drover', body };
  const state = fold(null, entry);
  let seen = startWatch(state);
  for (const [index, attempts] of totals.entries()) seen = watch(seen, state, observed((index + 1) * pollMs, attempts));
  return seen.originRpsPerInstanceMax;
}

function observed(nowMs: number, attempts: number): Observation {
  const servers = [madeServer('o1', { counters: { attempts, rsp2xx: attempts } }), madeServer('d1', { weight: 0 })];
  const group = { atMs: nowMs, reading: unknown('nobody asked') };
  return {
    nowMs,
    leased: true,
    backends: { a: { atMs: nowMs, reading: known(madeReading(servers)) } },
    origin: group,
    destination: group,
    marker: known(null),
    requests: [],
    drill: null,
  };
}
