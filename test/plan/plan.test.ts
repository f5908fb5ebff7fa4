import { describe, expect, test } from 'vitest';
import type { ServiceConfig } from '../../src/core/fleet/config.ts';
import { known } from '../../src/core/observed/reading.ts';
import { changesSince } from '../../src/core/plan/changes.ts';
import { type PlannedService, planHash } from '../../src/core/plan/hash.ts';
import { reserveInTheWay } from '../../src/core/plan/reserve.ts';
import { shareOfStep } from '../../src/core/plan/shares.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { madePlan } from '../made/plan.ts';
import { madeReading, madeServer } from '../made/readings.ts';

const address = '/run/haproxy/a.sock';
const at = (where: string): RolloutPlan => ({
  ...madePlan,
  backends: [{ id: 'edge/web', address: where, origin: 'old-*', destination: 'new-*' }],
});

describe('the hash of a plan', () => {
  const planned: PlannedService = {
    service: { name: 'query', owner: 'search' } as ServiceConfig,
    rollout: at(address),
    builds: { origin: 'v1', destination: 'v2' },
    lastStep: 'none',
  };
  const hashOf = (change: Partial<PlannedService>) => planHash([{ ...planned, ...change }], sha256);

  test.each<[string, Partial<PlannedService>]>([
    ['the build of the destination', { builds: { origin: 'v1', destination: 'v3' } }],
    ['the build of the origin', { builds: { origin: null, destination: 'v2' } }],
    ['the balancer that is written to', { rollout: at('/run/haproxy/b.sock') }],
    ['a setting of the judge', { rollout: { ...at(address), objective: 0.02 } }],
    ['the owner', { service: { ...planned.service, owner: 'ingest' } }],
    ['what was done of it', { lastStep: 'completed' }],
  ])('is another one with %s', (_, change) => {
    expect(hashOf(change)).not.toBe(hashOf({}));
  });

  test('does not depend on the order in which keys were written', () => {
    const { policy, ...rest } = planned.rollout;
    expect(hashOf({ rollout: { policy, ...rest } as RolloutPlan })).toBe(hashOf({}));
  });
});

describe('a configuration that was edited while a rollout is under way', () => {
  test('is told by what differs, with both values', () => {
    const now = { ...at('/run/haproxy/b.sock'), objective: 0.005, policy: { ...madePlan.policy, drainMsMax: 5000 } };
    expect(changesSince(at(address), now)).toEqual([
      'backends[0].address: "/run/haproxy/b.sock", was "/run/haproxy/a.sock"',
      'objective: 0.005, was 0.01',
      'policy.drainMsMax: 5000, was 60000',
    ]);
  });

  test('steps that came and backends that went are named', () => {
    const more = { ...madePlan, steps: [...madePlan.steps, { kind: 'capacity', instances: 2, bakeMs: 1000 }] as const };
    expect(changesSince(madePlan, more)).toEqual([
      'steps[1]: {"kind":"capacity","instances":2,"bakeMs":1000}, was not there',
    ]);
    expect(changesSince(madePlan, { ...madePlan, backends: [] })).toEqual([
      expect.stringMatching(/^backends\[0\]: not there, was/),
    ]);
  });

  test('is not one where the journal is from before addresses were written down', () => {
    const [{ id, origin, destination }] = at(address).backends as [RolloutPlan['backends'][number]];
    expect(changesSince({ ...madePlan, backends: [{ id, origin, destination }] }, at(address))).toEqual([]);
  });
});

