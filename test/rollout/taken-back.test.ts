import { describe, expect, test } from 'vitest';
import type { PastRollout } from '../../src/cli/journal/history.ts';
import { sentenceOf } from '../../src/cli/journal/sentences.ts';
import { reportLines } from '../../src/cli/why/report.ts';
import { unknown } from '../../src/core/observed/reading.ts';
import { checkpointOf } from '../../src/core/rollout/checkpoint.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { RolloutEvent, Target } from '../../src/core/rollout/events.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { startWatch } from '../../src/core/rollout/watch.ts';
import {
  foldedOnto,
  halfTarget,
  madeInstance,
  madeObservation,
  madeWatch,
  nowMs,
  sinceMs,
  sizedPlan,
  stateAt,
} from '../made/rollout.ts';
import { Bench } from './bench.ts';

const inMaint = { 'new-1': { weight: 0, admin: 'maint' }, 'new-2': { weight: 0, admin: 'maint' } } as const;
const cut: Target = {
  ...halfTarget,
  requestedShare: 0,
  traffic: { edge: { ...halfTarget.traffic['edge'], ...inMaint } },
};
const counted = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } };

function performed(performedAtMs: number): RolloutEvent {
  const cause = { kind: 'asked', by: 'kim', reason: null } as const;
  return { kind: 'back-performed', cause, all: true, target: cut, verdict: null, performedAtMs, counted };
}

const cutting = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [performed(sinceMs)]);
const { drainMsMax, settleMsMax } = sizedPlan.policy;

describe('a way back that was performed', () => {
  const events = (idleReadings: number, inFlight: number, waitedMs: number, watchedSinceMs = 0) =>
    decide(
      cutting,
      madeWatch(cutting, { idleReadings, inFlight, sinceMs: watchedSinceMs }),
      madeObservation({ servers: inMaint, nowMs: sinceMs + waitedMs }),
    ).events.map(({ kind }) => kind);

  test('is drained once two readings showed no attempt, and nothing is under way', () => {
    expect(events(2, 0, 1000)).toEqual(['drained', 'intended']);
    expect(events(1, 0, 1000)).toEqual([]);
    expect(events(2, 1, 1000)).toEqual([]);
  });

  test('waits for requests that are under way as long as the policy says, and as long as this controller has looked', () => {
    expect(events(2, 1, drainMsMax - 1)).toEqual([]);
    expect(events(2, 1, drainMsMax)).toEqual(['drained', 'intended']);
    expect(events(2, 1, drainMsMax, sinceMs + 1)).toEqual([]);
    expect(events(1, 1, drainMsMax)).toEqual([]);
  });

  test('is not drained while a balancer or a group cannot be read, nor while one does not show it', () => {
    const watched = madeWatch(cutting, { idleReadings: 2 });
    const seen = madeObservation({ servers: inMaint });
    const unread = { atMs: nowMs, reading: unknown('no answer') };
    expect(decide(cutting, watched, { ...seen, backends: { edge: unread } }).events).toEqual([]);
    expect(decide(cutting, watched, { ...seen, origin: unread }).events).toEqual([]);
    const carries = madeObservation({ servers: { 'new-2': inMaint['new-2'] } });
    const again = decide(cutting, watched, carries);
    expect(again.events).toEqual([]);
    expect(again.effects).toMatchObject([
      { kind: 'traffic', weights: { 'new-1': 0 }, states: { 'new-1': 'maint' }, raises: false, statesFirst: true },
    ]);
  });

  test('is looked at again within a fifth of a second', () => {
    const seen = madeObservation({ servers: inMaint });
    expect(decide(cutting, madeWatch(cutting), seen).wakeAtMs).toBe(nowMs + 200);
  });
});

describe('a destination that is seen to fail after the way back was taken', () => {
  const part: RolloutEvent = { ...performed(sinceMs), all: false } as RolloutEvent;
  const failing = { attempts: 40, failures: 30 };
  const later = (state: RolloutState, seen: Parameters<typeof madeObservation>[0]) =>
    decide(state, madeWatch(state, { destination: failing, inFlight: 1 }), madeObservation(seen));

  test('is not taken back once more where everything was taken: its last requests end as failures', () => {
    const whole = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [part]);
    expect(later(whole, { servers: inMaint, nowMs: sinceMs + 3000 }).events).toEqual([]);
    // Not seen there yet: it is written again, and was taken when it was taken.
    expect(later(whole, { nowMs: sinceMs + 3000 })).toMatchObject({ events: [], effects: [{ kind: 'traffic' }] });
  });

  test('is taken whole where a part was left, by a way back that began when it began', () => {
    const left = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [{ ...part, target: halfTarget } as RolloutEvent]);
    const { events } = later(left, { nowMs: sinceMs + 3000 });
    expect(events).toMatchObject([{ kind: 'back-performed', all: true, performedAtMs: sinceMs }]);
    expect(foldedOnto(left, events).back).toMatchObject({ all: true, performedAtMs: sinceMs });
  });

  test('is taken where the target takes it and the origin stands no more', () => {
    const whole = foldedOnto(stateAt({ kind: 'judging', step: 1 }), [part]);
    const down = { 'old-1': { health: 'down' }, 'old-2': { health: 'down' } } as const;
    expect(later(whole, { servers: down, nowMs: sinceMs + 3000 }).events).toMatchObject([
      { kind: 'back-performed', all: true, performedAtMs: sinceMs },
    ]);
    expect(later(whole, { servers: { ...down, ...inMaint }, nowMs: sinceMs + 3000 }).events).toEqual([]);
  });
});

