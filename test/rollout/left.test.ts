import { describe, expect, test } from 'vitest';
import { reportLines } from '../../src/cli/why/report.ts';
import { unknown } from '../../src/core/observed/reading.ts';
import { astray } from '../../src/core/rollout/astray.ts';
import { checkpointOf } from '../../src/core/rollout/checkpoint.ts';
import { leftAfterBack, unserved } from '../../src/core/rollout/left.ts';
import { restoringWaits } from '../../src/core/rollout/restoring.ts';
import { Bench } from './bench.ts';

const nobody = (id: string) => `no origin server is up at ${id}: nobody carries its traffic`;

/** Rolled back: everything as found, and in the journal. */
function rolledBack(setup = {}): Bench {
  const bench = Bench.judging(setup);
  bench.carry([]);
  bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
  for (let pass = 0; pass < 20 && bench.state.stage.kind !== 'rolled-back'; pass++) bench.follow();
  expect(bench.state.stage.kind).toBe('rolled-back');
  return bench;
}

describe('a balancer whose traffic nobody carries', () => {
  test('is named, while the way back is under way and after it', () => {
    const bench = Bench.judging();
    expect(bench.status().unserved).toEqual([]);
    bench.originHealthy = 0;
    expect(bench.status().unserved).toEqual([]);
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: true });
    bench.follow();
    bench.follow();
    expect(bench.status()).toMatchObject({ stage: 'cutting', unserved: [nobody('edge')] });
    expect(astray(bench.state, bench.observe()).lines).toContain(nobody('edge'));
    const after = rolledBack();
    expect(astray(after.state, after.observe()).lines).toEqual([]);
    after.originHealthy = 0;
    expect(astray(after.state, after.observe()).lines).toEqual([nobody('edge')]);
  });

  test('is named alone, and not the others', () => {
    const bench = rolledBack({ backends: ['one', 'two'] });
    bench.originHealthyAt = { two: 0 };
    expect(leftAfterBack(bench.state, bench.observe())).toEqual([nobody('two')]);
  });

  test('has no destination that carries though its origin is down, and is not one that nobody can read', () => {
    const bench = Bench.judging({ backends: ['one', 'two'] });
    bench.originHealthy = 0;
    bench.unreadable = ['two'];
    expect(unserved(bench.state, bench.observe())).toEqual([]);
    bench.says('new-1', 'down');
    expect(unserved(bench.state, bench.observe())).toEqual([]);
    bench.says('new-2', 'down');
    expect(unserved(bench.state, bench.observe())).toEqual([nobody('one')]);
  });
});

test('a service whose whole share nobody of the destination carries is said to be unserved, though its origin stands by', () => {
  const bench = Bench.judging();
  Object.assign(bench.weights, { 'old-1': 0, 'old-2': 0 });
  bench.says('new-1', 'down');
  expect(unserved(bench.state, bench.observe())).toEqual([]);
  bench.says('new-2', 'down');
  const said = [
    'no server that has a weight is up at edge: nobody carries its traffic; `drover back` gives it to the origin',
  ];
  expect(unserved(bench.state, bench.observe())).toEqual(said);
  const { counted } = bench.state;
  bench.append([{ kind: 'completed', share: 1, counted }]);
  expect(astray(bench.state, bench.observe()).lines).toEqual(said);
});

test('servers whose checks somebody else answers get traffic: it is not said that nobody carries it', () => {
  const bench = Bench.judging();
  Object.assign(bench.admin, { 'new-1': 'maint', 'new-2': 'maint' });
  bench.instances = { 'old-1': null, 'old-2': null };
  const words = 'edge: somebody else answers at old-1, old-2: whether its traffic is carried is not known';
  expect(unserved(bench.state, bench.observe())).toEqual([words]);
});

describe('what is not as it was found at the end of a way back', () => {
  test('is nothing where nobody has changed anything', () => {
    const bench = rolledBack();
    expect(leftAfterBack(bench.state, bench.observe())).toEqual([]);
  });

  test('is a server that somebody has put aside since, and one whose weight he has changed', () => {
    const bench = rolledBack();
    bench.admin['old-2'] = 'maint';
    bench.weights['old-1'] = 50;
    expect(leftAfterBack(bench.state, bench.observe())).toEqual([
      'edge: old-1 has weight 50, and was found with 100',
      'edge: old-2 is in maint, and was found ready',
    ]);
  });

  test('is not guessed where a balancer cannot be read', () => {
    const bench = rolledBack();
    bench.admin['old-2'] = 'maint';
    bench.isReadable = false;
    expect(leftAfterBack(bench.state, bench.observe())).toEqual([]);
  });
});

test('what puts things as they were found says for what it waits: an instance that cannot be ended, a group that does not answer', () => {
  const bench = Bench.judging();
  bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
  for (let pass = 0; pass < 20 && bench.state.stage.kind !== 'restoring'; pass++) bench.follow();
  bench.instances['new-2'] = 'stopping';
  bench.pass();
  expect(bench.status().back?.standing).toEqual(['new-2 of the destination has not ended yet']);
  const { state } = bench;
  const observation = bench.observe();
  const [instance] = [
    { id: 'vpc-1', server: 'new-1', state: 'stopping' as const, restarts: 0, build: null, startedAtMs: 0 },
  ];
  const told = {
    ...observation,
    origin: { atMs: 0, reading: unknown('no answer') },
    destination: {
      atMs: 0,
      reading: {
        known: true as const,
        value: {
          size: null,
          build: unknown('none'),
          instances: [{ ...instance, lastOutput: ['bye', 'drover: process 7 is neither stopped nor replaced'] }],
        },
      },
    },
  };
  expect(restoringWaits(state, told)).toEqual([
    "the origin's group does not answer: no answer",
    'vpc-1 of the destination has not ended yet: last output: bye (process 7 is neither stopped nor replaced)',
  ]);
  expect(restoringWaits(Bench.judging().state, told)).toEqual([]);
});

test('a time in which nobody carried stands in the journal and the report, which acquits nobody', () => {
  const bench = Bench.judging();
  Object.assign(bench.weights, { 'old-1': 0, 'old-2': 0 });
  bench.pass();
  const fromMs = bench.nowMs;
  for (const name of bench.destination) bench.says(name, 'down');
  for (let pass = 0; pass < 3; pass++) bench.pass();
  for (const name of bench.destination) bench.says(name, 'up');
  bench.pass();
  bench.pass();
  const [span, ...others] = bench.watch.counted.unserved ?? [];
  expect(others).toEqual([]);
  expect(span).toMatchObject({ backend: 'edge' });
  expect((span?.fromMs ?? 0) - fromMs).toBeGreaterThanOrEqual(0);
  expect((span?.toMs ?? 0) - (span?.fromMs ?? 0)).toBeGreaterThanOrEqual(3000);
  bench.append([checkpointOf(bench.state, bench.watch, bench.nowMs)]);
  const told = reportLines({ state: bench.state, entries: [] }, null, null).join('\n');
  expect(told).toMatch(/\*\*Nobody carried the traffic of edge between .* and .*\*\* \(\d+\.\d s\)/);
  expect(told).toContain('cannot be told');
});
