import { describe, expect, test } from 'vitest';
import type { InstanceState } from '../../src/core/observed/group.ts';
import type { BackCause, ForwardStage } from '../../src/core/rollout/events.ts';
import { Bench } from './bench.ts';

/** No destination server is up, and this is what their provider tells of them. */
function withoutDestination(state: InstanceState, restarts: number, bench = new Bench()): Bench {
  for (const name of bench.destination) {
    bench.health[name] = 'down';
    bench.instances[name] = state;
    bench.restarts[name] = restarts;
    bench.wrote[name] = ['FATAL: cannot read secret.conf', 'drover: it ended with status 3'];
  }
  for (let pass = 0; pass < 3; pass++) bench.follow();
  return bench;
}

const lacks = (bench: Bench) => bench.status().blockers.filter((text) => text.includes('destination instance'));
const words = 'last output: FATAL: cannot read secret.conf (it ended with status 3)';

function at(stage: ForwardStage, carrying: readonly string[]): Bench {
  const bench = new Bench();
  bench.carry(carrying);
  bench.append([{ kind: 'stage-entered', stage, attempt: 0 }]);
  return bench;
}

/** Why the next passes take the way back; null: they do not. */
function taken(bench: Bench, passes: number): BackCause | null {
  for (let pass = 0; pass < passes; pass++) {
    const back = bench.follow().find((event) => event.kind === 'back-performed');
    if (back !== undefined) return back.cause;
  }
  return null;
}

describe('a destination of which no instance comes up', () => {
  test('is waited for with its last words from the first failed start on', () => {
    const bench = withoutDestination('starting', 1);
    expect(bench.state.stage.kind).toBe('preparing');
    expect(lacks(bench)).toEqual([
      `step 1 of 1 (50 %) needs 1 destination instance, 0 are able; of an instance that does not come up: ${words}`,
    ]);
  });

  const needs = 'step 1 of 1 (50 %) needs 1 destination instance, 0 are able';

  test('and without words that say nothing while it starts for the first time, until that takes its time', () => {
    const bench = new Bench();
    for (const name of bench.destination) bench.startedAtMs[name] = bench.nowMs;
    withoutDestination('starting', 0, bench);
    expect(lacks(bench)).toEqual([needs]);
    for (let pass = 0; pass < 2; pass++) bench.follow();
    expect(lacks(bench)).toEqual([`${needs}; of an instance that does not come up: ${words}`]);
  });

  test('and with that it wrote nothing, where it never did', () => {
    const bench = withoutDestination('starting', 0);
    bench.wrote = {};
    expect(lacks(bench)).toEqual([`${needs}; of an instance that does not come up: it wrote nothing`]);
    bench.wrote['new-2'] = ['still waiting for the database'];
    expect(lacks(bench)[0]).toContain('last output: still waiting for the database');
  });

  test('is no reserve that is broken; an origin of which none comes up is, with its last words', () => {
    const bench = Bench.judging();
    bench.health['old-1'] = 'down';
    bench.health['old-2'] = 'down';
    bench.instances = { 'old-1': 'crash-looping', 'old-2': 'crash-looping' };
    bench.wrote['old-1'] = ['FATAL: cannot read secret.conf', 'drover: it ended with status 3'];
    bench.pass();
    const broken = bench.status().blockers.filter((text) => text.startsWith('the reserve is broken'));
    expect(broken).toEqual([expect.stringMatching(/ 0 able instances .*; of an instance that does not come up: last/)]);
    expect(broken[0]).toContain(words);
  });

  test.each<[string, ForwardStage, readonly string[], RegExp]>([
    [
      'for the whole share',
      { kind: 'growing', step: 2 },
      [],
      /^the whole share needs 2 destination instances, 0 are able/,
    ],
    ['to repeat the drill with', { kind: 'drill-restoring' }, [], /^step 1 of 1 .* 0 are able/],
    ['in the drill', { kind: 'drill-shifting' }, ['new-1'], /and of those that are to carry not new-1/],
    ['under the weights of a step', { kind: 'shifting', step: 1 }, ['new-1', 'new-2'], /not new-1, new-2/],
  ])('is waited for with its last words %s', (_, stage, carrying, lack) => {
    const bench = at(stage, carrying);
    for (const name of bench.destination) {
      bench.health[name] = 'down';
      bench.instances[name] = 'unhealthy';
      bench.wrote[name] = ['FATAL: cannot read secret.conf', 'drover: it ended with status 3'];
    }
    for (let pass = 0; pass < 2; pass++) bench.pass();
    expect(lacks(bench)).toEqual([expect.stringMatching(lack)]);
    expect(lacks(bench)[0]).toContain(words);
  });

  test('that only stays unhealthy ends when the time that capacity may take is over, and is told until then', () => {
    const bench = withoutDestination('unhealthy', 0);
    bench.pass();
    expect(lacks(bench)[0]).toContain(words);
    const { capacityMsMax } = bench.state.plan.policy;
    expect(taken(bench, capacityMsMax / 2000 - 10)).toBeNull();
    expect(taken(bench, 20)).toMatchObject({ kind: 'capacity', detail: expect.stringContaining(words) });
  });
});

describe('a destination that does not stay up before it carries anything', () => {
  test('is left once this rollout has seen it end three times, with what it wrote last', () => {
    const bench = withoutDestination('crash-looping', 2);
    expect(taken(bench, 2)).toBeNull();
    for (const name of bench.destination) bench.restarts[name] = 4;
    expect(taken(bench, 1)).toEqual({
      kind: 'tripwire',
      wire: 'crash loop',
      detail: `new-1 does not stay up; ${words}`,
    });
  });

  test('is left after half a minute where it cannot even be started, as on a port that is in use', () => {
    const bench = withoutDestination('crash-looping', 0);
    expect(taken(bench, 10)).toBeNull();
    expect(taken(bench, 10)).toMatchObject({ wire: 'crash loop' });
  });

  test('is not left for what it did before the rollout began, if it comes up now', () => {
    const bench = withoutDestination('crash-looping', 7);
    expect(taken(bench, 5)).toBeNull();
    for (const name of bench.destination) {
      bench.health[name] = 'up';
      bench.instances[name] = 'starting';
    }
    expect(taken(bench, 20)).toBeNull();
  });

  test('is not left while it is held: whoever holds it may be mending it', () => {
    const bench = withoutDestination('crash-looping', 0);
    bench.append([{ kind: 'held', by: 'kim', why: 'a look' }]);
    expect(taken(bench, 30)).toBeNull();
    bench.append([{ kind: 'resumed', by: 'kim', reason: 'no' }]);
    expect(taken(bench, 1)).toMatchObject({ wire: 'crash loop' });
  });
});
