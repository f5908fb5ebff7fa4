import { describe, expect, test } from 'vitest';
import type { GroupReading, InstanceState } from '../../src/core/observed/group.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { checkpointOf } from '../../src/core/rollout/checkpoint.ts';
import { backRefusal } from '../../src/core/rollout/decide-back.ts';
import type { Decision } from '../../src/core/rollout/decision.ts';
import { isAble, isUnable } from '../../src/core/rollout/servers.ts';
import { statusOf, stillStanding } from '../../src/core/rollout/status.ts';
import { startWatch } from '../../src/core/rollout/watch.ts';
import { madeServer } from '../made/readings.ts';
import { Bench } from './bench.ts';

const back = { kind: 'back', by: 'kim', reason: null, all: false } as const;
const minuteMs = 60_000;

/** A controller that has just begun: it has counted nothing. */
function fresh(bench: Bench): Bench {
  bench.watch = startWatch(bench.state);
  return bench;
}

/** The destination servers that a decision takes something from, as `backend/server`. */
function taken({ back, effects }: Decision): string[] {
  const traffic = [...back, ...effects.filter((effect) => effect.kind === 'traffic')];
  const names = traffic.flatMap(({ backend, weights, states }) =>
    [...Object.keys(weights), ...Object.keys(states)].map((name) => `${backend}/${name}`),
  );
  return [...new Set(names)].filter((name) => name.includes('/new-')).toSorted((one, other) => (one < other ? -1 : 1));
}

