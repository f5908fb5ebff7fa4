import { describe, expect, test } from 'vitest';
import { type ShareSeen, shareSeen } from '../../src/core/rollout/share-seen.ts';
import { foldedOnto, halfTarget, madeObservation, nowMs, stateAt } from '../made/rollout.ts';
import { Bench } from './bench.ts';

const state = stateAt({ kind: 'shifting', step: 1 });
const second = 1000;

type Pass = { readonly atMs: number; readonly origin: number; readonly destination: number; readonly down?: string };

function seenAfter(passes: readonly Pass[]): ShareSeen | null {
  let seen = shareSeen(null, state, madeObservation(), {});
  for (const { atMs, origin, destination, down } of passes) {
    const tally = (attempts: number) => ({ attempts, failures: 0 });
    const window = {
      fromMs: 0,
      toMs: nowMs + atMs,
      origin: tally(origin),
      destination: tally(destination),
      destinationOpen: 0,
      originHosts: [],
    };
    const servers = down === undefined ? {} : { [down]: { health: 'down' as const } };
    const observation = madeObservation({ nowMs: nowMs + atMs, servers });
    seen = shareSeen(seen, state, observation, { edge: window });
  }
  return seen;
}

const total = (seen: ShareSeen | null) => seen?.spans.reduce((sum, one) => sum + one.origin + one.destination, 0);

describe('what was seen of the share', () => {
  test('reaches back 15 seconds where enough requests come', () => {
    const passes = [...Array(40).keys()].map((index) => ({ atMs: (index + 1) * second, origin: 50, destination: 50 }));
    expect(total(seenAfter(passes))).toBe(15 * 100);
  });

  test('and as far as twenty requests where few come, in no more spans than there are requests', () => {
    const passes = [...Array(4000).keys()].map((index) => ({
      atMs: (index + 1) * second,
      origin: index % 100 === 0 ? 1 : 0,
      destination: 0,
    }));
    const seen = seenAfter(passes);
    expect(total(seen)).toBe(20);
    expect(seen?.spans.length).toBeLessThanOrEqual(20);
  });

  test('knows what the weights made at both ends of a span', () => {
    const seen = seenAfter([
      { atMs: second, origin: 10, destination: 10 },
      { atMs: 2 * second, origin: 10, destination: 10, down: 'old-1' },
      { atMs: 3 * second, origin: 10, destination: 10 },
      { atMs: 4 * second, origin: 10, destination: 10 },
    ]);
    expect(seen?.spans.map(({ low, high }) => [low, Math.round(high * 100) / 100])).toEqual([
      [0.5, 0.5],
      [0.5, 0.67],
      [0.5, 0.67],
      [0.5, 0.5],
    ]);
  });

  test('is nothing before the intent is confirmed', () => {
    const target = { ...halfTarget, traffic: { edge: {} } };
    const other = foldedOnto(state, [{ kind: 'intended', target, why: 'another' }]);
    expect(shareSeen(seenAfter([]), other, madeObservation(), {})).toBeNull();
  });
});

describe('with little traffic', () => {
  test.each([0.2, 0.5, 1, 1.3])('of %d requests per second a step goes on to be judged', (rps) => {
    const bench = new Bench({ rps });
    for (let pass = 0; pass < 1500 && bench.state.stage.kind !== 'judging'; pass++) bench.follow();
    expect(bench.state.held).toBeNull();
    expect(bench.state.stage).toMatchObject({ kind: 'judging', step: 1 });
  });

  test('and with none, it is told what is waited for', () => {
    const bench = new Bench();
    for (let pass = 0; pass < 300 && bench.state.stage.kind !== 'shifting'; pass++) bench.follow();
    for (const name of ['old-1', 'old-2', ...bench.destination]) bench.astray[name] = 0;
    for (let pass = 0; pass < 30; pass++) bench.follow();
    expect(bench.state.stage.kind).toBe('shifting');
    expect(bench.status().blockers).toContainEqual(
      expect.stringMatching(/^too few requests to see the share by: \d+ of 20/),
    );
  });
});