describe('putting things as they were found', () => {
  const restored = {
    ...cut,
    traffic: {
      edge: {
        ...halfTarget.traffic['edge'],
        'new-1': { weight: 0, admin: 'ready' },
        'new-2': { weight: 0, admin: 'ready' },
      },
    },
  } as const;
  const restoring = foldedOnto(cutting, [
    { kind: 'drained', inFlight: 0, afterMs: 1, counted },
    { kind: 'intended', target: { ...restored, origin: null, destination: null }, why: 'as found' },
  ]);
  const waiting = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
  const stopping = { instances: [madeInstance('new-1'), madeInstance('new-2', { state: 'stopping' })] };
  const kinds = (seen: Parameters<typeof madeObservation>[0]) =>
    decide(restoring, madeWatch(restoring), madeObservation({ servers: waiting, ...seen })).events.map(
      ({ kind }) => kind,
    );

  test('ends the rollout when everything is, and says how long all of it took', () => {
    const seen = madeObservation({ servers: waiting, nowMs: sinceMs + 5000 });
    expect(decide(restoring, madeWatch(restoring), seen).events).toEqual([{ kind: 'rolled-back', tookMs: 5000 }]);
  });

  test('does not end it while a weight or a state is another, or nobody can tell', () => {
    expect(kinds({ servers: { ...waiting, 'old-1': { weight: 50 } } })).toEqual([]);
    expect(kinds({ servers: inMaint })).toEqual([]);
    expect(kinds({ backends: { edge: { atMs: nowMs, reading: unknown('no answer') } } })).toEqual([]);
  });

  test('waits for instances that are being stopped, and for none that cannot be', () => {
    expect(kinds({ destination: stopping, nowMs: sinceMs + settleMsMax - 1 })).toEqual([]);
    expect(kinds({ destination: stopping, nowMs: sinceMs + settleMsMax })).toEqual(['rolled-back']);
  });
});

describe('the share before the way back', () => {
  const kim = { kind: 'back', by: 'kim', reason: null, all: false } as const;
  const taken = (bench: Bench) => bench.pass().events.find(({ kind }) => kind === 'back-performed');

  test('is what was seen then, not what the last checkpoint says', () => {
    const bench = Bench.judging();
    bench.append([checkpointOf(bench.state, bench.watch, bench.nowMs)]);
    bench.carry(['new-1']);
    for (let index = 0; index < 3; index++) bench.pass();
    bench.ask(kim);
    const event = taken(bench);
    expect(event).toMatchObject({ shareBefore: expect.closeTo(1 / 3, 2) });
    bench.append(event === undefined ? [] : [event]);
    const entry = { operation: 'move', seq: 1, previous: '', hash: '', actor: 'kim', atMs: bench.nowMs, rules: 1 };
    const past: PastRollout = { state: bench.state, entries: event === undefined ? [] : [{ ...entry, body: event }] };
    expect(reportLines(past, null, null).join('\n')).toContain('Share of the destination before: 33.3');
  });

  test('is not known where somebody else had taken it, or nothing was counted', () => {
    const bench = Bench.judging();
    bench.marker = 'kim, offline';
    expect(taken(bench)).toMatchObject({ cause: { kind: 'found' }, shareBefore: null });
    const fresh = Bench.judging();
    fresh.watch = startWatch(fresh.state);
    fresh.ask(kim);
    expect(taken(fresh)).toMatchObject({ shareBefore: null });
  });
});

describe('what the report says is to be committed again', () => {
  const whole = sizedPlan.steps.length + 1;
  const told = (events: readonly RolloutEvent[]) => {
    const entries = events.map((body, seq) => ({
      ...{ operation: 'move', seq, previous: '', hash: '', actor: 'kim', atMs: 1, rules: 7, body },
    }));
    return reportLines({ state: foldedOnto(stateAt({ kind: 'judging', step: 1 }), events), entries }, null, null).join(
      '\n',
    );
  };
  const entered = (step: number): RolloutEvent => ({
    kind: 'stage-entered',
    stage: { kind: 'judging', step },
    attempt: 1,
  });

  test('is there as soon as a way back is taken from the whole share, whose lines may have been committed', () => {
    const lines = /## To commit[^#]*server old-1 … weight 100/;
    expect(told([entered(whole), performed(2)])).toMatch(lines);
    expect(told([entered(whole), performed(2), { kind: 'rolled-back', tookMs: 1 }])).toMatch(lines);
    expect(told([entered(whole - 1), performed(2)])).not.toContain('To commit');
  });
});

