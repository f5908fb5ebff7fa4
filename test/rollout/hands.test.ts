import { describe, expect, test } from 'vitest';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import { leftAfterBack } from '../../src/core/rollout/left.ts';
import { startWatch } from '../../src/core/rollout/watch.ts';
import { Bench } from './bench.ts';

describe('a share that somebody lowers by hand', () => {
  test('stays where it is from the first reading on, and holds the rollout at the second', () => {
    const bench = Bench.judging();
    bench.weights['new-1'] = 1;
    const first = bench.pass();
    expect(first.effects).toEqual([]);
    expect(first.events).toEqual([
      { kind: 'set-by-hand', backend: 'edge', servers: { 'new-1': { was: 100, is: 1, aside: false } } },
    ]);
    bench.append(first.events);
    const second = bench.pass();
    expect(second.events).toMatchObject([
      { kind: 'held', why: expect.stringContaining('at edge (new-1 from weight 100 to 1); it is left there') },
    ]);
    bench.append(second.events);
    expect(bench.pass().effects).toEqual([]);
  });

  test('is not raised under an entry that only moves the floors', () => {
    const bench = Bench.judging();
    const { target } = bench.intended();
    bench.append([
      { kind: 'intended', target: { ...target, origin: { min: 3, desired: null, exact: false } }, why: 'floors' },
    ]);
    bench.weights['new-1'] = 1;
    bench.append(bench.pass().events);
    expect(bench.pass().effects).toMatchObject([{ kind: 'resize', side: 'origin', min: 3 }]);
  });

  test('an operator who holds again says why it stands there; a hold that answers nobody holds nothing', () => {
    const bench = Bench.judging();
    bench.weights['new-1'] = 1;
    bench.append(bench.pass().events);
    bench.append(bench.pass().events);
    bench.ask({ kind: 'hold', by: 'kim', why: 'the controller was asked to end (SIGTERM)' });
    expect(kinds(bench.pass().events)).toEqual(['checkpoint']);
    const amended = { kind: 'hold', by: 'kim', why: 'it was me', amends: true } as const;
    bench.ask(amended);
    const { events } = bench.pass();
    expect(events[0]).toEqual({ kind: 'held', by: 'kim', why: 'it was me' });
    bench.append(events);
    bench.ask(amended);
    expect(kinds(bench.pass().events)).toEqual(['checkpoint']);
  });

  test('is raised again once an operator answers for it', () => {
    const bench = Bench.judging();
    bench.weights['new-1'] = 1;
    bench.append(bench.pass().events);
    bench.append(bench.pass().events);
    bench.ask({ kind: 'resume', by: 'kim', reason: 'it was me' });
    const resumed = bench.pass();
    expect(kinds(resumed.events)).toContain('resumed');
    bench.append(resumed.events);
    const after = bench.pass();
    expect(kinds(after.events)).toEqual([]);
    expect(after.effects).toMatchObject([{ kind: 'traffic', weights: { 'new-1': 100 }, raises: true }]);
  });

  test('is repaired where a new process of the balancer shows that a reload did it', () => {
    const bench = Bench.judging();
    bench.process = 'edge/2';
    bench.weights['new-1'] = 0;
    bench.append(bench.pass().events);
    expect(bench.pass().effects).toMatchObject([{ weights: { 'new-1': 100 }, raises: true }]);
  });

  test('a reload is not repaired while the back marker is set: the way back is taken', () => {
    const bench = Bench.judging();
    bench.process = 'edge/2';
    bench.weights['new-1'] = 0;
    bench.marker = 'kim, offline';
    const decision = bench.pass();
    expect(decision.events).toMatchObject([{ kind: 'back-performed', cause: { kind: 'found' } }]);
    expect(decision.back.every((effect) => !effect.raises)).toBe(true);
  });
});

