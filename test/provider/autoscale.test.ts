import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AutoscaleInput, autoscale } from '../../src/io/provider/local/autoscale.ts';

const base: AutoscaleInput = {
  min: 2,
  max: 10,
  desired: 4,
  loadRps: { known: true, value: 280 },
  capacityRps: 100,
  utilisation: 0.7,
  nowMs: 1_000_000,
  coolDownMs: 60_000,
  quietSinceMs: null,
};

describe('scaling by load', () => {
  it('scales out at once to what the load needs', () => {
    expect(autoscale({ ...base, loadRps: { known: true, value: 561 } })).toEqual({ desired: 9, quietSinceMs: null });
  });

  it('scales in by one instance after each quiet cool-down', () => {
    const quiet = { ...base, loadRps: { known: true, value: 10 } } as const;
    const first = autoscale(quiet);
    expect(first).toEqual({ desired: 4, quietSinceMs: 1_000_000 });
    expect(autoscale({ ...quiet, ...first, nowMs: 1_059_999 })).toEqual(first);
    const second = autoscale({ ...quiet, ...first, nowMs: 1_060_000 });
    expect(second).toEqual({ desired: 3, quietSinceMs: 1_060_000 });
    expect(autoscale({ ...quiet, ...second, nowMs: 1_060_001 }).desired).toBe(3);
  });

  it('starts the cool-down afresh after a moment in which the load was not known', () => {
    const quiet = { ...base, loadRps: { known: true, value: 10 }, quietSinceMs: 0 } as const;
    expect(autoscale(quiet).desired).toBe(3);
    const blind = autoscale({ ...quiet, loadRps: { known: false, why: 'the balancer is gone' } });
    expect(blind).toEqual({ desired: 4, quietSinceMs: null });
  });

  it('does not scale by load where the capacity of an instance is not declared', () => {
    expect(autoscale({ ...base, capacityRps: null, quietSinceMs: 0 })).toEqual({ desired: 4, quietSinceMs: null });
  });
});

const inputs = fc
  .record({
    min: fc.nat(20),
    room: fc.nat(20),
    desired: fc.nat(60),
    loadRps: fc.oneof(
      fc.record({ known: fc.constant(true as const), value: fc.double() }),
      fc.constant({ known: false as const, why: 'unread' }),
    ),
    capacityRps: fc.option(fc.double({ min: 0, max: 1e4 })),
    utilisation: fc.double({ min: 0.01, max: 1, noNaN: true }),
    nowMs: fc.nat(1e9),
    coolDownMs: fc.nat(1e6),
    quietSinceMs: fc.option(fc.nat(2e9)),
  })
  .map(({ room, ...input }) => ({ ...input, max: input.min + room }));

describe('scaling by load, whatever it is given', () => {
  it('never goes below the minimum, and above the maximum only where it was already (safety)', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { desired } = autoscale(input);
        expect(desired).toBeGreaterThanOrEqual(input.min);
        expect(desired).toBeLessThanOrEqual(Math.max(input.max, input.desired));
        expect(Number.isInteger(desired)).toBe(true);
      }),
    );
  });

  it('never scales in on an unknown load, nor by more than one, nor before the cool-down (safety)', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { desired } = autoscale(input);
        if (desired >= input.desired) return;
        expect(input.loadRps.known).toBe(true);
        expect(desired).toBe(input.desired - 1);
        expect(input.nowMs - Math.min(input.quietSinceMs ?? input.nowMs, input.nowMs)).toBeGreaterThanOrEqual(
          input.coolDownMs,
        );
      }),
    );
  });

  it('comes to rest at what a steady load needs (liveness)', () => {
    const steady = fc.record({
      min: fc.nat(5),
      desired: fc.nat(15),
      value: fc.double({ min: 0, max: 3_000, noNaN: true }),
    });
    fc.assert(
      fc.property(steady, ({ min, desired, value }) => {
        let state = { desired, quietSinceMs: null as number | null };
        for (let pass = 0; pass < 50; pass += 1) {
          const nowMs = pass * 60_000;
          state = autoscale({ ...base, min, max: 15, loadRps: { known: true, value }, nowMs, ...state });
        }
        expect(state.desired).toBe(Math.max(min, Math.min(15, Math.ceil(value / 70))));
      }),
    );
  });
});