describe('a way back while the origin is down', () => {
  test('takes nothing from the destination, though this controller has counted no request yet', () => {
    const bench = fresh(Bench.judging());
    bench.originHealthy = 0;
    bench.ask(back);
    const decision = bench.pass();
    expect(taken(decision)).toEqual([]);
    expect(decision.events).toMatchObject([{ kind: 'back-performed', all: false }]);
    bench.append(decision.events);
    expect(taken(bench.pass())).toEqual([]);
  });

  test('names the reason and the way out', () => {
    const bench = fresh(Bench.judging());
    bench.originHealthy = 0;
    bench.ask(back);
    bench.append(bench.pass().events);
    const words =
      'edge: new-1, new-2 still carry, because no origin server is up at edge: taking the destination away would leave nobody; `drover back --all` takes it anyway';
    expect(stillStanding(bench.state, bench.observe())).toEqual([words]);
    expect(statusOf(bench.state, bench.watch, bench.observe(), []).back?.standing).toEqual([words]);
  });

  test('goes on by itself as soon as the origin is up', () => {
    const bench = fresh(Bench.judging());
    bench.originHealthy = 0;
    bench.ask(back);
    bench.append(bench.pass().events);
    bench.originHealthy = 2;
    const { events } = bench.pass();
    expect(events).toMatchObject([{ kind: 'intended' }]);
    bench.append(events);
    expect(taken(bench.pass())).toEqual(['edge/new-1', 'edge/new-2']);
  });

  test('stops where it is if the origin goes down in the middle of it', () => {
    const bench = Bench.judging();
    bench.ask(back);
    bench.append(bench.pass().events);
    bench.admin['new-1'] = 'maint';
    bench.weights['new-1'] = 0;
    bench.originHealthy = 0;
    const { effects, events } = bench.pass();
    expect(taken({ effects, events, back: [], wakeAtMs: null, ended: false })).toEqual([]);
    expect(events).toEqual([]);
    bench.originHealthy = 1;
    expect(taken(bench.pass())).toEqual(['edge/new-2']);
  });

  test('is whole where everything was asked for', () => {
    const bench = fresh(Bench.judging());
    bench.originHealthy = 0;
    bench.ask({ ...back, all: true });
    const decision = bench.pass();
    expect(taken(decision)).toEqual(['edge/new-1', 'edge/new-2']);
    bench.append(decision.events);
    expect(taken(bench.pass())).toEqual(['edge/new-1', 'edge/new-2']);
  });

  test('is whole at a backend whose origin is up, while it waits at another', () => {
    // So little that what one backend has given back leaves room for the other.
    const bench = fresh(Bench.judging({ backends: ['one', 'two'], rps: 60 }));
    bench.originHealthyAt = { one: 0 };
    bench.ask(back);
    const decision = bench.pass();
    expect(taken(decision)).toEqual(['two/new-1', 'two/new-2']);
    bench.append(decision.events);
    expect(taken(bench.pass())).toEqual(['two/new-1', 'two/new-2']);
    bench.originHealthyAt = {};
    bench.append(bench.pass().events);
    expect(taken(bench.pass())).toContain('one/new-1');
  });

  test('does not wait where nobody tells the health of the origin, or it cannot be read', () => {
    const bench = fresh(Bench.judging());
    bench.health = { 'old-1': 'starting', 'old-2': 'down' };
    bench.ask(back);
    expect(taken(bench.pass())).toEqual(['edge/new-1', 'edge/new-2']);
    const mute = fresh(Bench.judging());
    mute.originHealthy = 0;
    mute.isReadable = false;
    mute.ask(back);
    expect(taken(mute.pass())).toEqual(['edge/new-1', 'edge/new-2']);
  });

  describe.each([
    ['a controller that has counted nothing', true],
    ['one that has counted', false],
  ])('where the check of the origin passes and the provider says otherwise, to %s', (_who, isFresh) => {
    const told = (state: InstanceState | null) => {
      const bench = Bench.judging();
      if (isFresh) fresh(bench);
      bench.instances = { 'old-1': state, 'old-2': state };
      bench.ask(back);
      return bench;
    };

    test.each([null, 'crash-looping'] as const)(
      '%s: somebody else answers, and nobody is sent there, however long it lasts',
      (state) => {
        const bench = told(state);
        for (let pass = 0; pass < 60; pass++) {
          const decision = bench.pass();
          expect(taken(decision)).toEqual([]);
          bench.append(decision.events);
        }
        expect(bench.state.stage.kind).toBe('cutting');
        bench.instances = {};
        bench.append(bench.pass().events);
        expect(taken(bench.pass())).toEqual(['edge/new-1', 'edge/new-2']);
      },
    );

    test('starting: the check is the later word, and everything is taken at once', () => {
      expect(taken(told('starting').pass())).toEqual(['edge/new-1', 'edge/new-2']);
    });
  });

  test('is not sent blind to a balancer that tells nothing, where the same servers are down at the one that does', () => {
    const bench = fresh(Bench.judging({ backends: ['one', 'two'] }));
    bench.originHealthy = 0;
    bench.unreadable = ['two'];
    bench.ask(back);
    expect(taken(bench.pass())).toEqual([]);
    const up = fresh(Bench.judging({ backends: ['one', 'two'] }));
    up.unreadable = ['two'];
    up.ask(back);
    expect(taken(up.pass())).toEqual(['one/new-1', 'one/new-2', 'two/new-1', 'two/new-2']);
  });

  describe('at a balancer that wakes and believes the origin to be up, as it was before it stood still', () => {
    const woken = (backends: readonly string[], asleep: readonly string[]) => {
      const bench = fresh(Bench.judging({ backends, rps: 20 }));
      bench.originHealthyAt = { one: 0 };
      bench.unreadable = asleep;
      bench.ask(back);
      for (let pass = 0; pass < 3; pass++) takenBy(bench);
      bench.unreadable = [];
      return bench;
    };
    const takenBy = (bench: Bench): string[] => {
      const decision = bench.pass();
      bench.append(decision.events);
      return taken(decision);
    };
    const kept = (id: string) =>
      `${id}: new-1, new-2 still carry, because no origin server is up at ${id}: taking the destination away would leave nobody; \`drover back --all\` takes it anyway`;

    test('nothing is taken until its own checks had time to tell, and that is said with the way out', () => {
      const bench = woken(['one', 'two'], ['two']);
      for (let pass = 0; pass < 7; pass++) expect(takenBy(bench)).toEqual([]);
      expect(bench.status().back?.standing).toEqual([kept('one'), kept('two')]);
      bench.originHealthyAt = { one: 0, two: 0 };
      for (let pass = 0; pass < 20; pass++) expect(takenBy(bench)).toEqual([]);
    });

    test('it is believed after that: the origin may be gone at the other only', () => {
      const bench = woken(['one', 'two'], ['two']);
      const all = Array.from({ length: 12 }, () => takenBy(bench)).flat();
      expect(new Set(all)).toEqual(new Set(['two/new-1', 'two/new-2']));
      expect(bench.intended().why).toContain('`drover back --all` takes it anyway');
      expect(bench.intended().why).not.toContain('can carry');
    });

    test('several that wake together do not bear each other out', () => {
      const bench = woken(['one', 'two', 'three'], ['two', 'three']);
      for (let pass = 0; pass < 7; pass++) expect(takenBy(bench)).toEqual([]);
    });

    test('but a single one, and one whose word another bears out that has answered all the time, is', () => {
      const single = fresh(Bench.judging());
      single.isReadable = false;
      single.pass();
      single.isReadable = true;
      single.ask(back);
      expect(takenBy(single)).toEqual(['edge/new-1', 'edge/new-2']);
      const bench = woken(['one', 'two', 'four'], ['two']);
      expect(takenBy(bench)).toContain('two/new-1');
    });

    test('one that somebody did not wait for who asked for the way back has not been silent', () => {
      const bench = fresh(Bench.judging({ backends: ['one', 'two'], rps: 20 }));
      bench.originHealthyAt = { one: 0 };
      bench.unreadable = ['two'];
      bench.ask(back);
      expect(takenBy(bench)).toEqual([]);
      bench.unreadable = [];
      takenBy(bench);
      expect(takenBy(bench)).toEqual(['two/new-1', 'two/new-2']);
    });
  });

  test('counts no origin server that an operator keeps in maint', () => {
    const bench = fresh(Bench.judging());
    bench.admin = { 'old-1': 'maint', 'old-2': 'drain' };
    bench.ask(back);
    expect(taken(bench.pass())).toEqual([]);
  });

  test('an origin whose servers wait at weight 0, as after completion, is up', () => {
    const bench = fresh(Bench.judging());
    bench.weights = { 'old-1': 0, 'old-2': 0, 'new-1': 100, 'new-2': 100 };
    bench.ask(back);
    expect(taken(bench.pass())).toEqual(['edge/new-1', 'edge/new-2']);
  });
});

