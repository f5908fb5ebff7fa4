import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CliError } from '../../src/cli/context.ts';
import { parseControllerAnswer, parseControlRequest } from '../../src/cli/controller/messages.ts';
import { statusLines, statusSummary } from '../../src/cli/status/view.ts';
import { paintFor } from '../../src/cli/terminal/paint.ts';
import type { RolloutStatus } from '../../src/core/rollout/status.ts';
import { damagedJson, jsonDamage, shallowDamage } from './json.ts';
import { runs } from './runs.ts';

const requests = [
  { kind: 'status' },
  { kind: 'end' },
  { kind: 'operator', operation: 'move-1', request: { kind: 'hold', by: 'alice', why: 'lunch' } },
  { kind: 'operator', operation: 'move-1', request: { kind: 'hold', by: 'alice', why: 'lunch', amends: true } },
  { kind: 'operator', operation: 'move-1', request: { kind: 'resume', by: 'alice', reason: null } },
  { kind: 'operator', operation: 'move-1', request: { kind: 'back', by: 'alice', reason: 'slow', all: false } },
  { kind: 'operator', operation: 'move-1', request: { kind: 'retire', by: 'alice', reason: null } },
] as const;

const group = { environment: 'vpc', able: 2, desired: 2, need: null, rps: 10.5, attempts: 9, failures: 1 };
const evidence = { logEvidence: -0.5, threshold: 6.9, by: 'comparison' } as const;
const status: RolloutStatus = {
  ...{
    operation: 'rollout-query-1',
    service: 'query',
    stage: 'judging',
    stageName: 'step 1: judging',
    stageSinceMs: 5,
  },
  ...{ bakeMs: 60_000, step: 1, steps: 3, compared: true, held: null, requestedShare: 0.1, observedShare: 0.09 },
  ...{
    promotion: { kind: 'requests', requests: 900, by: 'comparison' },
    loadRps: 10,
    origin: group,
    destination: group,
  },
  verdict: {
    ...{ verdict: 'not enough evidence', rollBack: evidence, promote: evidence },
    dispersion: { known: false, why: 'one origin host' },
  },
  ...{
    blockers: ['x'],
    troubles: [],
    byHand: [],
    unserved: [],
    drill: 'passed',
    builds: { origin: 'a', destination: 'b' },
    others: [],
  },
  back: {
    cause: { kind: 'asked', by: 'alice', reason: null },
    performedAtMs: 7,
    journalled: true,
    standing: ['vpc-1'],
  },
};
const answer = { pid: 77, operation: 'rollout-query-1', status, trouble: null, standing: ['vpc-1 at edge/web'] };

function unlessRefused<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    expect(error).toBeInstanceOf(CliError);
    return null;
  }
}

describe('what is said to a controller, and what it answers', () => {
  test('is understood as it was said', () => {
    for (const request of requests) expect(parseControlRequest(request)).toEqual(request);
    expect(parseControllerAnswer(answer)).toEqual(answer);
    expect(parseControllerAnswer({ ...answer, operation: null, status: null }).status).toBeNull();
  });

  test('property: a request is obeyed whole, or refused; nothing else reaches the loop', () => {
    let obeyed = 0;
    fc.assert(
      fc.property(fc.constantFrom(...requests), jsonDamage, (request, damage) => {
        const said: unknown = JSON.parse(damagedJson(request, damage));
        const understood = unlessRefused(() => parseControlRequest(said));
        if (understood === null) return;
        obeyed += 1;
        expect(understood).toEqual(said);
        expect(['status', 'end', 'operator']).toContain(understood.kind);
        if (understood.kind === 'operator')
          expect(['hold', 'resume', 'back', 'retire']).toContain(understood.request.kind);
      }),
      runs(1500),
    );
    expect(obeyed).toBeGreaterThan(50);
  });

  test('property: whatever a controller answers can be shown, or is refused in one sentence', () => {
    const paint = paintFor({ stdout: { write: () => undefined, terminal: null }, env: {} });
    let shown = 0;
    fc.assert(
      fc.property(shallowDamage, jsonDamage, (damage, second) => {
        const once: unknown = JSON.parse(damagedJson(answer, damage));
        const understood = unlessRefused(() => parseControllerAnswer(JSON.parse(damagedJson(once, second))));
        if (understood === null) return;
        shown += 1;
        expect(Number.isSafeInteger(understood.pid)).toBe(true);
        expect(understood.standing.every((line) => typeof line === 'string')).toBe(true);
        if (understood.status === null) return;
        expect(statusSummary(understood.status, 9).length).toBeLessThan(50_000);
        for (const line of statusLines(understood.status, paint, 9)) expect(typeof line).toBe('string');
      }),
      runs(1500),
    );
    expect(shown).toBeGreaterThan(200);
  });

  test.each([[null], [7], ['status'], [[]], [{}], [{ kind: 'operator' }], [{ kind: 'operator', operation: 'move-1' }]])(
    'a request that is %j is none',
    (request) => expect(() => parseControlRequest(request)).toThrow(CliError),
  );

  test('an answer of another version says who it is, and its status is unknown', () => {
    const other = { ...answer, status: { ...status, verdict: 'fine' } };
    expect(parseControllerAnswer({ ...answer, status: { ...status, observedShare: 65_536 } }).status).toBeNull();
    expect(parseControllerAnswer(other)).toMatchObject({ pid: 77, operation: 'rollout-query-1', status: null });
  });
});
