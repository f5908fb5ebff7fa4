import { describe, expect, test } from 'vitest';
import type { Decision, TrafficEffect } from '../../src/core/rollout/decision.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import { watch } from '../../src/core/rollout/watch.ts';
import { halfTarget } from '../made/rollout.ts';
import { Desk, operation, ruled, timing } from './desk.ts';

const weights = { 'new-1': 5 };
const raise: TrafficEffect = {
  kind: 'traffic',
  backend: 'edge',
  weights,
  states: {},
  raises: true,
  statesFirst: false,
};
const lower: TrafficEffect = { ...raise, weights: { 'new-1': 0 }, raises: false };
const counted = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } };
const intended: RolloutEvent = { kind: 'intended', target: halfTarget, why: 'a test' };
const back: RolloutEvent = {
  kind: 'back-performed',
  cause: { kind: 'asked', by: 'kim', reason: null },
  all: true,
  target: halfTarget,
  verdict: null,
  performedAtMs: 1,
  counted,
};
const askBack = { kind: 'back', by: 'kim', reason: null, all: true } as const;

async function opened(...backends: string[]): Promise<Desk> {
  const desk = new Desk();
  await desk.begin(backends.length === 0 ? ['edge'] : backends);
  return desk;
}

/** When something landed, counted from now. */
function since(desk: Desk): () => (readonly [number, string])[] {
  const fromMs = desk.nowMs;
  return () => desk.landed.map(({ atMs, what }) => [atMs - fromMs, what] as const);
}

describe('what follows from the journal', () => {
  test('is not done in the pass that writes an entry, and nothing is done while the entry is not there', async () => {
    const desk = await opened();
    const decided: Partial<Decision> = { events: [intended], effects: [raise] };
    desk.refusing.set('append', 'ENOSPC');
    await desk.run(
      10_000,
      ruled((state) => (state.intended === null ? decided : { effects: [raise] })),
    );
    expect(desk.landed).toEqual([]);
    expect(await desk.kinds()).toEqual(['started']);
    expect(desk.glances.at(-1)?.trouble).toBe('ENOSPC');
  });

  test('is done once the store takes writes again, also where nothing is to be written any more', async () => {
    const desk = await opened();
    desk.refusing.set('append', 'ENOSPC');
    let wanted = true;
    desk.schedule.after(5000, () => {
      desk.refusing.clear();
      wanted = false;
    });
    await desk.run(
      60_000,
      ruled(() => (wanted ? { events: [intended] } : { effects: [raise] })),
    );
    expect(await desk.kinds()).toEqual(['started']);
    expect(desk.landed.length).toBeGreaterThan(10);
    expect(desk.glances.at(-1)?.trouble).toBeNull();
  });

  test('is done again in every pass until it is read back', async () => {
    const desk = await opened();
    await desk.run(
      3 * timing.pollMs,
      ruled(() => ({ effects: [lower] })),
    );
    expect(desk.landed).toHaveLength(3);
  });

  test('is not done by who has no lease, and what lowers only where it belongs to a way back', async () => {
    const desk = await opened();
    await desk.journal.leases.acquire(operation, 'another', desk.nowMs + desk.wallOffsetMs, 3_600_000);
    await desk.run(
      10_000,
      ruled(() => ({ effects: [raise, lower] })),
    );
    expect(desk.landed).toEqual([]);
    const late = await opened();
    await late.writtenByAnother([back]);
    await late.journal.leases.acquire(operation, 'another', late.nowMs + late.wallOffsetMs, 3_600_000);
    await late.run(
      10_000,
      ruled(() => ({ effects: [raise, lower] })),
    );
    expect(new Set(late.landed.map(({ what }) => what))).toEqual(new Set(['edge weights {"new-1":0}']));
  });

  test('is not done without a lease once the journal wants something else, and is where nobody can look that up', async () => {
    const desk = await opened();
    await desk.writtenByAnother([back]);
    await desk.journal.leases.acquire(operation, 'another', desk.nowMs + desk.wallOffsetMs, 3_600_000);
    let passes = 0;
    const overtaken = ruled(() => {
      passes++;
      // While this one looks, whoever has the lease goes on; later the disk answers nobody.
      if (passes === 2) void desk.writtenByAnother([intended]);
      if (passes === 4) desk.hanging.add('journal.read');
      return { effects: [{ ...lower, weights: { 'new-1': passes } }] };
    });
    await desk.run(30_000, overtaken);
    const done = desk.landed.map(({ what }) => what);
    expect(done.slice(0, 4)).toEqual([1, 3, 4, 5].map((weight) => `edge weights {"new-1":${weight}}`));
  });

  test('is not begun in the last moment of a lease, in which its call could outlive it', async () => {
    const desk = await opened();
    const landed = since(desk);
    const takenMs = 1;
    desk.schedule.after(100, () => void desk.hanging.add('acquire'));
    await desk.run(
      timing.leaseMs + 10_000,
      ruled(() => ({ effects: [raise] })),
    );
    const last = landed().at(-1)?.[0] ?? 0;
    expect(last).toBeLessThanOrEqual(takenMs + timing.leaseMs - timing.callMs / 2);
    expect(last).toBeGreaterThan(timing.leaseMs / 3);
  });

  test('waits after another controller has written, as long as a call of that one may take', async () => {
    const desk = await opened();
    let passes = 0;
    const conflicting = ruled(() => {
      passes++;
      // Just before this one appends, the other did.
      if (passes === 1) void desk.writtenByAnother([intended]);
      return passes === 1 ? { events: [intended] } : { effects: [raise] };
    });
    const landed = since(desk);
    await desk.run(10_000, conflicting);
    expect(await desk.kinds()).toEqual(['started', 'intended']);
    expect(landed()[0]?.[0]).toBeGreaterThanOrEqual(timing.callMs);
    expect(landed().length).toBeGreaterThan(0);
  });
});

