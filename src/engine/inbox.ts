import type { OperatorRequest } from '../core/rollout/observation.ts';
import { Interruption } from './deadline.ts';
import type { Inbox } from './operation-ports.ts';

/** Requests of operators, oldest first. A way back is urgent: it interrupts whatever the loop is waiting for. */
export function createInbox(): Inbox {
  return inboxFor<OperatorRequest>(({ kind }) => kind === 'back');
}

/** The same for what an operation of another type is asked. */
export function inboxFor<Request>(isUrgent: (request: Request) => boolean): Inbox<Request> {
  let requests: Request[] = [];
  let waiting: (() => void)[] = [];
  let interrupt = new AbortController();
  return {
    push(request) {
      requests.push(request);
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
      if (isUrgent(request)) interrupt.abort(new Interruption('interrupted by what is more urgent'));
    },
    take() {
      const taken = requests;
      requests = [];
      if (interrupt.signal.aborted) interrupt = new AbortController();
      return taken;
    },
    urgent() {
      return interrupt.signal;
    },
    arrived(signal) {
      if (requests.length > 0 || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          signal.removeEventListener('abort', done);
          waiting = waiting.filter((one) => one !== done);
          resolve();
        };
        waiting.push(done);
        signal.addEventListener('abort', done, { once: true });
      });
    },
  };
}
