import { describe, expect, test } from 'vitest';
import { Bench } from './bench.ts';

describe('the observed share against what the weights make', () => {
  test('a server that fails its check moves the share, and holds nothing', () => {
    const bench = Bench.judging();
    for (let passes = 0; passes < 20; passes++) bench.append(bench.pass().events);
    bench.originHealthy = 1;
    for (let passes = 0; passes < 60; passes++) {
      bench.append(bench.pass().events);
      expect(bench.state.held).toBeNull();
    }
    bench.originHealthy = 2;
    for (let passes = 0; passes < 20; passes++) bench.append(bench.pass().events);
    expect(bench.state.held).toBeNull();
  });

  test('a share that goes astray for a moment holds nothing, and one that stays astray does', () => {
    const bench = Bench.judging();
    bench.astray = { 'new-1': 3, 'new-2': 3 };
    for (let passes = 0; passes < 20; passes++) bench.append(bench.pass().events);
    bench.astray = {};
    for (let passes = 0; passes < 40; passes++) bench.append(bench.pass().events);
    expect(bench.state.held).toBeNull();
    bench.astray = { 'new-1': 3, 'new-2': 3 };
    for (let passes = 0; passes < 60; passes++) bench.append(bench.pass().events);
    expect(bench.state.held?.why).toContain('the share is not what the weights make: 50 % by the weights');
  });
});

describe('a balancer that is reloaded with something that cannot be steered', () => {
  test('holds the rollout, says why, and goes on when that is put right', () => {
    const bench = Bench.judging();
    bench.algorithm = 'leastconn';
    bench.append(bench.pass().events);
    expect(bench.state.held?.why).toMatch(/^edge cannot be steered any more: balance leastconn/);
    bench.algorithm = 'roundrobin';
    bench.ask({ kind: 'resume', by: 'kim', reason: null });
    bench.append(bench.pass().events);
    for (let passes = 0; passes < 5; passes++) bench.append(bench.pass().events);
    expect(bench.state.held).toBeNull();
  });

  test('holds it too where the destination is configured to carry: the next reload would undo a way back', () => {
    const bench = Bench.judging();
    bench.configured = { 'new-1': 50 };
    bench.append(bench.pass().events);
    expect(bench.state.held?.why).toMatch(
      /^edge: new-1 has a configured weight that is not 0: a reload would bring it back/,
    );
  });

  test('does not mind it with the whole share there: it is what the owner is asked to write down', () => {
    const bench = Bench.judging();
    bench.append([{ kind: 'stage-entered', stage: { kind: 'judging', step: 2 }, attempt: 1 }]);
    bench.configured = { 'new-1': 50 };
    bench.append(bench.pass().events);
    expect(bench.state.held).toBeNull();
  });
});
