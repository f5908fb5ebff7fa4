import { describe, expect, test } from 'vitest';
import { drillShareMost } from '../../src/core/rollout/drill.ts';
import type { RolloutEvent, Target } from '../../src/core/rollout/events.ts';
import { startWatch } from '../../src/core/rollout/watch.ts';
import { weightsForDrill } from '../../src/core/rollout/weights.ts';
import { Bench, plan } from './bench.ts';

const origin = (...weights: number[]) =>
  weights.map((base, index) => ({ name: `old-${index + 1}`, base, carries: true }));
const shareOf = (weights: Record<string, number>) =>
  1 / Object.values(weights).reduce((sum, weight) => sum + weight, 0);

describe('the drill gives one server as little as the balancer can', () => {
  test('also where every server has the weight 1 that HAProxy gives by itself', () => {
    expect(weightsForDrill(origin(1, 1), 'new-1', 0)).toEqual({ 'old-1': 256, 'old-2': 256, 'new-1': 1 });
  });

  test('and no less than what brings its requests within its time', () => {
    const most = drillShareMost(plan.policy, 38);
    const share = shareOf(weightsForDrill(origin(1, 1), 'new-1', most));
    expect(share).toBeLessThanOrEqual(most);
    expect(38 * 60 * share).toBeGreaterThan(1.4 * plan.policy.drill.requests);
  });

  test('weights as found that make no more are left as they are', () => {
    expect(weightsForDrill(origin(100, 20), 'new-1', 0.009)).toEqual({ 'old-1': 100, 'old-2': 20, 'new-1': 1 });
  });

  test('unequal weights keep their ratios', () => {
    const { 'old-1': one = 0, 'old-2': other = 0 } = weightsForDrill(origin(7, 3), 'new-1', 0);
    expect(one).toBeGreaterThan(240);
    expect(Math.abs(one / other - 7 / 3)).toBeLessThan(0.02);
  });

  test('no weight leaves the range of a balancer', () => {
    expect(weightsForDrill(origin(256, 1), 'new-1', 0)).toEqual({ 'old-1': 256, 'old-2': 1, 'new-1': 1 });
  });

  test('a server that is down is scaled for its return, and does not count in the share', () => {
    const [one, two] = origin(1, 1);
    if (one === undefined || two === undefined) throw new Error('two were made');
    const weights = weightsForDrill([one, { ...two, carries: false }], 'new-1', 1 / 101);
    expect(weights).toEqual({ 'old-1': 100, 'old-2': 100, 'new-1': 1 });
  });
});

