import { describe, expect, test } from 'vitest';
import { known } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import { unexplained } from '../../src/core/rollout/taken-back.ts';
import { foldedOnto, madeObservation, madeState, madeWatch } from '../made/rollout.ts';

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
    expect(eventsAt([came('build-2+build-3')], 'build-2+build-3')).toMatchObject([
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

  test('holds nothing that is held already, and is not forgotten over that', () => {
    const lunch: RolloutEvent = { kind: 'held', by: 'kim', why: 'lunch' };
    const state = madeState([judging, lunch, came('build-3')], { takenBack });
    expect(holds(decide(state, madeWatch(state), running('build-3')).events)).toEqual([]);
    expect(unexplained(state)).toEqual({ build: 'build-3', operation: 'rollout-web-1' });
    expect(unexplained(foldedOnto(state, [resumed(null)]))).not.toBeNull();
  });

  test('is one like any other after another reason was given for it, and only for it', () => {
    const answered = madeState([judging, came('build-2+build-3'), resumed('tried with build-2')], {
      takenBack: { ...takenBack, 'build-4': 'rollout-web-2' },
    });
    expect(unexplained(foldedOnto(answered, [{ ...came('build-3'), pair: 3 } as RolloutEvent]))).toBeNull();
    expect(unexplained(foldedOnto(answered, [{ ...came('build-4'), pair: 3 } as RolloutEvent]))).toEqual({
      build: 'build-4',
      operation: 'rollout-web-2',
    });
  });

  test('holds nothing where it runs at the origin', () => {
    const state = madeState(
      [judging, { kind: 'builds-changed', builds: { origin: 'build-3', destination: 'build-2' }, pair: 2 }],
      {
        takenBack,
      },
    );
    expect(unexplained(state)).toBeNull();
  });
});