describe('an origin that is known to carry a part only, to a controller that has counted nothing', () => {
  test('is given no more than that by the load which was last written down', () => {
    const bench = Bench.judging();
    bench.append([checkpointOf(bench.state, bench.watch, bench.nowMs)]);
    fresh(bench).originHealthy = 1;
    bench.ask(back);
    expect(taken(bench.pass())).toEqual([]);
  });

  test('is given everything where what was written down is old', () => {
    const bench = Bench.judging();
    bench.append([checkpointOf(bench.state, bench.watch, bench.nowMs)]);
    bench.nowMs += 11 * minuteMs;
    fresh(bench).originHealthy = 1;
    bench.ask(back);
    expect(taken(bench.pass())).toEqual(['edge/new-1', 'edge/new-2']);
  });
});

describe('a rollout that has given up its way back', () => {
  test('is not taken back, except by the word of somebody who knows that the origin stands', () => {
    const bench = Bench.judging();
    const { counted } = bench.watch;
    bench.append([
      { kind: 'completed', share: 1, counted },
      { kind: 'retired', by: 'kim', reason: null },
    ]);
    bench.ask(back);
    const decision = bench.pass();
    expect(decision.back).toEqual([]);
    expect(decision.events).toEqual([]);
    expect(backRefusal(bench.state, false)).toContain('has given up its way back');
    bench.ask({ ...back, all: true });
    expect(taken(bench.pass())).toEqual(['edge/new-1', 'edge/new-2']);
  });
});

describe('a server whose check somebody else answers', () => {
  const group = (instances: readonly InstanceState[], size: GroupReading['size'] = { min: 0, max: 2, desired: 1 }) =>
    known<GroupReading>({
      size,
      build: known('v1'),
      instances: instances.map((state, index) => ({
        id: `d-${index + 1}`,
        server: `d-${index + 1}`,
        state,
        restarts: 0,
        build: null,
        startedAtMs: 0,
        lastOutput: [],
      })),
    });
  const up = madeServer('d-1');

  test('is not able where its provider knows that its instance does not run', () => {
    for (const state of ['starting', 'crash-looping'] as const) expect(isAble(up, group([state]))).toBe(false);
    expect(isAble(up, group([]))).toBe(false);
  });

  test('is able by its check alone where nobody knows better', () => {
    for (const state of ['healthy', 'unhealthy'] as const) expect(isAble(up, group([state]))).toBe(true);
    expect(isAble(up, group([], null))).toBe(true);
    expect(isAble(up, unknown('it is not told'))).toBe(true);
  });

  test('is known to be unable only by somebody who looked', () => {
    const unchecked = madeServer('d-1', { health: 'unchecked' });
    expect(isUnable(unchecked, unknown('it is not told'))).toBe(false);
    expect(isUnable(unchecked, group([], null))).toBe(false);
    expect(isUnable(unchecked, group([]))).toBe(true);
    expect(isUnable(unchecked, group(['unhealthy']))).toBe(true);
    expect(isUnable(unchecked, group(['healthy']))).toBe(false);
    expect(isUnable(madeServer('d-1', { health: 'down' }), group(['healthy']))).toBe(true);
    expect(isUnable(madeServer('d-1', { health: 'starting' }), group([]))).toBe(false);
    expect(isUnable(madeServer('d-1', { health: 'up' }), group([]))).toBe(true);
    expect(isUnable(madeServer('d-1', { health: 'up' }), group(['starting']))).toBe(false);
    expect(isUnable(madeServer('d-1', { health: 'up' }), group(['unhealthy']))).toBe(false);
    expect(isUnable(madeServer('d-1', { health: 'up' }), group([], null))).toBe(false);
  });
});