describe('the share of a step, before it begins', () => {
  const byCapacity = { kind: 'capacity', instances: 1, bakeMs: 0 } as const;

  test('by capacity follows from the weights: an instance gets as much as the strongest of the origin', () => {
    const seen = observed({ 'old-1': 100, 'old-2': 20, 'new-1': 0 });
    const share = 100 / 220;
    expect(shareOfStep(madePlan, byCapacity, seen)).toEqual([share, share]);
  });

  test('drifts over the sizes of an origin that scales', () => {
    const seen = observed({ 'old-1': 100, 'old-2': 100, 'new-1': 0 }, { min: 1, max: 3, desired: 2 });
    expect(shareOfStep(madePlan, byCapacity, seen)).toEqual([1 / 4, 1 / 2]);
  });

  test('does not count servers that are down or put aside, and is not known where nothing can be read', () => {
    const seen = observed({ 'old-1': 100, 'old-2': 100, 'new-1': 0 }, null, { 'old-2': { health: 'down' } });
    expect(shareOfStep(madePlan, byCapacity, seen)).toEqual([1 / 2, 1 / 2]);
    expect(shareOfStep(madePlan, byCapacity, { ...seen, backends: {} })).toBeNull();
  });

  test('by weight is what was asked for', () => {
    expect(shareOfStep(madePlan, { kind: 'weight', share: 0.05, instances: null, bakeMs: 0 }, observed({}))).toEqual([
      0.05, 0.05,
    ]);
  });

  test('by weight that no weight makes is the least that they do make', () => {
    const seen = observed({ 'old-1': 100, 'old-2': 100, 'new-1': 0, 'new-2': 0 });
    const of = (share: number, instances: number | null = null) =>
      shareOfStep(madePlan, { kind: 'weight', share, instances, bakeMs: 0 }, seen);
    const least = 2 / (2 + 512);
    for (const share of [0.000_001, 0.001]) expect(of(share)).toEqual([least, least]);
    expect(of(0.001, 1)).toEqual([1 / 513, 1 / 513]);
    for (const share of [0.004, 0.01, 0.2]) expect(of(share)).toEqual([share, share]);
  });
});

describe('a reserve that cannot be met', () => {
  const declared = (capacityRps: number): RolloutPlan => ({ ...madePlan, origin: { ...madePlan.origin, capacityRps } });
  const two = { 'old-1': 100, 'old-2': 100, 'new-1': 0 };

  test('is said with the load, what it needs and what there is', () => {
    expect(reserveInTheWay(declared(40), observed(two), 77)).toMatch(
      /^the reserve cannot be met: 77 requests\/s plus 20 % need 3 origin instances of 40 requests\/s, and 2 can carry\. /,
    );
    expect(reserveInTheWay(declared(40), observed(two, { min: 1, max: 2, desired: 1 }), 77)).toContain(
      'its maximum is 2',
    );
    expect(reserveInTheWay(declared(40), observed(two, null, { 'old-2': { health: 'down' } }), 40)).toContain(
      '1 can carry',
    );
  });

  test('is not said where it can be, or where too little is known', () => {
    expect(reserveInTheWay(declared(40), observed(two), 66)).toBeNull();
    expect(reserveInTheWay(declared(40), observed(two, { min: 1, max: 3, desired: 1 }), 77)).toBeNull();
    expect(reserveInTheWay(declared(40), observed(two), null)).toBeNull();
    expect(reserveInTheWay(declared(40), { ...observed(two), backends: {} }, 77)).toBeNull();
  });

  test('without a declared capacity nobody can say it of a group that nobody can grow', () => {
    expect(reserveInTheWay(madePlan, observed(two), 10)).toMatch(/^no `capacity` is declared for the origin/);
    expect(reserveInTheWay(madePlan, observed(two, { min: 1, max: 3, desired: 2 }), 10)).toBeNull();
  });
});

function observed(
  weights: Readonly<Record<string, number>>,
  size: { readonly min: number; readonly max: number; readonly desired: number } | null = null,
  changes: Readonly<Record<string, { readonly health: 'down' }>> = {},
): Observation {
  const servers = Object.entries(weights).map(([name, weight]) => madeServer(name, { weight, ...changes[name] }));
  const timed = <T>(value: T) => ({ atMs: 0, reading: known(value) });
  return {
    nowMs: 0,
    leased: true,
    backends: { edge: timed(madeReading(servers)) },
    origin: timed({ size, instances: [], build: known('v1') }),
    destination: timed({ size: null, instances: [], build: known('v2') }),
    marker: known(null),
    requests: [],
    drill: null,
  };
}
