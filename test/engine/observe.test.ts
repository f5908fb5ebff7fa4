import { describe, expect, test } from 'vitest';
import { openDeadline, within } from '../../src/engine/deadline.ts';
import { observe } from '../../src/engine/observe.ts';
import { sizedPlan } from '../made/rollout.ts';
import { Desk, operation, timing } from './desk.ts';

const rim = { id: 'rim', origin: 'old-*', destination: 'new-*' };
const plan = { ...sizedPlan, backends: [...sizedPlan.backends, rim] };

function look(desk: Desk, outer: readonly AbortSignal[] = [], msMax?: number) {
  return desk.time.during(observe(desk.ports('one'), plan, operation, [], null, outer, true, msMax));
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
