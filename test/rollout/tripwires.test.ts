import { describe, expect, test } from 'vitest';
import type { InstanceReading } from '../../src/core/observed/group.ts';
import { unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { BackCause } from '../../src/core/rollout/events.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { type Watch, watch } from '../../src/core/rollout/watch.ts';
import { madeInstance, madeObservation, madeWatch, nowMs, stateAt, waitingTarget } from '../made/rollout.ts';

const judging = stateAt({ kind: 'judging', step: 1 });
const looping = madeInstance('new-2', { state: 'crash-looping', lastOutput: ['no such module'] });

function taken(state: RolloutState, seen: Observation, watched = madeWatch(state)): BackCause | null {
  const [event] = decide(state, watched, seen).events;
  return event?.kind === 'back-performed' ? event.cause : null;
}

function restarted(times: number): Watch {
  return madeWatch(judging, { restarts: { total: times, byInstance: {} } });
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

describe('how much is taken at once', () => {
  const back = (attempts: number, failures: number) => {
    const watched = madeWatch(judging, {
      origin: { attempts: 500, failures: 0 },
      destination: { attempts, failures },
      restarts: { total: 3, byInstance: {} },
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
