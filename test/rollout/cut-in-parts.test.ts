import { describe, expect, test } from 'vitest';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { known } from '../../src/core/observed/reading.ts';
import type { Target } from '../../src/core/rollout/events.ts';
import { trafficCut, trafficKept } from '../../src/core/rollout/targets.ts';
import { foldedOnto, halfTarget, madeObservation, stateAt } from '../made/rollout.ts';
import { Bench } from './bench.ts';

/** The whole share: the origin has no weight anywhere. */
const whole: Target = {
  ...halfTarget,
  requestedShare: 1,
  traffic: {
    edge: {
      'old-1': { weight: 0, admin: null },
      'old-2': { weight: 0, admin: null },
      'new-1': { weight: 100, admin: 'ready' },
      'new-2': { weight: 100, admin: 'ready' },
    },
  },
};
const state = foldedOnto(stateAt({ kind: 'finishing' }), [{ kind: 'intended', target: whole, why: 'the whole share' }]);

test('a backend that loses the last of the destination has the weights of the origin in the same target', () => {
  const cut = trafficCut(state, madeObservation({}), { edge: ['new-1', 'new-2'] })['edge'];
  expect(cut).toMatchObject({
    'old-1': { weight: 100 },
    'old-2': { weight: 100 },
    'new-1': { weight: 0, admin: 'maint' },
    'new-2': { weight: 0, admin: 'maint' },
  });
});

const waiting = { 'old-1': { weight: 0 }, 'old-2': { weight: 0 } } as const;

test('one that keeps some of it leaves the origin as it is', () => {
  const cut = trafficCut(state, madeObservation({ servers: waiting }), { edge: ['new-1'] })['edge'];
  expect(cut).toMatchObject({ 'old-1': { weight: 0 }, 'new-1': { admin: 'maint' }, 'new-2': { admin: 'ready' } });
});

describe('one whose last destination server is known by the target only', () => {
  const nothing: [string, Partial<ServerReading>][] = [
    ['is in maint', { admin: 'maint' }],
    ['is in drain', { admin: 'drain' }],
    ['fails its check there', { health: 'down' }],
    ['was given 0 by hand', { weight: 0 }],
  ];
  test.each(nothing)('that %s has the origin as found at once, and keeps it', (_how, two) => {
    const seen = madeObservation({ servers: { ...waiting, 'new-2': two } });
    const cut = trafficCut(state, seen, { edge: ['new-1'] })['edge'];
    expect(cut).toMatchObject({ 'old-1': { weight: 100 }, 'old-2': { weight: 100 }, 'new-1': { admin: 'maint' } });
    const kept = trafficKept(state, seen, { edge: ['new-1'] }, 1, [])['edge'];
    expect(kept).toMatchObject({ 'old-1': { weight: 100 }, 'old-2': { weight: 100 } });
  });

  test('has no line there, neither', () => {
    const { backends, ...seen } = madeObservation({ servers: waiting });
    const { atMs, reading } = backends['edge'] ?? {};
    if (atMs === undefined || reading?.known !== true) throw new Error('the made balancer can be read');
    const servers = reading.value.servers.filter(({ name }) => name !== 'new-2');
    const edge = { atMs, reading: known({ ...reading.value, servers }) };
    const cut = trafficCut(state, { ...seen, backends: { edge } }, { edge: ['new-1'] })['edge'];
    expect(cut).toMatchObject({ 'old-1': { weight: 100 }, 'old-2': { weight: 100 } });
  });

  test('is left alone where the origin is not up: nothing was to be cut there', () => {
    const seen = madeObservation({ servers: { ...waiting, 'new-2': { admin: 'drain' } } });
    expect(trafficCut(state, seen, { edge: 'none' })['edge']).toMatchObject({
      'old-1': { weight: 0 },
      'new-1': { weight: 100, admin: 'ready' },
    });
  });

  test('comes to that while the way back is under way: it is journalled, though nothing is taken from anybody', () => {
    const bench = Bench.judging({ backends: ['edge'], rps: 100 });
    bench.append([{ kind: 'intended', target: whole, why: 'the whole share' }]);
    Object.assign(bench.weights, { 'old-1': 0, 'old-2': 0 });
    bench.originHealthy = 1;
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    const [performed] = bench.pass().events;
    expect(performed).toMatchObject({
      kind: 'back-performed',
      target: { traffic: { edge: { 'old-1': { weight: 0 } } } },
    });
    bench.append(performed === undefined ? [] : [performed]);
    for (const name of bench.destination) bench.health[name] = 'down';
    const [more] = bench.pass().events;
    expect(more).toMatchObject({ kind: 'intended', target: { traffic: { edge: { 'old-1': { weight: 100 } } } } });
  });
});

describe('how much is cut', () => {
  const back = { kind: 'back', by: 'kim', reason: null, all: false } as const;
  const destinationOf = (bench: Bench) => {
    const [performed] = bench.pass().events;
    if (performed?.kind !== 'back-performed') throw new Error('it was not taken');
    return Object.fromEntries(
      Object.entries(performed.target.traffic).map(([id, rows]) => [
        id,
        Object.entries(rows)
          .filter(([name, { admin }]) => bench.destination.includes(name) && admin === 'maint')
          .map(([name]) => name),
      ]),
    );
  };

  test('goes by who gets the requests: one in drain brings nothing, and the other everything', () => {
    const bench = Bench.judging({ destination: ['new-1', 'new-2', 'new-3'] });
    bench.append([
      {
        kind: 'intended',
        target: { ...whole, traffic: { edge: { ...whole.traffic['edge'], 'new-3': { weight: 100, admin: 'ready' } } } },
        why: 'the whole share',
      },
    ]);
    Object.assign(bench.weights, { 'old-1': 0, 'old-2': 0 });
    bench.admin = { 'new-2': 'drain', 'new-3': 'drain' };
    for (let index = 0; index < 20; index++) bench.pass();
    bench.originHealthy = 1;
    bench.ask(back);
    // Of 100/s the origin can carry 70: new-1 has all of it, and is not cut.
    expect(destinationOf(bench)['edge']).not.toContain('new-1');
  });

  test('is no more where a balancer does not answer at that moment than where it does', () => {
    const take = (unreadable: readonly string[]) => {
      const bench = Bench.judging({ backends: ['one', 'two'] });
      bench.originHealthy = 1;
      for (let index = 0; index < 3; index++) bench.pass();
      bench.unreadable = unreadable;
      bench.ask(back);
      return destinationOf(bench);
    };
    const read = take([]);
    expect(Object.values(read).flat().length).toBeLessThan(4);
    expect(take(['two'])).toEqual(read);
    expect(take(['one', 'two'])).toEqual(read);
  });
});
