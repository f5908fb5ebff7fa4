import { describe, expect, test } from 'vitest';
import { type PastRollout, takenBackBefore } from '../../src/cli/journal/history.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { BackPerformed, RolloutEvent } from '../../src/core/rollout/events.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { blamedIn, heldFor, unexplained } from '../../src/core/rollout/taken-back.ts';
import { foldedOnto, madeObservation, madeState, madeWatch } from '../made/rollout.ts';
import { Bench } from './bench.ts';

const takenBack = { 'build-3': 'rollout-web-1' };
const judging: RolloutEvent = { kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 };
const came = (destination: string): RolloutEvent => ({
  kind: 'builds-changed',
  builds: { origin: 'build-1', destination },
  pair: 2,
});
const resumed = (reason: string | null): RolloutEvent => ({ kind: 'resumed', by: 'kim', reason });
const held = /build-3.*was taken back in rollout-web-1.*--reason/;

function eventsAt(events: readonly RolloutEvent[], build: string) {
  const state = madeState([judging, ...events], { takenBack });
  return decide(state, madeWatch(state), running(build)).events;
}

const holds = (events: readonly RolloutEvent[]) => events.filter(({ kind }) => kind === 'held');

function running(build: string) {
  const seen = madeObservation({});
  const { reading } = seen.destination;
  if (!reading.known) throw new Error('the made group can be read');
  return { ...seen, destination: { ...seen.destination, reading: known({ ...reading.value, build: known(build) }) } };
}