describe('who takes the way back', () => {
  const judging = stateAt({ kind: 'judging', step: 1 });
  const back = (state: RolloutState, seen: Parameters<typeof madeObservation>[0]) =>
    decide(state, madeWatch(state), madeObservation(seen)).events.find(({ kind }) => kind === 'back-performed');
  const asked = { kind: 'back', by: 'kim', reason: 'it is slow', all: true } as const;

  test('an operator, at any time and also with no lease; what was asked for stands in the entry', () => {
    expect(back(judging, { requests: [asked], leased: false })).toMatchObject({
      cause: { kind: 'asked', by: 'kim', reason: 'it is slow' },
      all: true,
    });
    const completed = foldedOnto(judging, [{ kind: 'completed', share: 1, counted }]);
    expect(back(completed, { requests: [asked] })).toMatchObject({ all: true });
  });

  test('nobody, once it was taken', () => {
    const over = foldedOnto(cutting, [{ kind: 'rolled-back', tookMs: 1 }]);
    expect(back(over, { requests: [asked], servers: inMaint })).toBeUndefined();
    expect(back(cutting, { requests: [asked], servers: inMaint })).toBeUndefined();
  });

  test('somebody else, which only the holder of the lease writes down', () => {
    expect(back(judging, { servers: inMaint })).toMatchObject({ cause: { kind: 'found' } });
    expect(back(judging, { servers: inMaint, leased: false })).toBeUndefined();
    expect(back(judging, { servers: { 'new-1': { admin: 'maint' } } })).toBeUndefined();
  });

  test('somebody else, also of the one server that the drill gives a little', () => {
    const traffic = {
      edge: {
        ...halfTarget.traffic['edge'],
        'new-1': { weight: 1, admin: 'ready' as const },
        'new-2': { weight: 0, admin: 'ready' as const },
      },
    };
    const drilling = stateAt({ kind: 'drill-shifting' }, { ...halfTarget, requestedShare: null, traffic });
    const servers = { 'new-1': { weight: 1, admin: 'maint' as const }, 'new-2': { weight: 0 } };
    expect(back(drilling, { servers })).toMatchObject({
      cause: { kind: 'found', detail: expect.stringContaining('at edge') },
    });
  });

  test('all of it, where a part was taken and somebody asks for everything', () => {
    const kept: Target = {
      ...cut,
      traffic: { edge: { ...cut.traffic['edge'], 'new-2': { weight: 100, admin: 'ready' } } },
    };
    const part = foldedOnto(judging, [{ ...performed(sinceMs), all: false, target: kept } as RolloutEvent]);
    const servers = { 'new-1': inMaint['new-1'] };
    expect(back(part, { servers, requests: [{ ...asked, all: false }] })).toBeUndefined();
    expect(back(part, { servers, requests: [asked] })).toMatchObject({
      all: true,
      target: { traffic: { edge: inMaint } },
    });
  });

  test('a part of it, as much as the origin servers that carry can bear, and what is left is told as users have it', () => {
    const servers = { 'old-2': { admin: 'maint' as const } };
    const half = { attempts: 500, failures: 0 };
    const look = (state: RolloutState, requests: Observation['requests'] = []) => {
      const seen = madeObservation({ servers, requests, nowMs });
      return decide(state, madeWatch(state, { origin: half, destination: half }), seen).events;
    };
    const performed = look(judging, [{ ...asked, all: false }]);
    expect(performed).toMatchObject([{ kind: 'back-performed', target: { leftShare: 200 / 300 } }]);
    const [event] = look(foldedOnto(judging, performed));
    if (event?.kind !== 'intended') throw new Error('nothing more was taken');
    const { leftShare = 0, traffic } = event.target;
    const weight = (name: string) => traffic['edge']?.[name]?.weight ?? 0;
    const kept = weight('new-1') + weight('new-2');
    // 70 of 100 requests/s are what one of them carries.
    expect(kept / (kept + weight('old-1'))).toBeCloseTo(0.3, 2);
    expect(leftShare).toBeCloseTo(0.3, 2);
    expect(sentenceOf(event)).toMatch(/new-2 still carries 30 %/);
  });

  test('nobody has, where a server was not seen to carry yet', () => {
    const written = foldedOnto(judging, [{ kind: 'balancer-restarted', backend: 'edge', process: 'edge/2' }]);
    expect(back(written, { servers: inMaint, process: 'edge/2' })).toBeUndefined();
  });
});