describe('a weight of the origin that somebody sets by hand', () => {
  test('of 0 puts the server aside: it is told, not put back, and the others keep the share', () => {
    const bench = atHalf();
    bench.weights['old-1'] = 0;
    expect(bench.follow()).toEqual([
      { kind: 'set-by-hand', backend: 'edge', servers: { 'old-1': { was: 100, is: 0, aside: true } } },
    ]);
    expect(bench.status().byHand).toEqual(['edge: old-1 from weight 100 to 0, which puts it aside']);
    for (let pass = 0; pass < 8; pass++) bench.follow();
    expect(bench.state.held).toBeNull();
    expect(bench.weights).toMatchObject({ 'old-1': 0, 'new-1': 50, 'new-2': 50 });
    const { 'old-2': left = 0, 'new-1': one = 0, 'new-2': two = 0 } = bench.weights;
    expect((one + two) / (left + one + two)).toBeCloseTo(0.5, 2);
  });

  test('of 0 is left alone by the way back, which says so', () => {
    const bench = atHalf();
    bench.weights['old-1'] = 0;
    bench.follow();
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    for (let pass = 0; pass < 20 && bench.state.stage.kind !== 'rolled-back'; pass++) bench.follow();
    expect(bench.state.stage.kind).toBe('rolled-back');
    expect(bench.weights).toMatchObject({ 'old-1': 0, 'old-2': 100, 'new-1': 0, 'new-2': 0 });
    expect(leftAfterBack(bench.state, bench.observe())).toEqual(['edge: old-1 has weight 0, and was found with 100']);
  });

  test('of 0 ends with the weight that it had: the step weighs it as before', () => {
    const bench = atHalf();
    bench.weights['old-1'] = 0;
    for (let pass = 0; pass < 8; pass++) bench.follow();
    bench.weights['old-1'] = 100;
    expect(bench.follow()).toEqual([{ kind: 'set-by-hand', backend: 'edge', servers: {} }]);
    for (let pass = 0; pass < 8; pass++) bench.follow();
    expect(bench.weights['old-1']).toBe(bench.weights['old-2']);
    expect(bench.status().byHand).toEqual([]);
  });

  test.each([false, true])(
    'of 0, and then of a little to warm up by, stays so and holds; held before: %s',
    (isHeld) => {
      const bench = atHalf();
      if (isHeld) bench.ask({ kind: 'hold', by: 'kim', why: 'old-1 is sick' });
      bench.follow();
      bench.weights['old-1'] = 0;
      for (let pass = 0; pass < 8; pass++) bench.follow();
      for (const weight of [10, 30]) {
        bench.weights['old-1'] = weight;
        for (let pass = 0; pass < 8; pass++) bench.follow();
        expect(bench.weights['old-1']).toBe(weight);
        expect(bench.state.held).not.toBeNull();
        expect(bench.status().byHand).toEqual([`edge: old-1 from weight 100 to ${weight}`]);
      }
      bench.ask({ kind: 'resume', by: 'kim', reason: null });
      for (let pass = 0; pass < 8; pass++) bench.follow();
      expect(bench.state.held).toBeNull();
      expect(bench.weights['old-1']).toBe(bench.weights['old-2']);
      expect(bench.status().byHand).toEqual([]);
    },
  );

  test('of a little, where it had been put aside, is taken to what was found by the way back', () => {
    const bench = atHalf();
    bench.weights['old-1'] = 0;
    for (let pass = 0; pass < 8; pass++) bench.follow();
    bench.weights['old-1'] = 10;
    bench.follow();
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    bench.follow();
    for (let pass = 0; pass < 20 && bench.state.stage.kind !== 'rolled-back'; pass++) bench.follow();
    expect(bench.weights).toMatchObject({ 'old-1': 100, 'old-2': 100, 'new-1': 0, 'new-2': 0 });
  });

  test.each([0, 10])('of %d between a reload and the raise after it is told, and stands', (weight) => {
    const bench = atHalf();
    bench.reload({});
    // As after a controller that has only begun to look: nothing is raised yet, so that no balancer is as intended.
    bench.watch = startWatch(bench.state);
    bench.follow();
    bench.follow();
    expect(bench.weights).toMatchObject({ 'old-1': 100, 'new-1': 0 });
    bench.weights['old-1'] = weight;
    expect(kinds(bench.follow())).toContain('set-by-hand');
    for (let pass = 0; pass < 8; pass++) bench.follow();
    expect(bench.weights['old-1']).toBe(weight);
    expect(bench.state.held === null).toBe(weight === 0);
    bench.ask({ kind: 'resume', by: 'kim', reason: null });
    for (let pass = 0; pass < 8; pass++) bench.follow();
    expect(bench.state.held).toBeNull();
    expect(bench.weights['old-1']).toBe(weight === 0 ? 0 : 100);
  });

  test('of 0 is not what a reload keeps: what is configured comes back, and the share is made again', () => {
    const bench = atHalf();
    bench.weights['old-1'] = 0;
    for (let pass = 0; pass < 8; pass++) bench.follow();
    bench.process = 'edge/2';
    Object.assign(bench.weights, { 'old-1': 100, 'old-2': 100, 'new-1': 0, 'new-2': 0 });
    for (let pass = 0; pass < 8; pass++) bench.follow();
    expect(bench.weights).toEqual({ 'old-1': 100, 'old-2': 100, 'new-1': 100, 'new-2': 100 });
  });

  test('of 0 at the last server that carries holds: the way back needs somebody to give the traffic to', () => {
    const bench = atHalf();
    Object.assign(bench.weights, { 'old-1': 0, 'old-2': 0 });
    bench.follow();
    expect(bench.follow()).toMatchObject([
      { kind: 'held', why: expect.stringContaining('old-2 from weight 100 to 0') },
    ]);
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    for (let pass = 0; pass < 20 && bench.state.stage.kind !== 'rolled-back'; pass++) bench.follow();
    expect(bench.weights).toMatchObject({ 'old-1': 100, 'old-2': 100 });
  });

  test('of anything else holds, and is left as it is until somebody answers for going on', () => {
    const bench = atHalf();
    bench.weights['old-1'] = 10;
    bench.follow();
    expect(bench.follow()).toMatchObject([
      { kind: 'held', why: expect.stringContaining('old-1 from weight 100 to 10 at edge') },
    ]);
    for (let pass = 0; pass < 5; pass++) bench.follow();
    expect(bench.weights['old-1']).toBe(10);
    bench.ask({ kind: 'resume', by: 'kim', reason: null });
    for (let pass = 0; pass < 5; pass++) bench.follow();
    expect(bench.state.held).toBeNull();
    expect(bench.weights['old-1']).toBe(100);
  });

  test.each([0, 10])('of %d is told and not put back while it is held', (weight) => {
    const bench = atHalf();
    bench.ask({ kind: 'hold', by: 'kim', why: 'old-1 is sick' });
    bench.follow();
    bench.weights['old-1'] = weight;
    expect(kinds(bench.follow())).toEqual(['set-by-hand']);
    for (let pass = 0; pass < 5; pass++) bench.follow();
    expect(bench.weights).toMatchObject({ 'old-1': weight, 'old-2': 100, 'new-1': 100, 'new-2': 100 });
  });
});

