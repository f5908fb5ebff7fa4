import { describe, expect, test } from 'vitest';
import type { ForwardStage, RolloutEvent } from '../../src/core/rollout/events.ts';
import { differences } from '../integration/kill-points/compare.ts';
import type { End } from '../integration/kill-points/scenario.ts';
import { halfTarget } from '../made/rollout.ts';

const intended: RolloutEvent = { kind: 'intended', target: halfTarget, why: 'it is time' };
const confirmed = (intent: number): RolloutEvent => ({
  kind: 'confirmed',
  backend: 'edge/web',
  process: '1@1',
  intent,
});
const entered = (kind: Exclude<ForwardStage['kind'], 'growing' | 'shifting' | 'judging'>): RolloutEvent => ({
  ...{ kind: 'stage-entered', stage: { kind }, attempt: 0 },
});
const measure = { attempts: 5, acknowledgedMs: 1, lastAttemptMs: 1, spacingMs: 5, rps: 3 };
const measured: RolloutEvent = { kind: 'drill-measured', measure, passed: true, note: '' };
const drillBegins = [intended, entered('drill-shifting'), confirmed(1), intended, entered('drill-back')];
const drill = [...drillBegins, measured, intended, entered('drill-restoring'), confirmed(6)];
const ended = { code: 0, signal: null, stdout: '', stderr: '' };

const reference: End = {
  reached: [],
  first: ended,
  next: null,
  world: { 'vpc-1': { weight: 20, admin: 'ready' } },
  files: ['journal.db'],
  instances: { vpc: 1 },
  operations: ['fleet', 'rollout-web-1'],
  events: drill,
  fleet: [{ kind: 'operation-started', operation: 'rollout-web-1', seq: 1, hash: '' }],
  isVerified: true,
  told: { 'web/vpc-1 weight': ['0', '1', '0', '20'], 'web/vpc-1 state': ['ready', 'maint', 'ready'] },
  tookMs: 1,
};
const gone = { ...ended, code: null, signal: 'SIGKILL' } as const;
const same: End = { ...reference, first: gone, next: { command: 'apply', wasOver: false, ended } };

describe('a rollout that was killed and gone on with', () => {
  test('has the same end where everything is the same', () => {
    expect(differences(reference, same)).toEqual([]);
  });

  test('and where only a drill was repeated that lost its measurement', () => {
    const events = [...drillBegins, intended, entered('drill-restoring'), confirmed(9), ...drill];
    const told = {
      'web/vpc-1 weight': ['0', '1', '0', '1', '0', '20'],
      'web/vpc-1 state': ['ready', 'maint', 'ready', 'maint', 'ready'],
    };
    const repeated = { ...same, events: events.map((event, at) => numbered(event, at)), told };
    expect(differences(reference, repeated)).toEqual([]);
    expect(differences(reference, { ...same, told })).toEqual([expect.stringMatching(/^what HAProxy was told/)]);
  });

  const planted: readonly (readonly [string, Partial<End>, RegExp])[] = [
    ['that was never killed', { first: ended }, /the point was not reached/],
    ['that nobody went on with', { next: null }, /nothing went on/],
    [
      'whose next command fails',
      { next: { command: 'apply', wasOver: false, ended: { ...ended, code: 1 } } },
      /apply ended/,
    ],
    ['that is begun again after its end', { operations: ['fleet', 'rollout-web-1', 'rollout-web-2'] }, /the chains/],
    ['whose journal is broken', { isVerified: false }, /does not verify/],
    ['with another weight', { world: { 'vpc-1': { weight: 15, admin: 'ready' } } }, /the servers/],
    ['with an instance too many', { instances: { vpc: 2 } }, /the instances/],
    ['that leaves a file', { files: ['journal.db', 'rollout-web-1.json (completed: false)'] }, /the files/],
    ['without its anchor', { fleet: [] }, /the anchors/],
    [
      'that moved a weight to and fro',
      { told: { ...reference.told, 'web/vpc-1 weight': ['0', '1', '0', '20', '0', '20'] } },
      /was told/,
    ],
    ['in which something was done twice', { events: [...drill, measured] }, /the journal tells/],
    ['in which something was confirmed twice', { events: drill.with(2, confirmed(6)) }, /confirmed twice/],
  ];
  test.each(planted)('has another one %s', (_what, change, says) => {
    expect(differences(reference, { ...same, ...change }).join('\n')).toMatch(says);
  });
});

/** As if each had been confirmed by its own number. */
function numbered(event: RolloutEvent, at: number): RolloutEvent {
  return event.kind === 'confirmed' ? { ...event, intent: at } : event;
}