describe('a way back', () => {
  const wayBack: TrafficEffect = { ...lower, states: { 'new-1': 'maint' }, statesFirst: true };
  const goesBack = ruled((state, { requests }) =>
    state.back === null && requests.some(({ kind }) => kind === 'back') ? { events: [back], back: [wayBack] } : {},
  );

  test('does not wait for the balancer that hangs while it is read, beyond a quarter of a second', async () => {
    const desk = await opened('edge', 'rim');
    desk.hanging.add('read rim');
    desk.inbox.push(askBack);
    const landed = since(desk);
    await desk.run(10_000, goesBack);
    expect(landed()[0]?.[0]).toBeLessThan(400);
    expect(desk.admin['new-1']).toBe('maint');
    expect(await desk.kinds()).toContain('back-performed');
  });

  test('interrupts a pass that waits for a balancer which hangs', async () => {
    const desk = await opened('edge', 'rim');
    desk.hanging.add('read rim');
    const landed = since(desk);
    desk.schedule.after(1000, () => desk.inbox.push(askBack));
    await desk.run(10_000, goesBack);
    expect(landed()[0]?.[0]).toBeLessThan(1400);
  });

  test('interrupts a sleep', async () => {
    const desk = await opened();
    const landed = since(desk);
    desk.schedule.after(1000, () => desk.inbox.push(askBack));
    await desk.run(10_000, goesBack);
    expect(landed()[0]?.[0]).toBeLessThan(1100);
  });

  test('is taken though neither lease nor journal nor marker answers, and written down once they do', async () => {
    const desk = await opened();
    desk.schedule.after(500, () => {
      desk.hanging.add('acquire').add('append').add('marker.write').add('journal.read');
      desk.inbox.push(askBack);
    });
    desk.schedule.after(20_000, () => desk.hanging.clear());
    const landed = since(desk);
    await desk.run(60_000, goesBack);
    expect(landed()[0]?.[0]).toBeLessThan(2000);
    expect((await desk.kinds()).filter((kind) => kind === 'back-performed')).toHaveLength(1);
  });

  test('gives up what the journal is just writing, which is no trouble of the journal', async () => {
    const desk = await opened();
    desk.schedule.after(500, () => void desk.hanging.add('append'));
    desk.schedule.after(3000, () => desk.inbox.push(askBack));
    desk.schedule.after(2999, () => desk.hanging.clear());
    const held: RolloutEvent = { kind: 'held', by: 'kim', why: 'lunch' };
    const rules = ruled((state, { requests }) => {
      if (state.back === null && requests.length > 0) return { events: [back], back: [wayBack] };
      return state.held === null && desk.hanging.has('append') ? { events: [held] } : {};
    });
    await desk.run(10_000, rules);
    expect(await desk.kinds()).toContain('back-performed');
    expect(desk.glances.map(({ trouble }) => trouble).filter((trouble) => trouble !== null)).toEqual([]);
  });

  test('is taken without a lease too, and written down under whoever asked', async () => {
    const desk = await opened();
    await desk.journal.leases.acquire(operation, 'another', desk.nowMs + desk.wallOffsetMs, 3_600_000);
    desk.inbox.push(askBack);
    await desk.run(10_000, goesBack);
    expect(desk.marker).toBe('kim');
    expect((await desk.journal.read(operation, 1)).map(({ actor, body }) => [actor, body.kind])).toEqual([
      ['kim', 'back-performed'],
    ]);
  });

  test('that the judge takes is drover’s, also in the marker', async () => {
    const desk = await opened();
    const judged = { ...back, cause: { kind: 'judge', by: 'comparison' } } as const;
    await desk.run(
      5000,
      ruled((state) => (state.back === null ? { events: [judged], back: [wayBack] } : {})),
    );
    expect(desk.marker).toBe('drover (judge)');
    expect((await desk.journal.read(operation, 1)).map(({ actor }) => actor)).toEqual(['drover']);
  });
});