test('a weight of the destination that somebody raises is told, and lowered again', () => {
  const bench = atHalf();
  bench.weights['new-1'] = 200;
  expect(bench.follow()).toEqual([
    { kind: 'set-by-hand', backend: 'edge', servers: { 'new-1': { was: 100, is: 200, aside: false } } },
  ]);
  bench.follow();
  expect(bench.weights['new-1']).toBe(100);
  expect(bench.follow()).toEqual([{ kind: 'set-by-hand', backend: 'edge', servers: {} }]);
  expect(bench.state.held).toBeNull();
});

describe('a way back of which the origin can carry only a part', () => {
  test('wakes no server that stands in maint already, and raises none to a target that was never reached', () => {
    const bench = Bench.judging();
    bench.originHealthy = 1;
    bench.admin['new-1'] = 'maint';
    bench.weights['new-2'] = 10;
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    const decision = bench.pass();
    const [performed] = decision.events;
    if (performed?.kind !== 'back-performed') throw new Error('no way back was decided');
    const traffic = performed.target.traffic['edge'] ?? {};
    expect(traffic['new-1']).toEqual({ weight: 0, admin: 'maint' });
    expect(traffic['new-2']?.weight ?? 0).toBeLessThanOrEqual(10);
    for (const effect of decision.back) {
      expect(Object.values(effect.states)).not.toContain('ready');
      expect(effect.weights['new-2'] ?? 0).toBeLessThanOrEqual(10);
    }
    bench.append(decision.events);
    for (const effect of bench.pass().effects) expect(effect).toMatchObject({ raises: false });
  });

  test('ends though it is one process after the other that goes on with it, each new to the load', () => {
    const bench = Bench.judging();
    bench.originHealthy = 1;
    const seen = { ...bench.state.seen, loadRps: 100, share: 0.5 };
    bench.state = { ...bench.state, seen, checkpointAtMs: bench.nowMs };
    const { settleMsMax } = bench.state.plan.policy;
    const endsAtMs = bench.nowMs + 4 * settleMsMax;
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    while (bench.state.stage.kind !== 'rolled-back' && bench.nowMs < endsAtMs) {
      for (let passes = 0; passes < 10; passes++) bench.follow();
      bench.watch = startWatch(bench.state);
    }
    expect(bench.state.stage.kind).toBe('rolled-back');
  });

  test('a balancer that cannot be read is told only what takes traffic away', () => {
    const bench = Bench.judging();
    bench.isReadable = false;
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: true });
    const [effect] = bench.pass().back;
    expect(effect?.states).toEqual({ 'new-1': 'maint', 'new-2': 'maint' });
    expect(effect?.weights).toEqual({ 'old-1': 100, 'old-2': 100, 'new-1': 0, 'new-2': 0 });
  });

  test('maint does not wait for the weights where the origin carries already', () => {
    const bench = Bench.judging();
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: true });
    expect(bench.pass().back).toMatchObject([{ statesFirst: true }]);
    const whole = Bench.judging();
    whole.weights['old-1'] = 0;
    whole.weights['old-2'] = 0;
    whole.ask({ kind: 'back', by: 'kim', reason: null, all: true });
    expect(whole.pass().back).toMatchObject([{ statesFirst: false }]);
  });
});

