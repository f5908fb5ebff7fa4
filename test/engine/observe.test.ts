import { describe, expect, test } from 'vitest';
import { openDeadline, within } from '../../src/engine/deadline.ts';
import { type Lateness, latenessAfter, patienceWith } from '../../src/engine/lateness.ts';
import { observe } from '../../src/engine/observe.ts';
import { sizedPlan } from '../made/rollout.ts';
import { Desk, operation, timing } from './desk.ts';

const rim = { id: 'rim', origin: 'old-*', destination: 'new-*' };
const plan = { ...sizedPlan, backends: [...sizedPlan.backends, rim] };

function look(
  desk: Desk,
  outer: readonly AbortSignal[] = [],
  msMax: number = timing.callMs,
  late: readonly string[] = [],
) {
  const patience = { msMax, late: new Set(late), lateMsMax: 250 };
  return desk.time.during(observe(desk.ports('one'), plan, operation, [], null, outer, true, patience));
}

describe('one look at the world', () => {
  test('what does not answer is unknown, with the reason; everything else is known', async () => {
    const desk = new Desk();
    desk.hanging.add('read rim');
    desk.refusing.set('read origin', 'permission denied');
    const seen = await look(desk);
    expect(seen.backends['edge']?.reading.known).toBe(true);
    expect(seen.backends['rim']?.reading).toMatchObject({
      known: false,
      why: `no answer within ${timing.callMs} ms: it is stopped or overloaded, or cannot be reached`,
    });
    expect(seen.origin.reading).toEqual({ known: false, why: 'permission denied' });
    expect(seen.destination.reading.known).toBe(true);
    expect(seen.leased).toBe(true);
  });

  test('an answer has the moment at which it was complete, not that of the slowest', async () => {
    const desk = new Desk();
    desk.hanging.add('read rim');
    const seen = await look(desk, [], 500);
    expect([seen.backends['edge']?.atMs, seen.nowMs]).toEqual([desk.wallOffsetMs + 1, desk.wallOffsetMs + 500]);
  });

  test('what did not answer of late is waited for a moment only, and the rest as long as ever', async () => {
    const desk = new Desk();
    desk.hanging.add('read rim');
    await look(desk, [], timing.callMs, ['rim']);
    expect(desk.nowMs).toBe(250);
    desk.hanging.add('read edge');
    await look(desk, [], timing.callMs, ['rim']);
    expect(desk.nowMs).toBe(250 + timing.callMs);
  });

  test('is given up when something more urgent comes, also where that was there before', async () => {
    const desk = new Desk();
    desk.hanging.add('read rim');
    const urgent = new AbortController();
    desk.schedule.after(10, () => urgent.abort(new Error('urgent')));
    const seen = await look(desk, [urgent.signal]);
    expect(desk.nowMs).toBe(10);
    expect(seen.backends['rim']?.reading).toEqual({ known: false, why: 'urgent' });
    expect(seen.backends['edge']?.reading.known).toBe(true);
    expect((await look(desk, [urgent.signal])).backends['edge']?.reading).toEqual({ known: false, why: 'urgent' });
    expect(desk.nowMs).toBe(10);
  });
});

describe('lateness', () => {
  const passAt = async (desk: Desk, lateness: Lateness): Promise<Lateness> => {
    const beganMs = desk.wallOffsetMs + desk.nowMs;
    const patience = patienceWith(lateness, beganMs, timing.callMs, 250);
    const seen = await desk.time.during(observe(desk.ports('one'), plan, operation, [], null, [], true, patience));
    return latenessAfter(lateness, seen, patience, beganMs);
  };

  test('a balancer that hangs holds up one pass in ten seconds, and none once it answers', async () => {
    const desk = new Desk();
    desk.hanging.add('read rim');
    let lateness: Lateness = {};
    const took: number[] = [];
    for (let pass = 0; pass < 45; pass++) {
      const before = desk.nowMs;
      lateness = await passAt(desk, lateness);
      took.push(desk.nowMs - before);
    }
    const full = took.filter((ms) => ms >= timing.callMs).length;
    expect(took[0]).toBe(timing.callMs);
    expect(took[1]).toBe(250);
    expect([full, took.length]).toEqual([Math.ceil(desk.nowMs / (10_000 + timing.callMs)), 45]);
    desk.hanging.delete('read rim');
    expect(await passAt(desk, lateness)).toEqual({});
  });

  test('what says at once that it cannot be reached is waited for as long as before', async () => {
    const desk = new Desk();
    desk.refusing.set('read rim', 'connection refused');
    expect(await passAt(desk, {})).toEqual({});
  });
});

describe('a deadline', () => {
  test('that was closed ends nothing any more, and neither do those outside it', async () => {
    const desk = new Desk();
    const outer = new AbortController();
    const deadline = openDeadline(desk.ports('one').clock, 100, [outer.signal]);
    deadline.close();
    await desk.time.pass(1000);
    outer.abort(new Error('late'));
    expect(deadline.signal.aborted).toBe(false);
  });

  test('an answer that came in time counts; what ignores its signal holds nobody up', async () => {
    const given = new AbortController();
    expect(await within(given.signal, Promise.resolve(1))).toBe(1);
    const lost = within(given.signal, new Promise(() => undefined));
    given.abort(new Error('over'));
    await expect(lost).rejects.toThrow('over');
    await expect(within(given.signal, Promise.reject(new Error('too late')))).rejects.toThrow('over');
  });
});
