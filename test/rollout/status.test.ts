import { expect, test } from 'vitest';
import { known } from '../../src/core/observed/reading.ts';
import { factsOf } from '../../src/core/rollout/facts.ts';
import { statusOf } from '../../src/core/rollout/status.ts';
import { performedBack } from '../../src/core/rollout/watch.ts';
import { foldedOnto, madeObservation, madeWatch, sinceMs, sizedPlan, stateAt } from '../made/rollout.ts';
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

test('builds that have just come are not blamed for what those before them fail, and that it cannot be told apart is said', () => {
  const { attemptMsMax } = sizedPlan.policy;
  const state = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [
    { kind: 'builds-changed', builds: { origin: 'build-1', destination: 'build-3' }, pair: 2 },
    { kind: 'stage-entered', stage: { kind: 'shifting', step: 1 }, attempt: 0 },
    { kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 },
  ]);
  const windowAt = (afterMs: number, failures: number) => {
    const counts = { attempts: 100, failures: 0 };
    const fromMs = sinceMs + afterMs;
    return { fromMs, toMs: fromMs + 1000, origin: counts, destination: { attempts: 100, failures } };
  };
  const shownAt = (afterMs: number, edge: readonly ReturnType<typeof windowAt>[]) => {
    const inStage = { seq: state.stageSeq, ...madeWatch(state).counted };
    const observation = madeObservation({ nowMs: sinceMs + afterMs, destination: { build: known('build-3') } });
    return statusOf(state, madeWatch(state, { recent: { edge }, inStage }), observation, []);
  };
  const early = shownAt(10_000, [windowAt(-1000, 90), windowAt(1000, 40), windowAt(8000, 0)]);
  expect(early).toMatchObject({
    promotion: { kind: 'unknown', why: 'evidence for these builds begins in 20 s' },
    destination: { attempts: 200, failures: 40 },
  });
  expect(early.blockers).toContainEqual(
    expect.stringMatching(/the builds have just changed: for 20 s failures may be /),
  );
  const later = shownAt(attemptMsMax + 1000, [windowAt(attemptMsMax - 2000, 40), windowAt(attemptMsMax, 0)]);
  expect(later.destination).toMatchObject({ attempts: 100, failures: 0 });
  expect(later.blockers.join()).not.toContain('just changed');
});

test('an instance of the origin that does not come up is told, though enough of it is there', () => {
  const bench = Bench.judging();
  expect(bench.status().troubles).toEqual([]);
  bench.instances['old-2'] = 'crash-looping';
  bench.wrote['old-2'] = ['listen EADDRINUSE'];
  expect(bench.status().troubles).toEqual([
    'the origin has an instance that does not come up: last output: listen EADDRINUSE',
  ]);
});