describe('a build that was taken back and comes in by a deployment', () => {
  test('is held, at once and by name, before anything else is done with it', () => {
    expect(eventsAt([], 'build-3').map(({ kind }) => kind)).toEqual(['builds-changed', 'stage-entered']);
    expect(eventsAt([came('build-3')], 'build-3')).toMatchObject([
      { kind: 'held', by: 'drover', why: expect.stringMatching(held) },
    ]);
  });

  test('is held beside another that was not', () => {
    expect(eventsAt([came('build-2 + build-3')], 'build-2 + build-3')).toMatchObject([
      { kind: 'held', why: expect.stringMatching(held) },
    ]);
  });

  test('is held again where nobody says why it is tried again, and goes on with a reason', () => {
    const heldEvent: RolloutEvent = { kind: 'held', by: 'drover', why: 'it' };
    expect(eventsAt([came('build-3'), heldEvent, resumed(null)], 'build-3')).toMatchObject([
      { kind: 'held', why: expect.stringMatching(held) },
    ]);
    expect(holds(eventsAt([came('build-3'), heldEvent, resumed('it was the database')], 'build-3'))).toEqual([]);
  });

  test('is named also where a person holds already, whose hold is not forgotten over that', () => {
    const lunch: RolloutEvent = { kind: 'held', by: 'kim', why: 'lunch' };
    const state = madeState([judging, lunch, came('build-3')], { takenBack });
    const events = holds(decide(state, madeWatch(state), running('build-3')).events);
    expect(events).toMatchObject([{ why: expect.stringMatching(held), before: { by: 'kim', why: 'lunch' } }]);
    expect(holds(decide(foldedOnto(state, events), madeWatch(state), running('build-3')).events)).toEqual([]);
    expect(unexplained(state)).toEqual([{ build: 'build-3', operation: 'rollout-web-1' }]);
    expect(unexplained(foldedOnto(state, [resumed(null)]))).not.toEqual([]);
  });

  test('is named also where somebody takes a server out at that moment: who answers for that has read of it', () => {
    const bench = Bench.judging();
    bench.state = { ...bench.state, takenBack };
    bench.build = 'build-3';
    bench.admin['new-1'] = 'drain';
    const events = [bench.follow(), bench.follow(), bench.follow()].flat();
    expect(holds(events)).toMatchObject([{ blamed: [{ build: 'build-3' }], why: expect.stringMatching(held) }]);
    expect(bench.state.held?.why).toContain('Besides, somebody took new-1 out (drain) at edge');
  });

  test('is told together with what somebody has lowered at that moment', () => {
    const bench = Bench.judging();
    bench.state = { ...bench.state, takenBack };
    bench.weights['new-1'] = 10;
    bench.build = 'build-3';
    const told = holds([bench.follow(), bench.follow()].flat());
    expect(told.map((event) => (event.kind === 'held' ? event.why : '')).join()).toMatch(
      /build-3.*from weight 100 to 10/s,
    );
  });

  test('does not write over what a person says in the same moment', () => {
    const bench = Bench.judging();
    bench.state = { ...bench.state, takenBack };
    bench.build = 'build-3';
    bench.follow();
    bench.ask({ kind: 'hold', by: 'kim', why: 'the database is being moved' });
    expect(holds(bench.follow())).toEqual([{ kind: 'held', by: 'kim', why: 'the database is being moved' }]);
    expect(bench.follow()).toMatchObject([{ kind: 'held', why: expect.stringMatching(held), before: { by: 'kim' } }]);
    bench.ask({ kind: 'resume', by: 'kim', reason: null });
    expect(bench.follow()).toEqual([]);
    // A resume in the moment in which it is seen to be gone is one.
    bench.build = 'build-4';
    expect(bench.follow()).toMatchObject([{ kind: 'builds-changed' }, { kind: 'stage-entered' }]);
    bench.ask({ kind: 'resume', by: 'kim', reason: 'build 4 is the fix' });
    expect(holds(bench.follow())).toEqual([]);
    expect(bench.state.held).toBeNull();
  });

  test('is one like any other after another reason was given for it, and only for it', () => {
    const answered = madeState([judging, came('build-2 + build-3'), resumed('tried with build-2')], {
      takenBack: { ...takenBack, 'build-4': 'rollout-web-2' },
    });
    expect(unexplained(foldedOnto(answered, [{ ...came('build-3'), pair: 3 } as RolloutEvent]))).toEqual([]);
    expect(unexplained(foldedOnto(answered, [{ ...came('build-4'), pair: 3 } as RolloutEvent]))).toEqual([
      { build: 'build-4', operation: 'rollout-web-2' },
    ]);
  });

  test('stays held when it has gone again, which is said, and needs no reason then', () => {
    const held = [came('build-3'), heldFor([{ build: 'build-3', operation: 'rollout-web-1' }])];
    const other = { ...came('build-4'), pair: 3 } as RolloutEvent;
    const gone = eventsAt([...held, other], 'build-4');
    expect(gone).toMatchObject([
      { kind: 'held', by: 'drover', why: expect.stringMatching(/no such build runs at the destination any more/) },
    ]);
    expect(holds(eventsAt([...held, other, ...gone], 'build-4'))).toEqual([]);
    // Its instances were only unwell for a moment.
    const again = { ...came('build-3'), pair: 4 } as RolloutEvent;
    expect(eventsAt([...held, other, ...gone, again], 'build-3')).toMatchObject([
      { kind: 'held', blamed: [{ build: 'build-3' }] },
    ]);
    const lunch: RolloutEvent = { kind: 'held', by: 'kim', why: 'lunch' };
    expect(holds(eventsAt([...held, lunch, other], 'build-4'))).toEqual([]);
  });

  test('a reason is given for what runs when it is given, and nobody goes on without one', () => {
    const state = madeState([judging, came('build-3'), heldFor([{ build: 'build-3', operation: 'rollout-web-1' }])], {
      takenBack,
    });
    const asked = (build: string, reason: string | null) => {
      const request = { kind: 'resume', by: 'kim', reason } as const;
      return decide(state, madeWatch(state), { ...running(build), requests: [request] }).events;
    };
    expect(asked('build-3', null).filter(({ kind }) => kind === 'resumed')).toEqual([]);
    expect(asked('build-4', null).map(({ kind }) => kind)).toContain('resumed');
    const after = foldedOnto(state, asked('build-4', 'it is build-4 now'));
    expect(unexplained(foldedOnto(after, [{ ...came('build-3'), pair: 9 } as RolloutEvent]))).not.toEqual([]);
    const tried = foldedOnto(state, asked('build-3', 'it was the database'));
    expect(unexplained(tried)).toEqual([]);
  });

  test('that nobody knew when a reason was given for it at the start needs no second one', () => {
    const beginning = { takenBack, builds: { origin: 'build-1', destination: 'unknown' } };
    const first = { ...came('build-3'), pair: 1 } as RolloutEvent;
    expect(unexplained(madeState([first], { ...beginning, reason: 'it was the database' }))).toEqual([]);
    expect(unexplained(madeState([first], beginning))).not.toEqual([]);
  });

  test('is told by its own name, whatever a name may mean elsewhere, and a plus sign in it parts nothing', () => {
    expect(blamedIn({}, 'constructor')).toEqual([]);
    expect(blamedIn({ '1.4.2': 'rollout-web-1' }, '1.4.2+hotfix.1')).toEqual([]);
    expect(blamedIn({ '1.4.2': 'rollout-web-1' }, '1.4.2 + 1.4.3')).toEqual([
      { build: '1.4.2', operation: 'rollout-web-1' },
    ]);
  });

  test('is named with every other one that runs beside it, for one reason excuses both', () => {
    const both = { ...takenBack, 'build-4': 'rollout-web-2' };
    const state = madeState([judging, came('build-3 + build-4')], { takenBack: both });
    const [held] = decide(state, madeWatch(state), running('build-3 + build-4')).events;
    expect(held).toMatchObject({
      why: expect.stringContaining(
        'build build-3 was taken back in rollout-web-1 and build build-4 in rollout-web-2, and run at the destination (`drover why rollout-web-1` and `drover why rollout-web-2` tell why)',
      ),
    });
    const one = foldedOnto(state, [held as RolloutEvent, { ...came('build-4'), pair: 3 } as RolloutEvent]);
    expect(holds(decide(one, madeWatch(one), running('build-4')).events)).toMatchObject([
      { blamed: [{ build: 'build-4', operation: 'rollout-web-2' }] },
    ]);
  });

  test('holds nothing where it runs at the origin', () => {
    const state = madeState(
      [judging, { kind: 'builds-changed', builds: { origin: 'build-3', destination: 'build-2' }, pair: 2 }],
      {
        takenBack,
      },
    );
    expect(unexplained(state)).toEqual([]);
  });
});

