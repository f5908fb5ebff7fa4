import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/core/journal/entry.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import type { OperationPorts } from '../../src/engine/operation-ports.ts';
import { PortError } from '../../src/engine/ports.ts';
import { simulate } from '../../src/sim/run.ts';
import { drawScenario, type Scenario } from '../../src/sim/scenario.ts';

const fullMs = 45_000;
/** Nothing goes wrong but the build, which fails thirty times as often: the judge takes it back. The disk is filled by the test. */
const scenario: Scenario = { ...drawScenario(8), faults: { 'disk-full': 1e-6 }, ratio: 30 };

describe('a way back while the disk is full', () => {
  test('is told as it happened: when it was taken and for what, and not when there was room again', async () => {
    const { run, violation, end } = await simulate(scenario, { ...named, ports: fullWhenBackIsTaken });
    const { entries } = run.checks.chain;
    const entry = entries.find(({ body }) => body.kind === 'back-performed');
    const rolledBack = entries.find(({ body }) => body.kind === 'rolled-back');
    expect([violation, end]).toEqual([null, 'rolled-back']);
    const performed = eventOf(entry, 'back-performed');
    expect(performed.cause.kind).toBe('judge');
    expect((entry?.atMs ?? 0) - performed.performedAtMs).toBeGreaterThanOrEqual(fullMs);
    expect(eventOf(rolledBack, 'rolled-back').tookMs).toBeGreaterThanOrEqual(fullMs);
  });

  test('is journalled though its reason is gone by then', async () => {
    const { run, violation, end } = await simulate(scenario, {
      ...named,
      ports: fullWhenBackIsTaken,
      // The judge forgets at once: only what was performed is left.
      decider: (real) => {
        let judged = 0;
        return {
          ...real,
          decide: (state, watch, observation) => {
            const isBack = watch.judge.decided === 'roll back' && state.back === null;
            if (isBack) judged++;
            const forgetful = judged > 1 ? { ...watch, judge: { ...watch.judge, decided: null } } : watch;
            return real.decide(state, forgetful, observation);
          },
        };
      },
    });
    expect([violation, end]).toEqual([null, 'rolled-back']);
    const entry = run.checks.chain.entries.find(({ body }) => body.kind === 'back-performed');
    expect(eventOf(entry, 'back-performed').cause.kind).toBe('judge');
  });
});

const named = { name: 'the disk is full when the way back is taken', seenIn: 1, shownBy: [], caughtBy: [] };

/** Nothing can be appended from the first `back-performed` on, for a while. */
function fullWhenBackIsTaken(ports: OperationPorts): OperationPorts {
  let fullUntilMs: number | null = null;
  const refuseWhenFull = () => {
    if (fullUntilMs === null || ports.clock.monotonic() >= fullUntilMs) return;
    throw new PortError('disk-full', 'no space left on the device', { retriable: true });
  };
  return {
    ...ports,
    journal: {
      ...ports.journal,
      append: async (expected, entries) => {
        if (entries.some(({ body }) => body.kind === 'back-performed'))
          fullUntilMs ??= ports.clock.monotonic() + fullMs;
        refuseWhenFull();
        return ports.journal.append(expected, entries);
      },
    },
  };
}

function eventOf<Kind extends RolloutEvent['kind']>(entry: Entry | undefined, kind: Kind) {
  const body = entry?.body as RolloutEvent | undefined;
  if (body?.kind !== kind) throw new Error(`there is no ${kind}`);
  return body as Extract<RolloutEvent, { readonly kind: Kind }>;
}