describe('what the loop remembers', () => {
  test('a request counts until its consequences are durable, once', async () => {
    const desk = await opened();
    desk.refusing.set('append', 'ENOSPC');
    desk.inbox.push({ kind: 'hold', by: 'kim', why: 'lunch' });
    desk.schedule.after(5000, () => desk.refusing.clear());
    const held: RolloutEvent = { kind: 'held', by: 'kim', why: 'lunch' };
    await desk.run(
      20_000,
      ruled((_state, { requests }) => (requests.length > 0 ? { events: [held] } : {})),
    );
    expect((await desk.journal.read(operation, 1)).map(({ actor, body }) => [actor, body.kind])).toEqual([
      ['kim', 'held'],
    ]);
    expect(desk.glances.some(({ trouble }) => trouble === 'ENOSPC')).toBe(true);
    expect(desk.glances.at(-1)?.trouble).toBeNull();
  });

  test('a drill’s answer is there until it is written down, and no longer', async () => {
    const desk = await opened();
    const seen: boolean[] = [];
    const measure = { attempts: 1, acknowledgedMs: 1, lastAttemptMs: 1, spacingMs: 5, rps: 1 };
    const drilling = ruled((state, { drill }) => {
      seen.push(drill !== null);
      if (state.drill !== null) return {};
      if (drill === null) return { effects: [{ kind: 'drill', servers: [{ backend: 'edge', server: 'new-1' }] }] };
      return { events: [{ kind: 'drill-measured', measure, passed: true, note: '' }] };
    });
    desk.schedule.after(500, () => void desk.refusing.set('append', 'ENOSPC'));
    desk.schedule.after(5000, () => desk.refusing.clear());
    await desk.run(15_000, drilling);
    const first = seen.indexOf(true);
    const last = seen.lastIndexOf(true);
    expect(last).toBeGreaterThan(first);
    expect(seen.slice(first, last + 1)).not.toContain(false);
    expect(seen.at(-1)).toBe(false);
  });

  test('windows over a jump of the time are none: the watch begins anew', async () => {
    const desk = await opened();
    desk.schedule.after(5000, () => {
      void desk.writtenByAnother([{ kind: 'held', by: 'kim', why: 'lunch' }], desk.nowMs + desk.wallOffsetMs + 60_000);
      // Somebody else has it for a moment, so this one reads what was written.
      void desk.journal.leases.release(operation, 'one');
      void desk.journal.leases.acquire(operation, 'another', desk.nowMs + desk.wallOffsetMs, 6000);
    });
    await desk.run(
      40_000,
      ruled(() => ({})),
      'one',
      { watch },
    );
    const windows = desk.glances
      .flatMap((one) => Object.values(one.watch.windows))
      .map(({ fromMs, toMs }) => toMs - fromMs);
    expect(desk.glances.at(-1)?.state.held?.why).toBe('lunch');
    expect(Math.max(...windows)).toBeLessThan(30_000);
  });

  test('what another controller has written counts before anything is decided on it', async () => {
    const desk = await opened();
    await desk.journal.leases.acquire(operation, 'another', desk.nowMs + desk.wallOffsetMs, 3_600_000);
    desk.schedule.after(3000, () => void desk.writtenByAnother([intended]));
    await desk.run(
      10_000,
      ruled(() => ({})),
    );
    expect(desk.glances[0]?.state.intended).toBeNull();
    expect(desk.glances.at(-1)?.state.intended?.why).toBe('a test');
  });

  test('what the world refuses is told until it is read back as wanted', async () => {
    const desk = await opened();
    desk.refusing.set('setWeights', 'permission denied');
    desk.schedule.after(5000, () => desk.refusing.clear());
    const done = () => desk.weights['new-1'] === 5;
    await desk.run(
      15_000,
      ruled(() => (done() ? {} : { effects: [raise] })),
    );
    const told = desk.glances.map(({ troubles }) => troubles.length);
    expect(told.slice(1, 3)).toEqual([1, 1]);
    expect(told.at(-1)).toBe(0);
  });

  test('a store that is in trouble is told as long as it is', async () => {
    const desk = await opened();
    desk.schedule.after(500, () => void desk.refusing.set('acquire', 'the disk is gone'));
    desk.schedule.after(20_000, () => desk.refusing.clear());
    await desk.run(
      40_000,
      ruled(() => ({})),
    );
    const troubles = desk.glances.map(({ trouble }) => trouble);
    expect(troubles).toContain('the disk is gone');
    expect(troubles.at(-1)).toBeNull();
  });
});

