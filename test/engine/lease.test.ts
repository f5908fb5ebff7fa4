import { describe, expect, test } from 'vitest';
import { type Handover, keepLease } from '../../src/engine/lease.ts';
import type { LeaseStore } from '../../src/engine/ports.ts';
import { steadyClock } from '../../src/engine/steady-clock.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';

const leaseMs = 10_000;
const callMs = 3000;
const signal = new AbortController().signal;

/** One machine: what has passed, and what its wall clock shows. */
class Machine {
  passedMs = 0;
  wallOffsetMs = 1_000_000;
  readonly #leases = openMemoryJournal().leases;

  clock() {
    return {
      now: () => this.passedMs + this.wallOffsetMs,
      monotonic: () => this.passedMs,
      sleep: () => Promise.resolve(),
    };
  }

  keeper(holder: string, handover: Handover = 'unsettled') {
    const timing = { pollMs: 1000, callMs, leaseMs };
    return keepLease({ clock: this.clock(), leases: this.#leases, holder, timing }, 'op', handover);
  }
}

describe('the lease of an operation', () => {
  test('a successor that finds it expired still waits for the calls of the one before', async () => {
    const machine = new Machine();
    await machine.keeper('one').keep(signal);
    machine.passedMs += leaseMs + 1;
    const two = machine.keeper('two');
    await two.keep(signal);
    expect([two.isHeld(), two.leftMs()]).toEqual([true, 0]);
    machine.passedMs += callMs;
    expect(two.leftMs()).toBeGreaterThan(0);
    // It waits once, and not at every renewal.
    machine.passedMs += leaseMs / 2;
    await two.keep(signal);
    expect(two.leftMs()).toBe(leaseMs);
  });

  test('an ask that was given up and is written down late ends it as early as that says', async () => {
    const machine = new Machine();
    const { leases } = openMemoryJournal();
    let write: () => void = () => undefined;
    const late: LeaseStore = {
      acquire: (operation, holder, nowMs, ttlMs) =>
        machine.passedMs === 5000
          ? new Promise((resolve) => {
              write = () => void leases.acquire(operation, holder, nowMs, ttlMs).then(resolve);
            })
          : leases.acquire(operation, holder, nowMs, ttlMs),
      release: (...asked) => leases.release(...asked),
      holderOf: (...asked) => leases.holderOf(...asked),
    };
    const timing = { pollMs: 1000, callMs, leaseMs };
    const one = keepLease({ clock: machine.clock(), leases: late, holder: 'one', timing }, 'op');
    await one.keep(signal);
    machine.passedMs = 5000;
    const givenUp = new AbortController();
    const asking = one.keep(givenUp.signal);
    givenUp.abort(new Error('no answer'));
    await asking;
    machine.passedMs = 8000;
    await one.keep(signal);
    // By the store it has ten seconds, until the other ask is written down.
    expect(one.leftMs()).toBe(7000);
    write();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await leases.holderOf('op')).toEqual({ holder: 'one', expiresAtMs: 1_015_000 });
    expect(one.leftMs()).toBe(7000);
    await one.keep(signal);
    machine.passedMs = 11_000;
    await one.keep(signal);
    expect(one.leftMs()).toBe(10_000);
  });

  test('the first controller of an operation waits for nobody', async () => {
    const one = new Machine().keeper('one');
    await one.keep(signal);
    expect(one.leftMs()).toBe(leaseMs);
  });

  test('a wall clock set forward ends it, because others would take it over by now', async () => {
    const machine = new Machine();
    const one = machine.keeper('one');
    await one.keep(signal);
    machine.wallOffsetMs += 3_600_000;
    expect(one.isHeld()).toBe(false);
    const two = machine.keeper('two');
    await two.keep(signal);
    await one.keep(signal);
    expect([one.isHeld(), two.isHeld()]).toEqual([false, true]);
  });

  test('a wall clock set back makes nobody wait for longer than the lease lasts', async () => {
    const machine = new Machine();
    await machine.keeper('one').keep(signal);
    machine.wallOffsetMs -= 3_600_000;
    const two = machine.keeper('two');
    await two.keep(signal);
    machine.passedMs += leaseMs - 1;
    await two.keep(signal);
    expect(two.isHeld()).toBe(false);
    machine.passedMs += 1;
    await two.keep(signal);
    expect(two.isHeld()).toBe(true);
  });

  test('a holder that goes on renewing keeps it, also after the wall clock was set back', async () => {
    const machine = new Machine();
    const [one, two] = [machine.keeper('one'), machine.keeper('two')];
    await one.keep(signal);
    machine.wallOffsetMs -= 3_600_000;
    for (let second = 0; second < 60; second++) {
      machine.passedMs += 1000;
      await one.keep(signal);
      await two.keep(signal);
      expect([one.isHeld(), two.isHeld()]).toEqual([true, false]);
    }
  });

  test('is renewed when a third of it is over, and not before', async () => {
    const machine = new Machine();
    const one = machine.keeper('one');
    await one.keep(signal);
    machine.passedMs += 3333;
    await one.keep(signal);
    expect(one.leftMs()).toBe(leaseMs - 3333);
    machine.passedMs += 1;
    await one.keep(signal);
    expect(one.leftMs()).toBe(leaseMs);
  });

  test('in doubt is none, and what the other one began has time to end before it is one again', async () => {
    const machine = new Machine();
    const one = machine.keeper('one');
    await one.keep(signal);
    one.doubt();
    expect([one.isHeld(), one.leftMs()]).toEqual([false, 0]);
    await one.keep(signal);
    expect([one.isHeld(), one.leftMs()]).toEqual([true, 0]);
    machine.passedMs += callMs - 1;
    expect(one.leftMs()).toBe(0);
    machine.passedMs += 1;
    expect(one.leftMs()).toBe(leaseMs - callMs);
    machine.passedMs += 1000;
    await one.keep(signal);
    expect(one.leftMs()).toBeGreaterThan(0);
  });

  test('ends for whoever gives it back, at once, and is another’s to take', async () => {
    const machine = new Machine();
    const [one, two] = [machine.keeper('one'), machine.keeper('two')];
    await one.keep(signal);
    await one.release();
    expect(one.isHeld()).toBe(false);
    await two.keep(signal);
    expect(two.isHeld()).toBe(true);
  });

  test('of somebody who goes on renewing it is never taken for one that nobody renews', async () => {
    const machine = new Machine();
    const [one, two] = [machine.keeper('one'), machine.keeper('two')];
    await one.keep(signal);
    machine.wallOffsetMs -= 3_600_000;
    for (let third = 0; third < 9; third++) {
      await two.keep(signal);
      expect(two.isHeld()).toBe(false);
      machine.passedMs += leaseMs / 3;
      await one.keep(signal);
    }
  });

  test('a store in trouble is named until it answers, and takes nothing away that was given', async () => {
    const machine = new Machine();
    const timing = { pollMs: 1000, callMs, leaseMs };
    const store = openMemoryJournal().leases;
    let isBroken = false;
    const leases: LeaseStore = {
      acquire: (...asked) => (isBroken ? Promise.reject(new Error('no such disk')) : store.acquire(...asked)),
      release: () => Promise.reject(new Error('no such disk')),
      holderOf: (...asked) => store.holderOf(...asked),
    };
    const one = keepLease({ clock: machine.clock(), leases, holder: 'one', timing }, 'op');
    await one.keep(signal);
    isBroken = true;
    machine.passedMs += leaseMs / 2;
    await one.keep(signal);
    expect([one.failure(), one.isHeld()]).toEqual(['no such disk', true]);
    machine.passedMs += leaseMs / 2;
    expect(one.isHeld()).toBe(false);
    isBroken = false;
    await one.keep(signal);
    expect([one.failure(), one.isHeld()]).toEqual([null, true]);
    await one.release();
    expect(one.isHeld()).toBe(false);
  });

  test('a store that never answers does not hold the loop up', async () => {
    const machine = new Machine();
    const hanging: LeaseStore = {
      acquire: () => new Promise(() => {}),
      release: () => Promise.resolve(),
      holderOf: () => Promise.resolve(null),
    };
    const timing = { pollMs: 1000, callMs, leaseMs };
    const one = keepLease({ clock: machine.clock(), leases: hanging, holder: 'one', timing }, 'op');
    const given = new AbortController();
    const kept = one.keep(given.signal);
    given.abort(new Error('urgent'));
    await kept;
    expect(one.isHeld()).toBe(false);
  });
});

describe('a lease that is given back only once nothing is under way', () => {
  test('is taken by the next one without waiting', async () => {
    const machine = new Machine();
    const [one, two] = [machine.keeper('one', 'settled'), machine.keeper('two', 'settled')];
    await one.keep(signal);
    await one.release(true);
    await two.keep(signal);
    expect(two.leftMs()).toBe(leaseMs);
  });

  test('and ended while something was, is taken at once and waited for', async () => {
    const machine = new Machine();
    const [one, two] = [machine.keeper('one', 'settled'), machine.keeper('two', 'settled')];
    await one.keep(signal);
    await one.release(false);
    expect(one.isHeld()).toBe(false);
    await two.keep(signal);
    expect([two.isHeld(), two.leftMs()]).toEqual([true, 0]);
    machine.passedMs += callMs;
    expect(two.leftMs()).toBe(leaseMs - callMs);
  });

  test('of one that died is not made settled by somebody who had it for a moment in between', async () => {
    const machine = new Machine();
    await machine.keeper('dead', 'settled').keep(signal);
    machine.passedMs += leaseMs;
    const between = machine.keeper('between', 'settled');
    await between.keep(signal);
    machine.passedMs += callMs / 2;
    await between.release(true);
    const next = machine.keeper('next', 'settled');
    await next.keep(signal);
    expect([next.isHeld(), next.leftMs()]).toEqual([true, 0]);
  });

  test('is waited for where so long passed while it was asked for that another one may have had it', async () => {
    const machine = new Machine();
    const store = openMemoryJournal().leases;
    const timing = { pollMs: 1000, callMs, leaseMs };
    const leases: LeaseStore = {
      ...{ acquire: (...asked) => store.acquire(...asked), release: (...asked) => store.release(...asked) },
      async holderOf(operation) {
        const found = await store.holderOf(operation);
        await store.acquire(operation, 'other', machine.clock().now(), leaseMs);
        machine.passedMs += leaseMs;
        return found;
      },
    };
    const one = keepLease({ clock: machine.clock(), leases, holder: 'one', timing }, 'op', 'settled');
    await one.keep(signal);
    machine.passedMs += 1;
    await one.keep(signal);
    expect(one.leftMs()).toBe(0);
  });
});

describe('the time of an operation', () => {
  test('a wall clock that is set moves nothing; the journal moves it forward only', () => {
    const machine = new Machine();
    machine.passedMs = 77_000;
    const clock = steadyClock(machine.clock());
    const startedMs = clock.now();
    expect(startedMs).toBe(machine.clock().now());
    machine.passedMs += 5000;
    machine.wallOffsetMs -= 3_600_000;
    expect(clock.now() - startedMs).toBe(5000);
    machine.wallOffsetMs += 9_000_000;
    expect(clock.now() - startedMs).toBe(5000);
    expect(clock.catchUpWith(startedMs)).toBe(0);
    expect(clock.catchUpWith(startedMs + 7000)).toBe(2000);
    expect(clock.now() - startedMs).toBe(7000);
  });
});