/** Judging a step of 50 % of the traffic. */
function atHalf(): Bench {
  const bench = Bench.judging({ rps: 20 });
  const { target } = bench.intended();
  bench.append([{ kind: 'intended', target: { ...target, requestedShare: 0.5 }, why: 'half' }]);
  return bench;
}

function kinds(events: readonly RolloutEvent[]): string[] {
  return events.map((event) => event.kind);
}

test('a destination server that somebody takes out at the whole share is left out, and it is held and said', () => {
  const bench = Bench.judging();
  const carried = { 'old-1': 0, 'old-2': 0, 'new-1': 100, 'new-2': 100 };
  const traffic = {
    edge: Object.fromEntries(
      Object.entries(carried).map(([name, weight]) => [
        name,
        { weight, admin: name.startsWith('new') ? ('ready' as const) : null },
      ]),
    ),
  };
  const floor = { min: 2, desired: null, exact: false };
  bench.append([
    {
      kind: 'intended',
      target: { requestedShare: 1, traffic, origin: floor, destination: floor },
      why: 'the whole share',
    },
  ]);
  const intent = bench.state.seq;
  bench.append([
    { kind: 'confirmed', backend: 'edge', process: bench.process, intent },
    { kind: 'stage-entered', stage: { kind: 'finishing' }, attempt: 0 },
  ]);
  Object.assign(bench.weights, carried);
  bench.pass();
  bench.admin['new-2'] = 'maint';
  for (let pass = 0; pass < 4; pass++) {
    bench.follow();
    expect(bench.admin['new-2']).toBe('maint');
  }
  expect(bench.state.held?.why).toMatch(/^somebody took new-2 out \(maint\) at edge, or a reload did; it is left so/);
});

test('one that waits at weight 0 is left out as well', () => {
  const bench = Bench.judging({ destination: ['new-1', 'new-2'] });
  bench.carry(['new-1']);
  for (let pass = 0; pass < 3; pass++) bench.pass();
  bench.admin['new-2'] = 'maint';
  for (let pass = 0; pass < 4; pass++) {
    bench.follow();
    expect(bench.admin['new-2']).toBe('maint');
  }
  expect(bench.state.held?.why).toContain('took new-2 out (maint)');
});

test('a share that somebody lowers further, while what was resumed is not written yet, is left there and held', () => {
  const bench = Bench.judging();
  bench.weights['new-1'] = 10;
  for (let pass = 0; pass < 3; pass++) bench.follow();
  bench.originHealthy = 1;
  bench.ask({ kind: 'resume', by: 'kim', reason: null });
  for (let pass = 0; pass < 3; pass++) bench.follow();
  expect(bench.state.held).toBeNull();
  expect(bench.weights['new-1']).toBe(10);
  bench.weights['new-1'] = 0;
  bench.follow();
  bench.originHealthy = 2;
  for (let pass = 0; pass < 6; pass++) bench.follow();
  expect(bench.weights['new-1']).toBe(0);
  expect(bench.state.held?.why).toContain("lowered the destination's share at edge");
  bench.ask({ kind: 'resume', by: 'kim', reason: null });
  for (let pass = 0; pass < 6; pass++) bench.follow();
  expect(bench.state.held).toBeNull();
  expect(bench.weights['new-1']).toBe(100);
});

