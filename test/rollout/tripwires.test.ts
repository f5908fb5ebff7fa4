import { describe, expect, test } from 'vitest';
import type { InstanceReading } from '../../src/core/observed/group.ts';
import { unknown } from '../../src/core/observed/reading.ts';
import { checkpointOf } from '../../src/core/rollout/checkpoint.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { BackCause } from '../../src/core/rollout/events.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import { startRestarts } from '../../src/core/rollout/restarts.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { type Watch, watch } from '../../src/core/rollout/watch.ts';
import {
  foldedOnto,
  madeInstance,
  madeObservation,
  madeWatch,
  nowMs,
  stateAt,
  waitingTarget,
} from '../made/rollout.ts';

const judging = stateAt({ kind: 'judging', step: 1 });
const looping = madeInstance('new-2', { state: 'crash-looping', lastOutput: ['no such module'] });

function taken(state: RolloutState, seen: Observation, watched = madeWatch(state)): BackCause | null {
  const [event] = decide(state, watched, seen).events;
  return event?.kind === 'back-performed' ? event.cause : null;
}

function restarted(times: number): Watch {
  return madeWatch(judging, { restarts: { ...startRestarts(judging), total: times } });
}

describe('a destination that falls over', () => {
  test('is left as soon as one of its instances does not stay up, with what that wrote', () => {
    const seen = madeObservation({ destination: { instances: [madeInstance('new-1'), looping] } });
    expect(taken(judging, seen)).toEqual({
      kind: 'tripwire',
      wire: 'crash loop',
      detail: 'new-2 does not stay up; last output: no such module',
    });
  });

  test('is left at the third time that an instance ended by itself, not at the second', () => {
    expect(taken(judging, madeObservation(), restarted(2))).toBeNull();
    expect(taken(judging, madeObservation(), restarted(3))).toMatchObject({ kind: 'tripwire', wire: 'restarts' });
  });

  test('is left for restarts with the last words of one that is not up again, if there is one', () => {
    const starting = madeInstance('new-2', { state: 'starting', restarts: 3, lastOutput: ['out of memory'] });
    const seen = madeObservation({ destination: { instances: [madeInstance('new-1'), starting] } });
    expect(taken(judging, seen, restarted(3))).toMatchObject({
      detail: 'destination instances ended by themselves 3 times; last output: out of memory',
    });
    expect(taken(judging, madeObservation(), restarted(3))).toMatchObject({
      detail: 'destination instances ended by themselves 3 times',
    });
  });

  test('is not left for what ended before anybody was sent there; what ends from the drill on counts', () => {
    const preparing = stateAt({ kind: 'preparing' }, waitingTarget);
    const look = (before: Watch, state: RolloutState, restarts: number, passes: number) =>
      watch(
        before,
        state,
        madeObservation({
          nowMs: nowMs + passes * 1000,
          destination: { instances: [madeInstance('new-1', { restarts })] },
        }),
      );
    const waited = look(look(madeWatch(preparing), preparing, 0, 1), preparing, 4, 2);
    expect(waited.restarts.total).toBe(4);
    const drilling = foldedOnto(preparing, [
      checkpointOf(preparing, waited, 0),
      { kind: 'stage-entered', stage: { kind: 'drill-shifting' }, attempt: 0 },
    ]);
    expect(look(waited, drilling, 4, 3).restarts.total).toBe(0);
    expect(madeWatch(drilling).restarts.total).toBe(0);
    const next = look(look(waited, drilling, 5, 3), drilling, 6, 4);
    expect(next.restarts.total).toBe(2);
    const again = foldedOnto(drilling, [
      checkpointOf(drilling, next, 0),
      { kind: 'stage-entered', stage: { kind: 'drill-back' }, attempt: 0 },
      { kind: 'stage-entered', stage: { kind: 'drill-restoring' }, attempt: 0 },
      { kind: 'stage-entered', stage: { kind: 'drill-shifting' }, attempt: 0 },
    ]);
    expect(look(next, again, 7, 5).restarts.total).toBe(3);
    expect(madeWatch(again).restarts.total).toBe(2);
  });

  test('trips nothing while it carries nothing, and is nobody’s but the destination’s', () => {
    const waiting = stateAt({ kind: 'growing', step: 1 }, waitingTarget);
    const servers = { 'new-1': { weight: 0 }, 'new-2': { weight: 0 } };
    expect(taken(waiting, madeObservation({ servers, destination: { instances: [looping] } }))).toBeNull();
    const origin = { instances: [madeInstance('old-1', { state: 'crash-looping' })] };
    expect(taken(judging, madeObservation({ origin }))).toBeNull();
  });

  test('an instance that is seen for the first time brings no restarts with it; those that follow count', () => {
    const look = (before: Watch, instances: readonly InstanceReading[], passes: number) =>
      watch(before, judging, madeObservation({ nowMs: nowMs + passes * 1000, destination: { instances } }));
    const first = look(madeWatch(judging), [madeInstance('new-1', { restarts: 7 })], 1);
    expect(first.restarts.total).toBe(0);
    const again = look(first, [madeInstance('new-1', { restarts: 9 }), madeInstance('new-3', { restarts: 5 })], 2);
    expect(again.restarts.total).toBe(2);
    const replaced = look(again, [madeInstance('new-1', { restarts: 0 })], 3);
    expect(replaced.restarts.total).toBe(2);
    const seen = madeObservation({ nowMs: nowMs + 4000 });
    const unread = { ...seen, destination: { atMs: seen.nowMs, reading: unknown('no answer') } };
    expect(watch(replaced, judging, unread).restarts).toEqual(replaced.restarts);
  });
});