describe('the drill of a rollout', () => {
  test('scales the origin, takes the one server back, and leaves everything as it was found', () => {
    const bench = new Bench({ originWeight: 1 });
    const targets = intents(until(bench, 'drill-restoring'));
    const [drill, back, restored] = targets.slice(-3).map(({ traffic }) => traffic['edge']);
    expect(drill).toEqual({ 'old-1': left(100), 'old-2': left(100), 'new-1': ready(1), 'new-2': ready(0) });
    expect(back).toEqual({ ...drill, 'new-1': { weight: 0, admin: 'maint' } });
    expect(restored).toEqual({ 'old-1': left(1), 'old-2': left(1), 'new-1': ready(0), 'new-2': ready(0) });
    until(bench, 'growing');
    expect(bench.weights).toEqual({ 'old-1': 1, 'old-2': 1, 'new-1': 0 });
  });

  test('a way back in the middle of it goes to the weights as found', () => {
    const bench = new Bench({ originWeight: 1 });
    until(bench, 'drill-shifting');
    bench.follow();
    expect(bench.weights['old-1']).toBe(100);
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    const { events } = bench.pass();
    expect(events).toMatchObject([
      { kind: 'back-performed', target: { traffic: { edge: { 'old-1': left(1), 'old-2': left(1) } } } },
    ]);
  });

  test('is repeated where its measurement died with the controller, though nobody tells of a server in maint that it can carry', () => {
    const bench = new Bench();
    const events = until(bench, 'drill-back');
    for (let passes = 0; bench.drill === null; passes++) {
      expect(passes).toBeLessThan(10);
      bench.follow();
    }
    bench.drill = null;
    bench.watch = startWatch(bench.state);
    // HAProxy checks nothing in maint, and nobody else knows of the instance.
    for (let passes = 0; bench.state.stage.kind !== 'growing'; passes++) {
      expect(passes, `it stays in ${bench.state.stage.kind}`).toBeLessThan(100);
      const isAsleep = bench.admin['new-1'] === 'maint';
      bench.says('new-1', isAsleep ? 'unchecked' : 'up');
      bench.instances['new-1'] = isAsleep ? null : 'healthy';
      events.push(...bench.follow());
    }
    expect(events.filter(({ kind }) => kind === 'drill-measured')).toHaveLength(1);
    expect(bench.weights['new-1']).toBe(0);
    expect(bench.admin['new-1']).toBe('ready');
  });

  test('does not go back while a balancer is not read: somebody may have taken the server out there', () => {
    const bench = new Bench({ backends: ['one', 'two'], rps: 40 });
    until(bench, 'drill-shifting');
    follow(bench, 2);
    bench.unreadable = ['one'];
    follow(bench, 60);
    expect(bench.state.stage.kind).toBe('drill-shifting');
    bench.unreadable = [];
    until(bench, 'growing');
  });

  test('takes nothing back beside a balancer that is not read, nor writes anything that would be measured with it', () => {
    const bench = new Bench({ backends: ['one', 'two'], rps: 40 });
    until(bench, 'drill-back');
    bench.unreadable = ['one'];
    follow(bench, 5);
    expect([bench.admin['new-1'] ?? 'ready', bench.weights['new-1']]).toEqual(['ready', 1]);
  });

  test.each(['drill-shifting', 'drill-back', 'drill-restoring'])(
    'a server that is drained in %s is left so, and held',
    (stage) => {
      const bench = new Bench();
      until(bench, stage);
      if (stage === 'drill-shifting') follow(bench, 2);
      bench.admin['new-1'] = 'drain';
      for (let passes = 0; passes < 4; passes++) {
        bench.follow();
        expect(bench.admin['new-1']).toBe('drain');
      }
      expect(bench.state.held?.why).toContain('took new-1 out (drain)');
      bench.admin['new-1'] = 'ready';
      bench.ask({ kind: 'resume', by: 'kim', reason: null });
      until(bench, 'growing');
      expect(bench.state.held).toBeNull();
    },
  );

  test('that waits for somebody’s server holds up neither the floors nor what takes from others', () => {
    const bench = new Bench({ destination: ['new-1', 'new-2', 'new-3'] });
    until(bench, 'drill-back');
    bench.admin['new-2'] = 'drain';
    follow(bench, 3);
    expect(bench.state.held?.why).toContain('took new-2 out (drain)');
    bench.weights['new-3'] = 200;
    const { target } = bench.intended();
    bench.append([
      { kind: 'intended', target: { ...target, origin: { min: 3, desired: null, exact: false } }, why: 'floors' },
    ]);
    const effects = [bench.pass(), bench.pass()].flatMap((decision) => decision.effects);
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'resize', side: 'origin', min: 3 }));
    expect(effects).toContainEqual(expect.objectContaining({ weights: { 'new-3': 0 }, states: {} }));
    expect(bench.weights['new-1']).toBe(1);
  });

  test('that waits for the origin at one balancer lowers all the same what was raised at another, and writes the floors', () => {
    const bench = new Bench({ backends: ['one', 'two'], destination: ['new-1', 'new-2', 'new-3'], rps: 40 });
    until(bench, 'drill-back');
    bench.originHealthyAt = { one: 0 };
    bench.weights['new-3'] = 200;
    const { target } = bench.intended();
    bench.append([
      { kind: 'intended', target: { ...target, origin: { min: 3, desired: null, exact: false } }, why: 'floors' },
    ]);
    const effects = [bench.pass(), bench.pass()].flatMap((decision) => decision.effects);
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'resize', side: 'origin', min: 3 }));
    expect(effects).toContainEqual(expect.objectContaining({ backend: 'two', weights: { 'new-3': 0 }, states: {} }));
    expect(bench.admin['new-1'] ?? 'ready').toBe('ready');
  });

  test.each([
    ['somebody', (bench: Bench) => Object.assign(bench.weights, { 'new-1': 200 })],
    ['a reload', (bench: Bench) => bench.reload({ 'new-1': 200 })],
  ])('that waits keeps its server at the weight that it was measured with, whatever %s gives it', (who, gives) => {
    const bench = new Bench();
    until(bench, 'drill-back');
    bench.admin['new-2'] = 'drain';
    follow(bench, 3);
    gives(bench);
    bench.admin['new-2'] = 'drain';
    const told = bench.follow().filter(({ kind }) => kind === 'set-by-hand');
    const servers = { 'new-1': { was: 1, is: 200, aside: false } };
    expect(told).toMatchObject(who === 'somebody' ? [{ backend: 'edge', servers }] : []);
    follow(bench, 3);
    expect([bench.weights['new-1'], bench.admin['new-1'] ?? 'ready']).toEqual([1, 'ready']);
    bench.admin['new-2'] = 'ready';
    bench.configured = {};
    bench.ask({ kind: 'resume', by: 'kim', reason: null });
    expect(until(bench, 'growing')).toContainEqual(expect.objectContaining({ kind: 'drill-measured', passed: true }));
  });

  test('takes nothing from its server where that carries for an origin that is down', () => {
    const bench = new Bench({ originWeight: 1 });
    until(bench, 'drill-back');
    bench.originHealthyAt = { edge: 0 };
    bench.reload({});
    Object.assign(bench.weights, { 'new-1': 200, 'new-2': 200 });
    follow(bench, 10);
    expect([bench.weights['new-1'], bench.weights['new-2']]).toEqual([200, 200]);
  });

  test('wakes its server after a reload too that keeps states, and by a controller that has just begun', () => {
    const bench = new Bench();
    until(bench, 'drill-restoring');
    expect(bench.admin['new-1']).toBe('maint');
    bench.process = 'edge/2';
    bench.watch = startWatch(bench.state);
    until(bench, 'growing');
    expect(bench.state.held).toBeNull();
    expect(bench.admin['new-1']).toBe('ready');
  });

  test('its server is nobody’s but whoever takes it out, once it was read ready again', () => {
    const bench = new Bench();
    until(bench, 'drill-restoring');
    bench.follow();
    expect(bench.admin['new-1']).toBe('ready');
    // Where the rest of the backend is not as intended, that is journalled by itself.
    bench.admin['new-2'] = 'drain';
    expect(bench.follow()).toEqual([{ kind: 'drill-woken', backend: 'edge' }]);
    bench.follow();
    Object.assign(bench.admin, { 'new-1': 'maint', 'new-2': 'ready' });
    bench.watch = startWatch(bench.state);
    bench.ask({ kind: 'resume', by: 'kim', reason: null });
    follow(bench, 4);
    expect(bench.admin['new-1']).toBe('maint');
    expect(bench.state.held?.why).toContain('took new-1 out (maint)');
    const later = new Bench();
    until(later, 'growing');
    later.admin['new-1'] = 'maint';
    follow(later, 4);
    expect(later.admin['new-1']).toBe('maint');
    expect(later.state.held?.why).toContain('took new-1 out (maint)');
  });

  test('writes what lowers the share first: a command that is cut off has not given more than was asked', () => {
    const bench = new Bench({ originWeight: 1 });
    until(bench, 'drill-shifting');
    const [effect] = bench.pass().effects;
    if (effect?.kind !== 'traffic') throw new Error('no weights are written');
    expect(Object.keys(effect.weights)).toEqual(['old-1', 'old-2', 'new-1']);
  });

  test('tells how many requests its server was given each second, without the time before and after', () => {
    const bench = new Bench();
    // Ten times what its weight says: the drill is over before the load of the time before is forgotten.
    bench.astray['new-1'] = 10;
    const measured = until(bench, 'drill-restoring').find((event) => event.kind === 'drill-measured');
    expect(measured).toMatchObject({ measure: { rps: expect.closeTo(5, 0) } });
  });
});

/** Follows the rollout until it enters the stage; answers with all that was journalled on the way. */
function until(bench: Bench, stage: string): RolloutEvent[] {
  const events: RolloutEvent[] = [];
  for (let passes = 0; bench.state.stage.kind !== stage; passes++) {
    if (passes > 100) throw new Error(`it stays in ${bench.state.stage.kind}`);
    events.push(...bench.follow());
  }
  return events;
}

function intents(events: readonly RolloutEvent[]): Target[] {
  return events.flatMap((event) => (event.kind === 'intended' ? [event.target] : []));
}

function left(weight: number) {
  return { weight, admin: null };
}

function ready(weight: number) {
  return { weight, admin: 'ready' };
}

function follow(bench: Bench, passes: number): void {
  for (let pass = 0; pass < passes; pass++) bench.follow();
}
