import { expect, test } from 'vitest';
import { factsOf } from '../../src/core/rollout/facts.ts';
import type { RolloutStatus } from '../../src/core/rollout/status.ts';
import { destinationFails } from '../../src/core/rollout/tripwires.ts';
import { Bench } from './bench.ts';

/** 100 requests a second at each of two balancers, half of them at the destination. */
const bothSteady = () => {
  const bench = Bench.judging({ backends: ['edge', 'rim'] });
  passes(bench, 10);
  return bench;
};

function passes(bench: Bench, times: number): void {
  for (let pass = 0; pass < times; pass++) bench.pass();
}

const load = (bench: Bench) => factsOf(bench.state, bench.watch, bench.observe()).load;

/** Of 15 s and, at each balancer, the window that reaches into them. */
const attemptsMax = (balancers: number) => 17 * 100 * balancers;

const counted = ({ origin, destination }: RolloutStatus) => origin.attempts + destination.attempts;

test('what a balancer carried that is gone is unknown after 15 s, and not shown as of now for as long as it is gone', () => {
  const bench = bothSteady();
  expect(bench.status()).toMatchObject({ loadRps: 200, origin: { rps: 100 }, destination: { rps: 100 } });
  bench.unreadable = ['rim'];
  passes(bench, 5);
  expect(counted(bench.status())).toBeLessThan(attemptsMax(2));
  passes(bench, 3);
  for (let minute = 0; minute < 3; minute++) {
    const status = bench.status();
    expect(status).toMatchObject({ loadRps: null, origin: { rps: null }, destination: { rps: null } });
    expect([counted(status) > 0, counted(status) <= attemptsMax(1)]).toEqual([true, true]);
    passes(bench, 30);
  }
});

test('the share is then that of the balancers which are read, and unknown where none is', () => {
  const bench = bothSteady();
  bench.unreadable = ['rim'];
  passes(bench, 10);
  expect(bench.status().observedShare).toBeCloseTo(0.5);
  bench.unreadable = ['edge', 'rim'];
  passes(bench, 10);
  expect(bench.status()).toMatchObject({ observedShare: null, origin: { attempts: 0 }, destination: { attempts: 0 } });
});

test('the reserve goes on with the load that was last known of it', () => {
  const bench = bothSteady();
  bench.unreadable = ['rim'];
  passes(bench, 300);
  expect(load(bench)).toEqual({ known: true, value: 200 });
});

test('once it answers again, one window of many minutes is no figure of the last 15 s, and thins no load', () => {
  const bench = bothSteady();
  bench.unreadable = ['rim'];
  passes(bench, 300);
  bench.unreadable = [];
  bench.pass();
  expect(bench.status().loadRps).toBeNull();
  expect(counted(bench.status())).toBeLessThan(attemptsMax(1));
  expect(load(bench)).toEqual({ known: true, value: 200 });
  bench.pass();
  expect(bench.status().loadRps).toBe(200);
  expect(counted(bench.status())).toBeLessThan(attemptsMax(2));
});

test('nor does a gap that counters may be late in stand in that column', () => {
  const bench = bothSteady();
  bench.unreadable = ['rim'];
  passes(bench, 9);
  bench.unreadable = [];
  bench.pass();
  expect(counted(bench.status())).toBeLessThan(attemptsMax(1));
  bench.pass();
  expect(bench.status().loadRps).toBe(200);
});

test('that the destination failed there is no reason to take everything minutes later', () => {
  const failing = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 100, failures: 90 } };
  const recent = { rim: [{ fromMs: 0, toMs: 10_000, ...failing }] };
  expect(destinationFails({ recent }, 24_999)).toBe(true);
  expect(destinationFails({ recent }, 25_000)).toBe(false);
});
