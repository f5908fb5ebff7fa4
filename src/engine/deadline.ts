import { type Clock, PortError } from './ports.ts';

/** A deadline over one or several calls to the world. `close` when they are done, so that nothing keeps waiting. */
export type Deadline = { readonly signal: AbortSignal; close(): void };

/** A call was given up for something more urgent: of whoever was called that says nothing. */
export class Interruption extends Error {}

/** A reason of its own: the default one builds an error with a stack at every abort. */
const closed = new Error('the calls have ended');

/** Aborts after `ms`, or as soon as one of `outer` does. */
export function openDeadline(clock: Clock, ms: number, outer: readonly AbortSignal[]): Deadline {
  const controller = new AbortController();
  const timer = new AbortController();
  const pass = (event: Event) => {
    const signal = event.target;
    controller.abort(signal instanceof AbortSignal ? signal.reason : undefined);
  };
  for (const signal of outer) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', pass, { once: true });
  }
  void clock.sleep(ms, timer.signal).then(() => {
    if (timer.signal.aborted) return;
    controller.abort(
      new PortError('timeout', `no answer within ${ms} ms: it is stopped or overloaded, or cannot be reached`, {
        retriable: true,
      }),
    );
  });
  return {
    signal: controller.signal,
    close() {
      timer.abort(closed);
      for (const signal of outer) signal.removeEventListener('abort', pass);
    },
  };
}

/** The call's result, or the deadline's error: a call that ignores its signal holds nobody up. */
export function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    if (signal.aborted) {
      work.catch(() => undefined);
      give();
      return;
    }
    signal.addEventListener('abort', give, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}