describe('a deployment of the destination', () => {
  const look = (before: Watch, instances: readonly Partial<InstanceReading>[], state = judging) =>
    watch(
      before,
      state,
      madeObservation({
        nowMs: (before.sinceMs ?? nowMs) + 1000,
        destination: { instances: instances.map((made, index) => madeInstance(`new-${index + 1}`, made)) },
      }),
    );
  const old = { restarts: 0, build: 'build-2' };
  const young = { restarts: 1, build: 'build-3' };

  test('that ends one instance after the other is no crash of any of them', () => {
    let seen = look(madeWatch(judging), [old, old, old]);
    for (const instances of [
      [young, old, old],
      [young, young, old],
      [young, young, young],
    ])
      seen = look(seen, instances);
    expect(seen.restarts.total).toBe(0);
    seen = look(seen, [young, young, { ...young, restarts: 3 }]);
    expect(seen.restarts.total).toBe(2);
  });

  test('is known by what an instance tells when it is up; until then it ends by itself', () => {
    const starting = { restarts: 1, build: null };
    const down = look(look(madeWatch(judging), [old]), [starting]);
    expect(down.restarts.total).toBe(1);
    expect(look(down, [young]).restarts.total).toBe(0);
    expect(look(down, [{ ...old, restarts: 1 }]).restarts.total).toBe(1);
    const again = look(look(down, [{ ...starting, restarts: 2 }]), [{ ...starting, restarts: 3 }]);
    expect(taken(judging, madeObservation(), again)).toMatchObject({ wire: 'restarts' });
  });

  test('leaves the restarts of the builds before behind, in the journal too', () => {
    const seen = look(look(madeWatch(judging), [old]), [{ ...old, restarts: 2 }]);
    const deployed = foldedOnto(judging, [
      checkpointOf(judging, seen, 0),
      { kind: 'builds-changed', builds: { origin: 'build-1', destination: 'build-3' }, pair: 2 },
    ]);
    expect(look(seen, [{ ...young, restarts: 3 }], deployed).restarts.total).toBe(0);
    expect(madeWatch(deployed).restarts.total).toBe(0);
    const next = look(look(seen, [{ restarts: 2, build: null }], deployed), [{ restarts: 3, build: null }], deployed);
    expect(next.restarts.total).toBe(1);
  });
});

describe('how much is taken at once', () => {
  const back = (attempts: number, failures: number) => {
    const watched = madeWatch(judging, {
      origin: { attempts: 500, failures: 0 },
      destination: { attempts, failures },
      restarts: { ...startRestarts(judging), total: 3 },
    });
    const [event] = decide(judging, watched, madeObservation()).events;
    if (event?.kind !== 'back-performed') throw new Error('no way back was taken');
    return event.all;
  };

  test('everything where half of the destination’s attempts fail, whatever the origin can carry', () => {
    expect(back(20, 10)).toBe(true);
    expect(back(20, 9)).toBe(false);
    expect(back(500, 500)).toBe(true);
  });

  test('not on the word of fewer than twenty attempts', () => {
    expect(back(19, 19)).toBe(false);
  });
});
