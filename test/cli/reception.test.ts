import { describe, expect, test } from 'vitest';
import { isBack } from '../../src/cli/controller/ending.ts';
import { openReception } from '../../src/cli/controller/reception.ts';
import { exitCodeOf } from '../../src/cli/controller/rollout.ts';
import type { OperatorRequest } from '../../src/core/rollout/observation.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { createInbox } from '../../src/engine/inbox.ts';
import type { Glance } from '../../src/engine/operation.ts';
import { Bench } from '../rollout/bench.ts';

const back: OperatorRequest = { kind: 'back', by: 'ada', reason: null, all: false };
const hold: OperatorRequest = { kind: 'hold', by: 'ada', why: 'lunch' };

test('a way back that came in after the last pass keeps the loop running, with everything else that came in', () => {
  const inbox = createInbox();
  const reception = openReception('rollout-web-1', inbox);
  reception.accept(hold);
  reception.accept(back);
  expect(reception.close()).toBe(false);
  expect(inbox.urgent().aborted).toBe(true);
  expect(inbox.take()).toEqual([hold, back]);
  expect(reception.close()).toBe(true);
});

test('after the end nothing is accepted, so that whoever asks goes another way', () => {
  const inbox = createInbox();
  const reception = openReception('rollout-web-1', inbox);
  reception.accept(hold);
  expect(reception.close()).toBe(true);
  expect(() => reception.accept(back)).toThrow(/is ending, and takes nothing any more/);
  expect(inbox.take()).toEqual([]);
});

test('given up by a second signal, it closes over whatever came in', () => {
  const reception = openReception('rollout-web-1', createInbox());
  reception.accept(back);
  reception.shut();
  expect(() => reception.accept(back)).toThrow(/is ending/);
});

test('a way back that the marker tells of was taken, though this controller cannot write it down', () => {
  const bench = Bench.judging();
  const glance = (): Glance => ({
    ...{
      state: bench.state,
      watch: bench.watch,
      observation: bench.observe(),
      trouble: 'the disk is full',
      troubles: [],
    },
    decision: { events: [], effects: [], back: [], wakeAtMs: null, ended: false },
  });
  expect(isBack(bench.state, glance())).toBe(false);
  bench.marker = 'kim, offline';
  expect(isBack(bench.state, glance())).toBe(true);
});

describe('the exit status of a controller', () => {
  const of = (kind: RolloutState['stage']['kind'], isBack: boolean, standing: readonly string[] = []) =>
    exitCodeOf({
      kind: 'stopped',
      state: { stage: { kind } } as RolloutState,
      trouble: null,
      isBack,
      left: [],
      standing,
    });

  test('is 1 as long as something of a way back stands, and 2 once nothing does, whatever the journal knows', () => {
    const stands = ['edge/web#2 does not answer'];
    expect([of('cutting', true, stands), of('completed', true, stands)]).toEqual([1, 1]);
    expect([of('cutting', true), of('completed', true), of('judging', true), of('rolled-back', true)]).toEqual([
      2, 2, 2, 2,
    ]);
  });

  test('is 0 for what is completed, and 2 for what is held', () => {
    expect([of('completed', false), of('judging', false)]).toEqual([0, 2]);
  });
});
