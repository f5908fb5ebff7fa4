import { describe, expect, test } from 'vitest';
import { cases, runCase } from '../../bench/judge/cases.ts';
import { Random } from '../../src/sim/random.ts';

const seconds = 3200;

/** All that the balancers of a case showed, over several histories. */
function totalsOf(name: string, seeds: number) {
  const one = cases.find((candidate) => candidate.name === name);
  if (one === undefined) throw new Error(`no case ${name}`);
  const totals = { origin: [0, 0], destination: [0, 0], hosts: [0, 0] };
  for (let seed = 1; seed <= seeds; seed++) {
    const history = one.world(new Random(seed));
    for (let second = 0; second < seconds; second++) {
      for (const window of Object.values(history(second))) {
        add(totals.origin, window.origin);
        add(totals.destination, window.destination);
        for (const host of window.originHosts) add(totals.hosts, host);
      }
    }
  }
  return totals;
}

function add(sums: number[], { attempts, failures }: { attempts: number; failures: number }): void {
  sums[0] = (sums[0] ?? 0) + attempts;
  sums[1] = (sums[1] ?? 0) + failures;
}

function ratioOf({ origin, destination }: { origin: number[]; destination: number[] }): number {
  return (
    (destination[1] ?? Number.NaN) /
    (destination[0] ?? Number.NaN) /
    ((origin[1] ?? Number.NaN) / (origin[0] ?? Number.NaN))
  );
}

describe('a simulated destination is as bad as its case says', () => {
  test.each([
    ['poisson-r0-1', 1],
    ['poisson-r0-2', 2],
    ['bernoulli-r0-2', 2],
    ['unwatched-bursts-5-at-once', 1],
    ['unwatched-bursts-5-over-30s', 1],
    ['hosts-0.2', 1],
    ['ramps-late', 1],
    ['edge-ramps-late', 2],
    ['shared-outage', 1],
  ])('%s: %d times', (name, ratio) => {
    expect(ratioOf(totalsOf(name, 20)) / ratio).toBeGreaterThan(0.9);
    expect(ratioOf(totalsOf(name, 20)) / ratio).toBeLessThan(1.1);
  });

  test('pooled, balancers with shares and rates of their own would look otherwise than each does', () => {
    expect(ratioOf(totalsOf('balancers', 10))).toBeGreaterThan(2);
  });

  test('the two halves of the origin are the whole of it', () => {
    const { origin, hosts } = totalsOf('unwatched-bursts-20-over-30s', 3);
    expect(hosts).toEqual(origin);
  });
});

test('a destination that is watched before has no attempts in that time', () => {
  expect(totalsOf('bursts-5-at-once', 2).destination).toEqual([0, 0]);
  expect(totalsOf('bursts-5-at-once', 2).origin[1]).toBeGreaterThan(0);
});

test('the same seed is the same history, and other seeds are others', () => {
  const one = cases.find(({ name }) => name === 'raw-bursts-5-r0-1');
  if (one === undefined) throw new Error('no such case');
  const alarms = [1, 2, 3, 1, 2, 3].map((seed) => runCase(one, seed, 14_400));
  expect(alarms.slice(3)).toEqual(alarms.slice(0, 3));
  expect(new Set(alarms).size).toBeGreaterThan(1);
});
