import { expect, test } from 'vitest';
import { factsOf } from '../../src/core/rollout/facts.ts';
import { statusOf } from '../../src/core/rollout/status.ts';
import { performedBack } from '../../src/core/rollout/watch.ts';
import { Bench } from './bench.ts';

const shown = (bench: Bench) =>
  statusOf(bench.state, bench.watch, bench.observe(), []).blockers.filter((text) => text.startsWith('the reserve is'));

test('that no load is known at the first look blocks, and is no news; that it is still not known is', () => {
  const bench = new Bench();
  bench.pass();
  expect(factsOf(bench.state, bench.watch, bench.observe()).blockers).toContainEqual(
    expect.stringMatching(/^the reserve is unknown: /),
  );
  expect(shown(bench)).toEqual([]);
  bench.isReadable = false;
  for (let pass = 0; pass < 10; pass++) bench.pass();
  expect(shown(bench)).toEqual([expect.stringMatching(/no attempts were counted at edge yet/)]);
});

test('what has ended waits for nothing', () => {
  const bench = Bench.judging();
  bench.append([{ kind: 'completed', share: 1, counted: bench.state.counted }]);
  bench.originHealthy = 0;
  expect(factsOf(bench.state, bench.watch, bench.observe()).blockers).not.toEqual([]);
  expect(statusOf(bench.state, bench.watch, bench.observe(), []).blockers).toEqual([]);
});

test('counters that somebody clears are told, with how long the comparison waits for them', () => {
  const bench = Bench.judging();
  const told = () => bench.status().blockers.filter((text) => text.includes('counters fell'));
  expect(told()).toEqual([]);
  bench.clearCounters();
  bench.pass();
  bench.pass();
  expect(told()).toEqual([expect.stringMatching(/fell 2 s ago .* same process.* compared again in 28 s$/)]);
  for (let pass = 0; pass < 15; pass++) bench.pass();
  expect(told()).toEqual([]);
});

test('that it is held is told by itself, and what blocks besides is not hidden by it', () => {
  const bench = Bench.judging();
  bench.append([{ kind: 'held', why: 'lunch', by: 'kim' }]);
  expect(bench.status()).toMatchObject({ held: { why: 'lunch' }, blockers: [] });
  bench.isReadable = false;
  bench.pass();
  expect(bench.status().blockers).toContainEqual(expect.stringMatching(/^edge cannot be read: it does not answer/));
  expect(bench.status().blockers).not.toContainEqual(expect.stringMatching(/^held/));
});

test('a way back that was performed counts while no journal takes it, and nothing is said to be promoted', () => {
  const bench = Bench.judging();
  bench.ask({ kind: 'back', by: 'kim', reason: 'disk full', all: true });
  const { events } = bench.pass();
  bench.watch = performedBack(bench.watch, events);
  for (const name of bench.destination) bench.admin[name] = 'maint';
  const performedAtMs = bench.nowMs;
  bench.pass();
  expect(bench.status()).toMatchObject({
    stage: 'cutting',
    stageName: 'the way back is taken, and the journal does not know it yet',
    back: { cause: { by: 'kim', reason: 'disk full' }, performedAtMs, journalled: false, standing: [] },
    ...{ requestedShare: 0, blockers: [], promotion: null, held: null },
  });
  bench.append(events);
  bench.pass();
  expect(bench.status()).toMatchObject({
    stageName: expect.stringMatching(/^on the way back/),
    back: { journalled: true },
  });
});
