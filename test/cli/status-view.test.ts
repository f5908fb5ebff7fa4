import { describe, expect, test } from 'vitest';
import { commandAt } from '../../src/cli/command-at.ts';
import type { Context, Output } from '../../src/cli/context.ts';
import { reporterFor } from '../../src/cli/controller/reporter.ts';
import type { ControlEnd } from '../../src/cli/controller/rollout.ts';
import { statusLines } from '../../src/cli/status/view.ts';
import { pipedStatus } from '../../src/cli/status/watch-lines.ts';
import { paintFor } from '../../src/cli/terminal/paint.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import type { RolloutStatus } from '../../src/core/rollout/status.ts';
import { differences } from '../docs/page.ts';

const atMs = Date.UTC(2026, 0, 1);

function status(given: Partial<RolloutStatus> = {}): RolloutStatus {
  const group = { environment: 'classic', able: 2, desired: null, need: 1, rps: 100.4, attempts: 1512, failures: 15 };
  return {
    operation: 'rollout-web-1',
    service: 'web',
    stage: 'judging',
    stageName: 'step 2 of 3 (50 %): judging',
    stageSinceMs: atMs - 20_000,
    bakeMs: 30_000,
    step: 2,
    steps: 3,
    compared: true,
    promotion: { kind: 'requests', requests: 2600, by: 'absolute' },
    held: null,
    requestedShare: 0.5,
    observedShare: 0.499,
    loadRps: 200,
    origin: group,
    destination: { ...group, environment: 'vpc', need: null },
    verdict: {
      verdict: 'not enough evidence',
      rollBack: { logEvidence: -1.9, threshold: 8.29, by: 'comparison' },
      promote: { logEvidence: 1.8, threshold: 5.99, by: 'absolute' },
      dispersion: { known: true, value: 1.2 },
    },
    blockers: [],
    troubles: [],
    byHand: [],
    unserved: [],
    back: null,
    drill: null,
    builds: { origin: 'v41', destination: 'a-build-with-a-very-long-name-0123456789' },
    others: [],
    ...given,
  };
}

function text(given: Partial<RolloutStatus> = {}, columns = 80): string {
  const paint = paintFor({ stdout: { write: () => undefined, terminal: null }, env: {} });
  return statusLines(status(given), paint, atMs, columns).join('\n');
}