describe('the pace of the loop', () => {
  const passes = (desk: Desk) => desk.glances.map(({ observation }) => observation.nowMs - desk.wallOffsetMs);

  test('is the controller’s where nothing asks for an earlier pass, and the rules’ where they do', async () => {
    const desk = await opened();
    await desk.run(
      10_000,
      ruled(() => ({})),
    );
    expect(desk.glances.length).toBe(5);
    const hasty = await opened();
    await hasty.run(
      10_000,
      ruled((_state, { nowMs }) => ({ wakeAtMs: nowMs + 200 })),
    );
    expect(hasty.glances.length).toBeGreaterThan(40);
  });

  test('is half a poll where something could not be written, however soon the rules would look again', async () => {
    const desk = await opened();
    desk.refusing.set('append', 'ENOSPC');
    await desk.run(
      10_000,
      ruled((_state, { nowMs }) => ({ events: [intended], wakeAtMs: nowMs })),
    );
    const gaps = passes(desk)
      .slice(1)
      .map((atMs, index) => atMs - (passes(desk)[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(timing.pollMs / 2);
    expect(Math.max(...gaps)).toBeLessThan(timing.pollMs);
  });

  test('a request that arrives ends the sleep', async () => {
    const desk = await opened();
    desk.schedule.after(500, () => desk.inbox.push({ kind: 'resume', by: 'kim', reason: null }));
    await desk.run(
      1500,
      ruled(() => ({})),
    );
    expect(passes(desk)).toHaveLength(2);
  });
});

describe('the end', () => {
  test('of the operation stands in the fleet’s chain, with the head of its own', async () => {
    const desk = await opened();
    const rolledBack: RolloutEvent = { kind: 'rolled-back', tookMs: 1 };
    const ending = ruled((state) => {
      if (state.back === null) return { events: [back] };
      return state.stage.kind === 'rolled-back' ? { ended: true } : { events: [rolledBack] };
    });
    expect(await desk.run(60_000, ending)).toBe('ended');
    const [own, fleet] = (await desk.journal.heads()).sort((one, other) =>
      one.operation === operation ? -1 : other.operation === operation ? 1 : 0,
    );
    const entries = await desk.journal.read(fleet?.operation ?? '', 0);
    expect(entries.map(({ body }) => body)).toMatchObject([
      { kind: 'operation-started', operation, seq: 1 },
      { kind: 'operation-ended', operation, seq: own?.seq, hash: own?.hash },
    ]);
  });

  test('of a controller leaves the operation as it is, and its lease to the next one', async () => {
    const desk = await opened();
    expect(
      await desk.run(
        5000,
        ruled(() => ({ effects: [lower] })),
      ),
    ).toBe('stopped');
    const wallMs = desk.nowMs + desk.wallOffsetMs;
    expect(await desk.journal.leases.acquire(operation, 'two', wallMs, 1000)).toMatchObject({ held: true });
    expect(await desk.kinds()).toEqual(['started']);
  });

  test('every entry is told after it is durable', async () => {
    const desk = await opened();
    await desk.run(
      5000,
      ruled((state) => (state.intended === null ? { events: [intended] } : {})),
    );
    expect(desk.told.map(({ body }) => body.kind)).toEqual(['intended']);
  });
});
