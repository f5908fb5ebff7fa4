import { getEventListeners } from 'node:events';
import { expect } from 'vitest';
import type { OperatorRequest } from '../../src/core/rollout/observation.ts';
import type { Inbox } from '../../src/engine/operation-ports.ts';
import { collectClauses, testClauses, type Write } from './clauses.ts';

/** What every `Inbox` must do. There is one, and the simulator's controllers have it too. */
export function inboxContract(name: string, open: () => Inbox): void {
  testClauses(`contract of an inbox: ${name}`, inboxClauses(), {
    open: async () => open(),
    close: async () => undefined,
  });
}

const hold: OperatorRequest = { kind: 'hold', by: 'alice', why: 'lunch' };
const resume: OperatorRequest = { kind: 'resume', by: 'alice', reason: null };
const back: OperatorRequest = { kind: 'back', by: 'bob', reason: null, all: false };

export function inboxClauses() {
  return collectClauses<Inbox>(takingClauses, wakingClauses, urgencyClauses);
}

function takingClauses(write: Write<Inbox>): void {
  write('requests are taken once, all of them, oldest first', async (inbox) => {
    expect(inbox.take()).toEqual([]);
    for (const request of [hold, back, resume]) inbox.push(request);
    const taken = inbox.take();
    expect(taken).toEqual([hold, back, resume]);
    expect(inbox.take()).toEqual([]);
    inbox.push(hold);
    expect(taken).toEqual([hold, back, resume]);
    expect(inbox.take()).toEqual([hold]);
  });

  write('the same request twice is two: nobody is answered for somebody else', async (inbox) => {
    inbox.push(back);
    inbox.push(back);
    expect(inbox.take()).toEqual([back, back]);
  });
}

function wakingClauses(write: Write<Inbox>): void {
  write('everybody who waits is woken by a request, and who comes later does not wait at all', async (inbox) => {
    const { signal } = new AbortController();
    const waiting = [inbox.arrived(signal), inbox.arrived(signal)];
    expect(await isOver(waiting[0])).toBe(false);
    inbox.push(hold);
    for (const one of [...waiting, inbox.arrived(signal)]) expect(await isOver(one)).toBe(true);
    inbox.take();
    expect(await isOver(inbox.arrived(AbortSignal.abort()))).toBe(true);
  });

  write('what was taken wakes nobody any more', async (inbox) => {
    const controller = new AbortController();
    inbox.push(hold);
    inbox.take();
    const waiting = inbox.arrived(controller.signal);
    expect(await isOver(waiting)).toBe(false);
    controller.abort();
    expect(await isOver(waiting)).toBe(true);
  });

  write('a wait that is over leaves nothing with its signal', async (inbox) => {
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round += 1) {
      const waiting = inbox.arrived(signal);
      inbox.push(hold);
      await waiting;
      inbox.take();
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
}

function urgencyClauses(write: Write<Inbox>): void {
  write('a way back is urgent until it is taken, and nothing else is', async (inbox) => {
    const before = inbox.urgent();
    inbox.push(hold);
    inbox.push(resume);
    expect(inbox.urgent().aborted).toBe(false);
    inbox.push(back);
    expect(before.aborted).toBe(true);
    expect(inbox.urgent().aborted).toBe(true);
    inbox.take();
    expect(inbox.urgent().aborted).toBe(false);
  });

  write('a way back that comes after another one was taken is urgent anew', async (inbox) => {
    inbox.push(back);
    inbox.take();
    const next = inbox.urgent();
    inbox.push(back);
    expect(next.aborted).toBe(true);
  });

  write('whoever is woken by a way back finds it urgent and finds the request', async (inbox) => {
    const seen = inbox.arrived(new AbortController().signal).then(() => [inbox.urgent().aborted, inbox.take()]);
    inbox.push(back);
    expect(await seen).toEqual([true, [back]]);
  });
}

/** After everything that is due has run. */
async function isOver(work: Promise<void> | undefined): Promise<boolean> {
  let over = false;
  void work?.then(() => {
    over = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return over;
}
