import { expect, test } from 'vitest';
import { known } from '../../src/core/observed/reading.ts';
import { factsOf } from '../../src/core/rollout/facts.ts';
import { statusOf } from '../../src/core/rollout/status.ts';
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
  const shownAt = (afterMs: number) => {
    const inStage = { seq: state.stageSeq, ...madeWatch(state).counted };
    const edge = [windowAt(-1000, 90), windowAt(1000, 40), windowAt(attemptMsMax, 0)];
    const observation = madeObservation({ nowMs: sinceMs + afterMs, destination: { build: known('build-3') } });
    return statusOf(state, madeWatch(state, { recent: { edge }, inStage }), observation, []);
  };
  const early = shownAt(attemptMsMax - 9000);
  expect(early).toMatchObject({
    promotion: { kind: 'unknown', why: 'evidence for these builds begins in 9 s' },
    destination: { attempts: 200, failures: 40 },
  });
  expect(early.blockers).toContainEqual(
    expect.stringMatching(/the builds have just changed: for 9 s failures may be /),
  );
  const later = shownAt(attemptMsMax + 1000);
  expect(later.destination).toMatchObject({ attempts: 100, failures: 0 });
  expect(later.blockers.join()).not.toContain('just changed');
});