test('a build that has completed since it was taken back needs no reason any more', () => {
  const at = (stage: RolloutState['stage'], back: RolloutState['back'], operation: string): PastRollout => ({
    state: { ...madeState([], { builds: { origin: 'build-1', destination: 'build-2' } }), operation, stage, back },
    entries: [],
  });
  const cause = { kind: 'asked', by: 'kim', reason: null } as const;
  const back = { cause, all: false, performedAtMs: 1, verdict: null, builds: ['build-2', 'build-3'], drained: null };
  const first = at({ kind: 'rolled-back' }, back, 'rollout-web-1');
  const second = at({ kind: 'completed' }, null, 'rollout-web-2');
  expect(takenBackBefore([first, second])).toEqual({ 'build-3': 'rollout-web-1' });
  expect(takenBackBefore([second, first])).toMatchObject({ 'build-2': 'rollout-web-1' });
});

describe('the build that a way back takes', () => {
  const started = { builds: { origin: 'build-1', destination: 'build-2' } };
  const asked = { kind: 'back', by: 'kim', reason: null, all: true } as const;
  const remembered = (state: RolloutState, seen: ReturnType<typeof madeObservation>) => {
    const back = decide(state, madeWatch(state), seen).events;
    expect(back).toMatchObject([{ kind: 'back-performed' }]);
    const past: PastRollout = { state: foldedOnto({ ...state, operation: 'rollout-web-7' }, back), entries: [] };
    return Object.keys(takenBackBefore([past]));
  };
  const completed: RolloutEvent = {
    kind: 'completed',
    share: 1,
    counted: { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } },
  };
  const unseen = () => {
    const seen = madeObservation({ requests: [asked] });
    return { ...seen, destination: { ...seen.destination, reading: unknown('no answer') } };
  };

  test('is each one that ran beside another, and none by name where nothing had come up', () => {
    const mixed = { origin: 'build-1', destination: 'build-2 + build-3' };
    const both = madeState([judging], { builds: mixed });
    expect(remembered(both, { ...running('build-2 + build-3'), requests: [asked] })).toEqual(['build-2', 'build-3']);
    const nothing = madeState([], { builds: { origin: 'build-1', destination: 'unknown' } });
    expect(remembered(nothing, unseen())).toEqual([]);
  });

  test('is the journalled one and the one that is seen in the same pass: nobody can tell which of them it was', () => {
    const state = madeState([judging], started);
    expect(remembered(state, { ...running('build-9'), requests: [asked] })).toEqual(['build-2', 'build-9']);
    expect(remembered(state, unseen())).toEqual(['build-2']);
  });

  test('is the one that runs, after a completion: nobody has followed what was deployed since', () => {
    const state = madeState([judging, completed], started);
    expect(remembered(state, { ...running('build-9'), requests: [asked] })).toEqual(['build-9']);
    expect(remembered(state, unseen())).toEqual(['build-2']);
  });

  test('is either, where somebody else has taken it: another one may have come since', () => {
    const state = madeState([judging, completed], started);
    const marked = { ...running('build-9'), marker: known('kim, offline'), leased: true };
    expect(remembered(state, marked)).toEqual(['build-2', 'build-9']);
  });

  test('is the journalled one by an entry of a version that did not write it down', () => {
    const state = madeState([judging], started);
    const [event] = decide(state, madeWatch(state), { ...running('build-9'), requests: [asked] }).events;
    const { ran: _, ...older } = event as BackPerformed;
    expect(foldedOnto(state, [older]).back?.builds).toEqual(['build-2']);
  });
});