describe.each(['maint', 'drain'] as const)('a destination server that somebody takes out (%s)', (admin) => {
  const takes = (change: (bench: Bench) => void): Bench => {
    const bench = Bench.judging();
    for (let pass = 0; pass < 3; pass++) bench.follow();
    change(bench);
    for (let pass = 0; pass < 4; pass++) bench.follow();
    return bench;
  };

  test('is never woken, whoever resumes, and lets nothing be raised until it is ready', () => {
    const bench = takes(({ admin: states }) => {
      states['new-1'] = admin;
    });
    for (let times = 0; times < 3; times++) {
      expect(bench.state.held?.why).toContain(`took new-1 out (${admin})`);
      bench.ask({ kind: 'resume', by: 'kim', reason: 'it was me' });
      expect(kinds(bench.follow())).toEqual(['held']);
      for (let pass = 0; pass < 5; pass++) {
        bench.follow();
        expect(bench.admin['new-1']).toBe(admin);
      }
    }
    bench.admin['new-1'] = 'ready';
    for (let pass = 0; pass < 5; pass++) bench.follow();
    expect(bench.state.held).not.toBeNull();
    bench.ask({ kind: 'resume', by: 'kim', reason: null });
    for (let pass = 0; pass < 5; pass++) bench.follow();
    expect(bench.state.held).toBeNull();
    expect(bench.weights['new-1']).toBe(100);
  });

  test('leaves a person’s hold in force, and says who asked and what else resume would write', () => {
    const bench = takes((one) => {
      one.ask({ kind: 'hold', by: 'kim', why: 'not before Ann says so' });
      one.follow();
      one.admin['new-1'] = admin;
      one.weights['old-1'] = 30;
    });
    for (const by of ['bob', 'eve']) {
      bench.ask({ kind: 'resume', by, reason: 'it is late' });
      expect(kinds(bench.follow())).toEqual(['held']);
      expect(bench.state.held?.why).toMatch(
        new RegExp(
          `took new-1 out \\(${admin}\\) at edge.*old-1 from weight 100 to 30 at edge\\); held before by kim: not before Ann says so; ${by} asked to go on: it is late$`,
        ),
      );
    }
  });

  test('is left out by a controller that has just begun, whatever is read back by then', () => {
    const bench = takes((one) => {
      one.ask({ kind: 'hold', by: 'kim', why: 'lunch' });
      one.follow();
      one.ask({ kind: 'resume', by: 'kim', reason: null });
      one.follow();
      one.admin['new-1'] = admin;
      one.watch = startWatch(one.state);
    });
    expect(bench.admin['new-1']).toBe(admin);
    expect(bench.state.held?.why).toContain(`took new-1 out (${admin})`);
  });

  test('holds where a balancer that was restarted brings it so', () => {
    const bench = takes((one) => {
      one.append([{ kind: 'stage-entered', stage: { kind: 'finishing' }, attempt: 0 }]);
      one.reload({});
      one.admin['new-1'] = admin;
    });
    expect(bench.admin['new-1']).toBe(admin);
    expect(bench.state.held?.why).toContain('or a reload did');
  });

  test('while the target is new holds as well', () => {
    const bench = takes((one) => {
      const { target } = one.intended();
      const traffic = { edge: { ...target.traffic['edge'], 'new-2': { weight: 200, admin: 'ready' } as const } };
      one.append([{ kind: 'intended', target: { ...target, traffic }, why: 'the next step' }]);
      one.admin['new-1'] = admin;
    });
    expect(bench.admin['new-1']).toBe(admin);
    expect(bench.weights['new-2']).toBe(100);
    expect(bench.state.held?.why).toContain(`took new-1 out (${admin})`);
  });
});

test('a resume is not taken back by what a balancer had told before it fell silent', () => {
  const bench = Bench.judging({ backends: ['one', 'two'] });
  bench.admin['new-2'] = 'drain';
  for (let pass = 0; pass < 4; pass++) bench.follow();
  expect(bench.state.held).not.toBeNull();
  bench.unreadable = ['one', 'two'];
  bench.ask({ kind: 'resume', by: 'kim', reason: null });
  for (let pass = 0; pass < 4; pass++) bench.follow();
  expect(bench.state.held).toBeNull();
});

test('a way back by hand between the entry of a step and its writing is held, and nothing of it is undone', () => {
  const bench = Bench.judging();
  for (let pass = 0; pass < 3; pass++) bench.follow();
  const target = bench.state.intended?.target;
  if (target === undefined) throw new Error('nothing was intended');
  const ready = { weight: 200, admin: 'ready' } as const;
  const traffic = { edge: { ...target.traffic['edge'], 'new-1': ready, 'new-2': ready } };
  bench.append([{ kind: 'intended', target: { ...target, traffic }, why: 'the next step' }]);
  for (const name of bench.destination) bench.admin[name] = 'maint';
  for (let pass = 0; pass < 5; pass++) {
    bench.follow();
    expect(bench.destination.map((name) => bench.admin[name])).toEqual(['maint', 'maint']);
  }
  expect(bench.state.held?.why).toContain('took new-1 out (maint), new-2 out (maint)');
});
