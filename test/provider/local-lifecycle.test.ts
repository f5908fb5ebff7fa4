import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailedStart,
  type Fact,
  type InstanceRecord,
  isCrashLooping,
  nextStep,
  type Phase,
  type Surroundings,
} from '../../src/io/provider/local/lifecycle.ts';

const process = { pid: 77, startTicks: 5, bootId: 'boot' };
const around: Surroundings = {
  fact: 'alive',
  ending: 'it ended',
  wanted: true,
  nowMs: 100_000,
  drainMs: 1_000,
  stopMsMax: 5_000,
};

function recordIn(phase: Phase, changes: Partial<InstanceRecord> = {}): InstanceRecord {
  const rest = {
    index: 0,
    token: 'store/group/0/one',
    build: null,
    startedAtMs: 99_000,
    restarts: 0,
    streak: 0,
    note: null,
  };
  return { ...rest, phase, ...changes };
}

const stopping = (sinceMs: number, termAtMs: number | null) =>
  recordIn({ kind: 'stopping', process, sinceMs, termAtMs });

describe('the life of an instance', () => {
  it('is reported stopping, drained, asked to end and only then killed', () => {
    const first = nextStep(recordIn({ kind: 'running', process }), { ...around, wanted: false });
    expect(first).toMatchObject({
      kind: 'save',
      record: { phase: { kind: 'stopping', sinceMs: 100_000, termAtMs: null } },
    });
    const unwanted = { ...around, wanted: false };
    expect(nextStep(stopping(99_001, null), unwanted)).toEqual({ kind: 'nothing' });
    expect(nextStep(stopping(99_000, null), unwanted)).toMatchObject({ kind: 'signal', signal: 'SIGTERM' });
    expect(nextStep(stopping(90_000, 95_001), unwanted)).toEqual({ kind: 'nothing' });
    expect(nextStep(stopping(90_000, 95_000), unwanted)).toMatchObject({ kind: 'signal', signal: 'SIGKILL' });
    expect(nextStep(stopping(90_000, 95_000), { ...unwanted, fact: 'gone' })).toEqual({ kind: 'remove' });
  });

  it('goes on when it is wanted again before SIGTERM, and is started anew after', () => {
    expect(nextStep(stopping(99_900, null), around)).toMatchObject({ record: { phase: { kind: 'running', process } } });
    expect(nextStep(stopping(99_900, 99_950), around)).toEqual({ kind: 'nothing' });
    const gone = nextStep(stopping(99_900, 99_950), { ...around, fact: 'gone' });
    expect(gone).toMatchObject({ record: { phase: { kind: 'waiting', restart: false } } });
  });

  it('waits longer after each quick end, is called crash-looping after three, and is trusted again after a minute', () => {
    let record = recordIn({ kind: 'running', process });
    const delaysMs: number[] = [];
    for (let end = 1; end <= 8; end += 1) {
      const step = nextStep(record, { ...around, fact: 'gone' });
      if (step.kind !== 'save' || step.record.phase.kind !== 'waiting') throw new Error('expected to wait');
      delaysMs.push(step.record.phase.startAfterMs - around.nowMs);
      expect(isCrashLooping(step.record)).toBe(end >= 3);
      record = { ...step.record, phase: { kind: 'running', process } };
    }
    expect(delaysMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(nextStep(record, { ...around, nowMs: 158_999 })).toEqual({ kind: 'nothing' });
    expect(nextStep(record, { ...around, nowMs: 159_000 })).toMatchObject({ record: { streak: 0, note: null } });
  });

  it('does not count a start that did not happen as a restart', () => {
    const failed = afterFailedStart(
      recordIn({ kind: 'waiting', startAfterMs: 0, restart: false }),
      false,
      'no port',
      100_000,
    );
    expect(failed.phase).toEqual({ kind: 'waiting', startAfterMs: 100_500, restart: false, startFailed: true });
  });

  it('is not delayed by a clock that was set back', () => {
    const hourAhead = around.nowMs + 3_600_000;
    expect(nextStep(recordIn({ kind: 'waiting', startAfterMs: hourAhead, restart: true }), around)).toEqual({
      kind: 'start',
    });
  });
});

describe('the life of an instance, whatever is found', () => {
  const moments = fc.nat(200_000);
  const phases: fc.Arbitrary<Phase> = fc.oneof(
    fc.record({ kind: fc.constant('waiting' as const), startAfterMs: moments, restart: fc.boolean() }),
    fc.record({
      kind: fc.constant('claimed' as const),
      restart: fc.boolean(),
      process: fc.option(fc.constant(process)),
    }),
    fc.constant({ kind: 'running' as const, process }),
    fc.record({
      kind: fc.constant('stopping' as const),
      process: fc.constant(process),
      sinceMs: moments,
      termAtMs: fc.option(moments),
    }),
  );
  const facts = fc.constantFrom<Fact>('alive', 'at-gate', 'gone', 'leftovers', 'unsure');

  it('signals nobody while unsure, starts nothing beside a process, and forgets no process that lives (safety)', () => {
    fc.assert(
      fc.property(phases, facts, fc.boolean(), moments, (phase, fact, wanted, nowMs) => {
        const step = nextStep(recordIn(phase), { ...around, fact, wanted, nowMs });
        const hasProcess = 'process' in phase && phase.process !== null;
        if (hasProcess && fact === 'unsure') expect(['nothing', 'save']).toContain(step.kind);
        if (step.kind === 'start') expect(hasProcess).toBe(false);
        if (step.kind === 'remove' && hasProcess) expect(fact).toBe('gone');
        if (step.kind === 'signal') expect(hasProcess).toBe(true);
        if (step.kind === 'save' && hasProcess && fact !== 'gone')
          expect(step.record.phase).toHaveProperty('process', process);
      }),
    );
  });

  it('ends an unwanted instance in bounded time (liveness)', () => {
    fc.assert(
      fc.property(phases, fc.boolean(), moments, (start, obeys, startMs) => {
        let record = recordIn(start);
        let fact: Fact = 'alive';
        for (let pass = 0; pass < 60; pass += 1) {
          const step = nextStep(record, { ...around, fact, wanted: false, nowMs: startMs + pass * 200 });
          if (step.kind === 'remove') return;
          if (step.kind === 'signal' && (obeys || step.signal === 'SIGKILL')) fact = 'gone';
          if (step.kind === 'save' || step.kind === 'signal') record = step.record;
        }
        throw new Error(`still there: ${JSON.stringify(record)}`);
      }),
    );
  });
});