describe('a rollout as people see it', () => {
  test('promises nothing while something is waited for', () => {
    const enough = { promotion: { kind: 'requests', requests: 0, by: 'absolute' } } as const;
    const waits = { ...enough, blockers: ['edge/web cannot be read'] };
    expect(text(enough)).toMatch(/promotes in 10 s: there is enough evidence/);
    expect(text(waits).replace(/\s+/g, ' ')).toContain(
      'promotes once it waits for nothing, in 10 s at the earliest: there is enough evidence',
    );
    expect(text({ ...waits, bakeMs: 1000 }).replace(/\s+/g, ' ')).toContain(
      'promotes once it waits for nothing: there',
    );
    expect(text({ promotion: null, bakeMs: 1000, blockers: waits.blockers })).toContain(
      'goes on once it waits for nothing',
    );
  });

  test('groups, both shares, failure rates, evidence against thresholds, and how much longer it takes', () => {
    const shown = text();
    expect(shown).toMatch(/origin +classic +v41 +2 \(needs 1\) +100 +0\.99 % of 1,512$/m);
    expect(shown).toMatch(/share +█{12}░{12} {2}observed 49\.9 %, asked for 50\.0 %$/m);
    expect(shown).toMatch(/roll back +░{24} {2}evidence -1\.9 of 8\.3, by the comparison$/m);
    expect(shown).toMatch(/promote +█{7}░{17} {2}evidence 1\.8 of 6\.0, by the objective$/m);
    expect(shown.replace(/\s+/g, ' ')).toContain(
      'next promotes after about 2,600 more requests (13 s at this load), and not within the next 10 s',
    );
    expect(differences('status.md', 'rollout', status())).toEqual([]);
  });

  test('at the whole share it says that nothing is compared', () => {
    const whole = { step: 4, compared: false, promotion: null, requestedShare: 1, observedShare: 1 };
    const shown = text(whole, 100);
    expect(shown).toContain('at 100 % nothing is compared: only the objective and the tripwires watch');
    expect(shown).toContain('goes on in 10 s, if neither objective nor tripwire objects');
    expect(shown).not.toContain('more requests');
  });

  test.each<[string, Partial<RolloutStatus>, string]>([
    [
      'no rate that could promote',
      { promotion: { kind: 'never', why: 'cannot promote at this ratio' } },
      'cannot promote',
    ],
    [
      'nothing known',
      { promotion: { kind: 'unknown', why: 'no requests' } },
      'how long it takes is unknown: no requests',
    ],
    [
      'enough already',
      { promotion: { kind: 'requests', requests: 0, by: 'absolute' } },
      'promotes in 10 s: there is enough',
    ],
    ['held', { held: { why: 'lunch', by: 'alice', atMs: 0, blamed: [] } }, 'nothing until `drover resume`'],
    ['no load', { loadRps: null }, 'promotes after about 2,600 more requests, and not'],
    ['a share by capacity', { requestedShare: null }, 'observed 49.9 %, as capacity makes it'],
    ['a drill', { stage: 'drill-shifting', requestedShare: null }, 'as the lowest weight makes it'],
    ['no attempts', { observedShare: null }, 'observed unknown'],
  ])('says so: %s', (_, given, expected) => {
    expect(text(given, 120)).toContain(expected);
  });

  test('names servers that belong to neither group', () => {
    expect(text()).not.toContain('left out');
    expect(text({ others: ['other-1 at edge/web'] })).toMatch(/left out +other-1 at edge\/web: of neither group$/m);
  });

  test('names a balancer whose traffic nobody carries, before anything else that it waits for', () => {
    const unserved = ['no origin server is up at edge/web: nobody carries its traffic'];
    expect(text({ unserved, blockers: ['the reserve is broken'] }, 120)).toMatch(
      /unserved +no origin server is up at edge\/web: nobody carries its traffic\n +waits +the reserve is broken$/,
    );
    expect(text()).not.toContain('unserved');
  });

  test('what keeps a held rollout from being raised is told beside the hold', () => {
    const held = {
      held: { why: 'lunch', by: 'alice', atMs: 0, blamed: [] },
      blockers: ['edge/web#2 cannot be read: no answer'],
    };
    expect(text(held, 120)).toMatch(/held +by alice: lunch\n +waits +edge\/web#2 cannot be read: no answer$/);
    expect(pipedStatus()(status(held), atMs)[0]).toContain('waits: edge/web#2 cannot be read: no answer');
  });

  test('a way back says when, why and by whom it was taken, and whether the journal knows it', () => {
    const cause = { kind: 'asked', by: 'kim', reason: 'disk full' } as const;
    const taken = (journalled: boolean) =>
      text({ promotion: null, bakeMs: null, back: { cause, performedAtMs: atMs, journalled, standing: [] } }, 120);
    const words = 'taken at 2026-01-01T00:00:00.000Z (kim asked for it, reason: disk full)';
    expect(taken(true).endsWith(`back       ${words}`)).toBe(true);
    expect(taken(false)).toContain(`back       ${words}; the journal does not know it yet`);
    expect(taken(false)).toMatch(/next +sizes and states as they were found, once the journal can be written$/m);
  });

  test('no line is wider than the terminal, whatever there is to say', () => {
    const long = 'the reserve is broken: the origin has 1 able instances and needs 2 to carry all traffic plus 20 %';
    const standing = [`edge/web does not answer (${'no answer in time '.repeat(5)})`];
    const back = {
      cause: { kind: 'judge', by: 'comparison' } as const,
      performedAtMs: atMs,
      journalled: true,
      standing,
    };
    for (const columns of [40, 60, 80, 140]) {
      for (const line of text({ blockers: [long, long], back }, columns).split('\n'))
        expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  test.each([40, 60])('%i columns still show both shares, the failure rates and the evidence', (columns) => {
    const shares = [{}, { requestedShare: null }, { stage: 'drill-shifting', requestedShare: null }];
    for (const given of shares) {
      const shown = text({ stageName: 'step 2 of 3 (50 %): waiting for the observed share', ...given }, columns);
      const words = shown.replace(/\s+/g, ' ');
      expect(words).toMatch(/observed 49\.9 %, (asked for 50\.0 %|as .* makes it)/);
      expect(shown.match(/(origin|destination) .*0\.99 % of 1,512$/gm)).toHaveLength(2);
      expect(words).toMatch(/roll back .*evidence -1\.9 of 8\.3, by the comparison/);
      expect(words).toMatch(/promote .*evidence 1\.8 of 6\.0, by the objective/);
    }
    expect(text({}, 60)).toMatch(/origin +2 \(needs 1\) +100 +0\.99 % of 1,512$/m);
  });
});

describe('watch, piped', () => {
  test('one line has groups, both shares, failure rates, evidence against thresholds, and the time to the next step', () => {
    expect(pipedStatus()(status(), atMs)).toEqual([
      [
        'rollout-web-1  step 2 of 3 (50 %): judging',
        'share observed 49.9 %, asked for 50.0 %',
        'origin classic (v41): 2 able, 100 requests/s, failed 0.99 %',
        'destination vpc (a-build-with-a-very-long-name-0123456789): 2 able, 100 requests/s, failed 0.99 %',
        'roll back: evidence -1.9 of 8.3, by the comparison',
        'promote: evidence 1.8 of 6.0, by the objective',
        'next: promotes after about 2,600 more requests (13 s at this load), and not within the next 10 s',
      ].join('; '),
    ]);
  });

  test('it is said again after ten seconds, and at once when something else is the case', () => {
    const lines = pipedStatus();
    const told = (seconds: number, given: Partial<RolloutStatus> = {}) =>
      lines(status(given), atMs + seconds * 1000).length;
    const waits = (able: number) => ({ blockers: [`${able} able, needs 3`] });
    expect([told(0), told(1, { observedShare: 0.4 }), told(9), told(10), told(11)]).toEqual([1, 0, 0, 1, 0]);
    const held = { held: { why: 'lunch', by: 'alice', atMs: 0, blamed: [] } };
    expect([told(12, held), told(13, held), told(14)]).toEqual([1, 0, 1]);
    expect([told(15, waits(1)), told(16, waits(2)), told(17)]).toEqual([1, 0, 1]);
    expect(lines(status({ ...held, promotion: null }), atMs + 18_000)[0]).toMatch(
      /judging, held; .*next: nothing until `drover resume`.*; held: by alice: lunch$/,
    );
  });
});

/** A reporter of piped lines at `nowMs`, and what it has written. */
function piped(command: (verb: string) => string = (verb) => `drover ${verb}`) {
  const written: string[] = [];
  const time = { nowMs: 0 };
  const stdout: Output = { write: (more) => void written.push(more), terminal: null };
  const clock = { now: () => atMs, monotonic: () => time.nowMs, sleep: () => Promise.resolve() };
  const context = { stdout, stderr: stdout, env: {}, clock } as Partial<Context> as Context;
  return { written, time, reporter: reporterFor(context, false, command) };
}

test('piped, what a rollout waits for is said once it has lasted, when it is over, and again only after that', () => {
  const { written, time, reporter } = piped();
  const show = (...changed: Parameters<typeof status>) => reporter.status(status(...changed), {} as RolloutState);
  const seen = (...blockers: string[]) => {
    for (const afterMs of [0, 1000, 3000]) {
      time.nowMs += afterMs;
      show({ blockers });
    }
  };
  show({ blockers: ['the load is unknown before the second reading'] });
  seen('2 able, needs 3');
  seen('1 able, needs 3');
  seen();
  seen('1 able, needs 3');
  time.nowMs += 20_000;
  show({ held: { why: 'a look', by: 'kim', atMs: 0, blamed: [] }, blockers: ['1 able, needs 3'] });
  seen('2 able, needs 4', 'the marker is set');
  time.nowMs += 10_000;
  seen('edge-1/web cannot be read');
  expect(written).toEqual(
    [
      'waits: 2 able, needs 3',
      'waits: the marker is set',
      'waits no longer: 2 able, needs 3',
      'waits no longer: the marker is set',
      'waits: edge-1/web cannot be read',
    ].map((text) => `2026-01-01 00:00:00Z  rollout-web-1  ${text}\n`),
  );
});

test('piped, what a held rollout waits for is said too', () => {
  const { written, time, reporter } = piped();
  for (time.nowMs = 0; time.nowMs <= 4000; time.nowMs += 1000)
    reporter.status(
      status({ held: { why: 'lunch', by: 'alice', atMs: 0, blamed: [] }, blockers: ['edge-1/web cannot be read'] }),
      {} as RolloutState,
    );
  expect(written).toEqual(['2026-01-01 00:00:00Z  rollout-web-1  waits: edge-1/web cannot be read\n']);
});

test('the same is not said twice in a row, and what differs by a weight that people do not see is the same', () => {
  const { written, reporter } = piped();
  const kept = (weight: number) => ({ edge: { 'vpc-2': { weight, admin: 'ready' as const } } });
  const append = (seq: number, body: RolloutEvent) =>
    reporter.entry({
      ...{ operation: 'rollout-web-1', seq, previous: '', hash: '', actor: 'drover', atMs, rules: 1 },
      body,
    });
  const why = 'as much of the way back as the origin can carry';
  const intended = (weight: number): RolloutEvent => ({
    ...{ kind: 'intended', why },
    target: { requestedShare: 0, traffic: kept(weight), origin: null, destination: null },
  });
  append(1, intended(60));
  append(2, intended(59));
  append(3, { kind: 'rolled-back', tookMs: 700 });
  append(4, { kind: 'rolled-back', tookMs: 700 });
  append(5, intended(60));
  const line = `2026-01-01 00:00:00Z  rollout-web-1  ${why} → vpc-2 still carries 100 %\n`;
  expect(written).toEqual([
    line,
    '2026-01-01 00:00:00Z  rollout-web-1  rolled back, as was seen 700 ms after the way back was taken\n',
    line,
  ]);
});

describe('a controller that ends before its rollout', () => {
  const ended = (given: Partial<ControlEnd>, stage: RolloutState['stage']) => {
    const { written, reporter } = piped(commandAt({ config: 'a/drover.yaml', journal: "it's here.db" }));
    const state = { operation: 'rollout-web-1', stage } as RolloutState;
    reporter.end({ kind: 'stopped', state, trouble: null, isBack: true, standing: [], left: [], ...given });
    return written.join('').replaceAll('2026-01-01 00:00:00Z  ', '');
  };
  const names = "--config a/drover.yaml --journal 'it'\\''s here.db'";

  test('says that the share is held, and both commands for the configuration and the journal that it was given', () => {
    expect(ended({ isBack: false }, { kind: 'judging', step: 1 })).toBe(
      `rollout-web-1  the share is held where it is\n  drover resume ${names}  goes on\n  drover back ${names}    takes the traffic back\n`,
    );
  });

  test('does not say that the traffic is back while something stands, or was not seen to end', () => {
    const stands = ended({ standing: ['edge/web: vpc-1 still carries'] }, { kind: 'cutting' });
    expect(stands).toContain('the traffic is NOT back; still standing: edge/web: vpc-1 still carries\n');
    expect(stands).toContain(`  drover back ${names}  goes on with the way back\n`);
    expect(stands).not.toContain('resume');
    expect(ended({}, { kind: 'cutting' })).toContain('has not been seen to end');
    expect(ended({}, { kind: 'restoring' })).toContain('the traffic is back;');
  });
});

test('what a balancer refuses is shown with its words', () => {
  expect(text({ troubles: ['edge/web does not take what is written: Permission denied'] })).toMatch(
    /trouble +edge\/web does not take what is written: Permission denied/,
  );
});
