import { describe, expect, test } from 'vitest';
import { configurationToCommit, standingRefusals } from '../../src/core/rollout/decide-finished.ts';
import { Bench } from './bench.ts';

/** As a loop would go on: until the rollout has ended, or for so many passes. */
function follow(bench: Bench, passes = 60): void {
  for (let pass = 0; pass < passes; pass++) {
    if (bench.state.stage.kind === 'completed' || bench.state.stage.kind === 'rolled-back') return;
    bench.follow();
  }
}

/** Three origin servers are able from here on: `Bench` takes the numbers above for down. */
function withThird(setup = {}): Bench {
  const bench = Bench.judging({ rps: 20, ...setup });
  bench.originHealthy = 3;
  const { target } = bench.intended();
  bench.append([{ kind: 'intended', target: { ...target, requestedShare: 0.5 }, why: 'half' }]);
  return bench;
}

describe('an origin server that comes with a reload in the middle', () => {
  test('is told, and counts in the share of the step', () => {
    const bench = withThird();
    bench.reload({ 'old-3': 50 });
    expect(bench.follow()).toContainEqual({
      kind: 'servers-came',
      backend: 'edge',
      servers: { 'old-3': { side: 'origin', weight: 50, admin: 'ready' } },
    });
    follow(bench, 20);
    const { 'new-1': one = 0, 'new-2': two = 0, ...origin } = bench.weights;
    const left = Object.values(origin).reduce((sum, weight) => sum + weight, 0);
    expect((one + two) / (left + one + two)).toBeCloseTo(0.5, 2);
    expect(origin['old-3']).toBeGreaterThan(0);
  });

  test('counts in the share of the step though nobody checks it: it gets requests all the same', () => {
    const bench = withThird();
    bench.reload({ 'old-3': 100 });
    bench.says('old-3', 'unchecked');
    bench.instances['old-3'] = null;
    follow(bench, 20);
    const { 'new-1': one = 0, 'new-2': two = 0, ...origin } = bench.weights;
    const left = Object.values(origin).reduce((sum, weight) => sum + weight, 0);
    expect((one + two) / (left + one + two)).toBeCloseTo(0.5, 2);
  });

  test('is taken to 0 with the others, and the rollout is not completed before', () => {
    const bench = withThird();
    bench.reload({ 'old-3': 20 });
    follow(bench, 20);
    bench.evidenceToPromote();
    follow(bench, 400);
    expect(bench.state.stage.kind).toBe('completed');
    expect(bench.weights).toMatchObject({ 'old-1': 0, 'old-2': 0, 'old-3': 0 });
    expect(configurationToCommit(bench.state, bench.observe())).toContain(
      'edge: server old-3 … weight 0 (now weight 20)',
    );
  });

  test('is taken to 0 where it comes after the whole share was taken', () => {
    const bench = withThird();
    bench.evidenceToPromote();
    for (let pass = 0; pass < 100 && bench.intended().target.requestedShare !== 1; pass++) bench.follow();
    bench.reload({ 'old-3': 20 });
    follow(bench, 400);
    expect(bench.state.stage.kind).toBe('completed');
    expect(bench.weights).toMatchObject({ 'old-1': 0, 'old-2': 0, 'old-3': 0 });
  });

  test('gets the weight that it came with on the way back', () => {
    const bench = withThird();
    bench.reload({ 'old-3': 20 });
    follow(bench, 20);
    bench.weights['old-3'] = bench.intended().target.traffic['edge']?.['old-3']?.weight ?? -1;
    bench.evidenceToPromote();
    for (let pass = 0; pass < 100 && bench.intended().target.requestedShare !== 1; pass++) bench.follow();
    follow(bench, 5);
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    bench.follow();
    follow(bench);
    expect(bench.state.stage.kind).toBe('rolled-back');
    expect(bench.weights).toEqual({ 'old-1': 100, 'old-2': 100, 'old-3': 20, 'new-1': 0, 'new-2': 0 });
  });

  test('is nobody’s while it stands in maint, and a server of neither group never is', () => {
    const bench = withThird();
    bench.reload({ 'old-3': 20, 'other-1': 10 });
    bench.admin['old-3'] = 'maint';
    follow(bench, 20);
    const named = JSON.stringify([bench.state.asFound, bench.intended().target.traffic]);
    expect(named).not.toContain('old-3');
    expect(named).not.toContain('other-1');
    expect(bench.weights).toMatchObject({ 'old-3': 20, 'other-1': 10 });
  });

  test('keeps the reserve from being given up where it comes after completion, and is named', () => {
    const bench = withThird();
    bench.evidenceToPromote();
    follow(bench, 400);
    expect(bench.state.stage.kind).toBe('completed');
    bench.reload({ 'old-1': 0, 'old-2': 0, 'old-3': 20, 'new-1': 100, 'new-2': 100 });
    expect(standingRefusals(bench.state, bench.observe())).toEqual([
      'the traffic at edge is not where the rollout left it: old-3 has weight 20',
    ]);
    expect(configurationToCommit(bench.state, bench.observe())).toEqual([
      'edge: server old-3 … weight 0 (now weight 20)',
    ]);
  });
});

describe('a destination server that comes with a reload in the middle', () => {
  test('is lowered to 0 where it came with a weight, and the rollout is held', () => {
    const bench = withThird();
    bench.reload({ 'new-3': 50 });
    follow(bench, 10);
    expect(bench.weights['new-3']).toBe(0);
    expect(bench.state.held?.why).toContain('new-3 has a configured weight that is not 0');
  });

  test('goes into maint with the others where it comes on the way back', () => {
    const bench = withThird();
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    bench.follow();
    expect(bench.state.stage.kind).toBe('cutting');
    bench.reload({ 'new-3': 50 });
    bench.follow();
    expect([bench.admin['new-3'], bench.weights['new-3']]).toEqual(['maint', 0]);
    follow(bench);
    expect(bench.state.stage.kind).toBe('rolled-back');
    expect(bench.weights['new-3']).toBe(0);
  });
});

describe('completion', () => {
  test('waits for an origin that still gets requests, and says so', () => {
    const bench = withThird();
    bench.evidenceToPromote();
    for (let pass = 0; pass < 100 && bench.intended().target.requestedShare !== 1; pass++) bench.follow();
    for (let pass = 0; pass < 20 && bench.state.stage.kind !== 'judging'; pass++) bench.follow();
    bench.sticky = 0.3;
    follow(bench, 8);
    expect(bench.status().blockers.join()).toMatch(/the origin still gets requests.* observed share is 7\d(\.\d)? %/);
    follow(bench, 400);
    expect(bench.state.stage.kind).not.toBe('completed');
  });
});

test('a server line that goes with a reload and comes again is given its part as before', () => {
  const bench = withThird();
  bench.reload({}, ['old-2']);
  follow(bench, 20);
  bench.reload({ 'old-2': 100 });
  follow(bench, 20);
  expect(bench.weights).toMatchObject({ 'old-1': 100, 'old-2': 100, 'new-1': 100, 'new-2': 100 });
});
