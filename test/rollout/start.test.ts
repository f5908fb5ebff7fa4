import { describe, expect, test } from 'vitest';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import type { GroupReading } from '../../src/core/observed/group.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import { checkStart, type StartCheck } from '../../src/core/rollout/start.ts';
import { madeReading, madeServer } from '../made/readings.ts';
import { plan } from './bench.ts';

const inMaint = { admin: 'maint', health: 'unchecked' } as const;
/** Groups that others run: only the balancer's checks tell whether a server can carry. */
const unprovided: RolloutPlan = { ...plan, destination: { ...plan.destination, size: null } };

describe('what keeps a rollout from starting', () => {
  test('nothing, where both groups are up and the destination waits', () => {
    expect(start({})).toEqual({ refusals: [], warnings: [] });
  });

  test('a server without a health check does, by name', () => {
    const { refusals } = start({ 'new-2': { health: 'unchecked' } });
    expect(refusals).toEqual([expect.stringMatching(/^edge: new-2 have no health check/)]);
  });

  test('servers in maint, which nobody checks, do not: they are left alone, and named', () => {
    const { refusals, warnings } = start({ 'old-2': inMaint, 'new-2': inMaint });
    expect(refusals).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^edge: put aside by somebody: old-2 is in maint, new-2 is in maint\. .*never touches/),
    ]);
  });

  test.each(['maint', 'drain'] as const)('a group of which every server is in %s does, with what wakes it', (admin) => {
    const { refusals } = start({ 'new-1': { admin, health: 'unchecked' }, 'new-2': { admin, health: 'unchecked' } });
    expect(refusals).toEqual([
      `edge: every server of the destination is put aside (new-1 is in ${admin}, new-2 is in ${admin}), and a rollout never touches such servers; "set server … state ready" wakes them`,
    ]);
  });

  test('an origin whose servers all have weight 0 does: there is nothing to move', () => {
    const { refusals } = start({ 'old-1': { weight: 0 }, 'old-2': { weight: 0 } });
    expect(refusals).toEqual([
      expect.stringMatching(/^edge: every server of the origin has weight 0 \(old-1, old-2\)/),
    ]);
    expect(start({ 'old-1': { weight: 0 } }).refusals).toEqual([]);
  });

  test('an origin whose build nobody tells does, unless its instances are still to be started', () => {
    const none = { size: null, instances: [], build: unknown('nobody answers') };
    expect(start({}, none).refusals).toEqual(['the build of the origin is unknown: nobody answers']);
    expect(start({}, { ...none, size: { min: 2, max: 4, desired: 2 } }).refusals).toEqual([]);
  });

  test('two builds in one group do not: what that means for the evidence is told', () => {
    const { refusals, warnings } = start({}, { size: null, instances: [], build: known('v42 + v43') });
    expect(refusals).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^the origin runs v42 and v43 at once \(v42 \+ v43\): evidence counts/),
    ]);
  });

  test('servers of neither group are named, whatever their state, and keep nothing from starting', () => {
    const { refusals, warnings } = start({ 'other-1': { health: 'unchecked' }, 'other-2': inMaint });
    expect(refusals).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/^edge: servers of neither group: other-1, other-2\. /)]);
  });
});

function start(
  changes: Readonly<Record<string, Partial<ServerReading>>>,
  origin: GroupReading = { size: null, instances: [], build: known('v1') },
): StartCheck {
  const names = new Set(['old-1', 'old-2', 'new-1', 'new-2', ...Object.keys(changes)]);
  const servers = [...names].map((name) => {
    return madeServer(name, { weight: name.startsWith('old') ? 100 : 0, ...changes[name] });
  });
  const timed = <T>(value: T) => ({ atMs: 0, reading: known(value) });
  const group = { size: null, instances: [], build: known('v1') };
  const observation: Observation = {
    nowMs: 0,
    leased: true,
    backends: { edge: timed(madeReading(servers, { process: 'edge/1' })) },
    origin: timed(origin),
    destination: timed(group),
    marker: known(null),
    requests: [],
    drill: null,
  };
  return checkStart(unprovided, observation);
}
